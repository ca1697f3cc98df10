"""What a request asks for by a name of a library that is no constraint: Nesterov's momentum, logs of the training, a
threshold of deviations from the mean."""

from __future__ import annotations

import re
from collections.abc import Callable

from pipeline.generate.parts.script import Script
from pipeline.generate.parts.torch.loop import epoch_loop
from pipeline.generate.parts.training import with_callback
from pipeline.torch.facts import imports_torch

_FORBIDDEN = r"(?<!no )(?<!without )(?<!not )"
_LOG_FILE = re.compile(r"(?:log|history)\w*[^.\n]{0,25}?(?:to|in|into|as) [\"'`]?(?P<name>[\w-]+\.csv)", re.IGNORECASE)
_CSV_LOGGER = re.compile(rf"{_FORBIDDEN}\bcsv[ -]?logger\b|training log (?:as|to|in) (?:a )?csv", re.IGNORECASE)
_TENSORBOARD = re.compile(rf"{_FORBIDDEN}\btensor ?board\b", re.IGNORECASE)
_NESTEROV = re.compile(rf"{_FORBIDDEN}\bnesterov\b", re.IGNORECASE)
_DEVIATIONS = re.compile(
    r"(?:mean|average)[ ]?(?:\+|plus)[ ]?(?P<count>\d+(?:\.\d+)?)[ ]?(?:\*|x|times)?[ ]?"
    r"(?:std|stds|sd|sigma|sigmas|standard deviations?)\b",
    re.IGNORECASE,
)
_BY_QUANTILE = re.compile(r"np\.quantile\((?P<errors>\w+\([^()\n]*\)|\w+), (?P<share>QUANTILE|NORMAL_SHARE)\)")


def with_said_extras(source: str, requirement: str) -> str:
    """The source with what the request names, as far as it is a script that this can be added to."""
    for add in (_nesterov, _tensorboard, _log_file, _deviations):
        source = _changed(source, requirement, add)
    return source


def _changed(source: str, requirement: str, add: Callable[[str, str], str | None]) -> str:
    try:
        changed = add(source, requirement)
    except SyntaxError:
        return source
    return source if changed is None else changed


def _nesterov(source: str, requirement: str) -> str | None:
    """For each SGD that has a momentum."""
    if not _NESTEROV.search(requirement) or "nesterov=" in source:
        return None
    script = Script(source)
    for number in range(len(script.calls("SGD"))):
        call = script.calls("SGD")[number]
        if all(keyword.arg != "momentum" for keyword in call.keywords):
            script = script.with_keyword(call, "momentum", "0.9")
        script = script.with_keyword(script.calls("SGD")[number], "nesterov", "True")
    return script.source


def _tensorboard(source: str, requirement: str) -> str | None:
    if not _TENSORBOARD.search(requirement) or "TensorBoard(" in source or imports_torch(source):
        return None
    changed = with_callback(Script(source), 'keras.callbacks.TensorBoard(log_dir="logs")')
    return None if changed is None else changed.source


def _log_file(source: str, requirement: str) -> str | None:
    """A line an epoch, in a CSV file."""
    named = _LOG_FILE.search(requirement)
    if (named is None and not _CSV_LOGGER.search(requirement)) or "CSVLogger(" in source:
        return None
    name = named["name"] if named is not None else "training_log.csv"
    if name.lower().startswith(("predict", "submission", "result")) or f'("{name}"' in source:
        return None
    script = Script(source)
    if not imports_torch(source):
        changed = with_callback(script, f'keras.callbacks.CSVLogger("{name}")')
        return None if changed is None else changed.source
    loop = epoch_loop(script)
    if loop is None or script.assigned("history") is None:
        return None
    line = f'pd.DataFrame(history).to_csv("{name}", index_label="epoch")'
    return script.with_lines_after(loop, line).with_import("import pandas as pd").source


def _deviations(source: str, requirement: str) -> str | None:
    """A threshold so many standard deviations above the mean error, in the place of a quantile."""
    asked, there = _DEVIATIONS.search(requirement), _BY_QUANTILE.search(source)
    if asked is None or there is None or source.count(there["share"]) > 2:
        return None
    function = (
        "def mean_and_deviations(errors):\n"
        '    """So far above the mean error lies the threshold."""\n'
        f"    return np.mean(errors) + {asked['count']} * np.std(errors)\n\n\n"
    )
    changed = source.replace(there[0], f"mean_and_deviations({there['errors']})")
    script = Script(changed)
    script = script.with_lines_before(script.calls("mean_and_deviations")[0], function)
    return re.sub(rf"^{there['share']} = .*\n", "", script.source, flags=re.MULTILINE)
