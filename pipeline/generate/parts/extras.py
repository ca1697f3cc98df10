"""Small things that libraries have a name for: Nesterov's momentum, logs, a threshold of deviations from the mean."""

from __future__ import annotations

import re

from pipeline.generate.parts.script import Script
from pipeline.generate.parts.torch.loop import epoch_loop
from pipeline.generate.parts.training import with_callback
from pipeline.request.constraints import Constraint
from pipeline.torch.facts import imports_torch

_BY_QUANTILE = re.compile(r"np\.quantile\((?P<errors>\w+\([^()\n]*\)|\w+), (?P<share>QUANTILE|NORMAL_SHARE)\)")


def nesterov(script: Script, constraint: Constraint) -> Script | None:
    """For each SGD, which gets a momentum where it has none: there is nothing to look ahead with otherwise."""
    for number in range(len(script.calls("SGD"))):
        call = script.calls("SGD")[number]
        if all(keyword.arg != "momentum" for keyword in call.keywords):
            script = script.with_keyword(call, "momentum", "0.9")
        script = script.with_keyword(script.calls("SGD")[number], "nesterov", "True")
    return script


def log(script: Script, constraint: Constraint) -> Script | None:
    """A line or a point an epoch: for TensorBoard, or in a CSV file."""
    if constraint.name == "log_file":
        return _csv_log(script, constraint.value)
    if constraint.value == "csv":
        return _csv_log(script, "training_log.csv")
    if constraint.value == "tensorboard" and not imports_torch(script.source):
        return with_callback(script, 'keras.callbacks.TensorBoard(log_dir="logs")')
    return None


def _csv_log(script: Script, name: str) -> Script | None:
    if not name.lower().endswith(".csv") or '"' in name:
        return None
    if not imports_torch(script.source):
        for call in script.calls("CSVLogger"):
            return script.replaced(call.args[0], f'"{name}"') if call.args else None
        return with_callback(script, f'keras.callbacks.CSVLogger("{name}")')
    loop = epoch_loop(script)
    if loop is None or script.assigned("history") is None:
        return None
    line = f'pd.DataFrame(history).to_csv("{name}", index_label="epoch")'
    return script.with_lines_after(loop, line).with_import("import pandas as pd")


def deviations(script: Script, constraint: Constraint) -> Script | None:
    """A threshold so many standard deviations above the mean error, in the place of a quantile."""
    source = script.source
    there = _BY_QUANTILE.search(source)
    if there is None or source.count(there["share"]) > 2:
        return None
    function = (
        "def mean_and_deviations(errors):\n"
        '    """So far above the mean error lies the threshold."""\n'
        f"    return np.mean(errors) + {constraint.value} * np.std(errors)\n\n\n"
    )
    script = Script(source.replace(there[0], f"mean_and_deviations({there['errors']})"))
    script = script.with_lines_before(script.calls("mean_and_deviations")[0], function)
    return Script(re.sub(rf"^{there['share']} = .*\n", "", script.source, flags=re.MULTILINE))
