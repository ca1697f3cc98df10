"""Small things that libraries have a name for: Nesterov's momentum, logs, a threshold of deviations from the mean."""

from __future__ import annotations

import ast
import re

from pipeline.generate.parts.script import Script
from pipeline.generate.parts.torch.loop import epoch_loop, training_call, training_step
from pipeline.generate.parts.torch.training import batches_of
from pipeline.generate.parts.training import with_callback
from pipeline.request.constraints import Constraint
from pipeline.syntax import walk
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


def exported(script: Script, constraint: Constraint) -> Script | None:
    """The trained network for other programs: TensorFlow Lite, a SavedModel, TorchScript by an example batch."""
    if imports_torch(script.source):
        return _torchscript(script) if constraint.value == "torchscript" else None
    if script.model_call("fit") is None or script.has_model_class():
        return None
    if constraint.value == "tflite":
        cell = (
            "# %% Save: TensorFlow Lite\n"
            "converter = tf.lite.TFLiteConverter.from_keras_model(model)\n"
            'with open("model.tflite", "wb") as stream:\n'
            "    stream.write(converter.convert())\n"
        )
        return script.with_lines_at_end(cell).with_import("import tensorflow as tf")
    if constraint.value == "saved_model":
        return script.with_lines_at_end('# %% Save: for serving\nmodel.export("saved_model")\n')
    return None


def _torchscript(script: Script) -> Script | None:
    step = training_step(script)
    loop = epoch_loop(script)
    call = training_call(script, loop) if loop is not None else None
    batches = batches_of(script, call[1]) if call is not None else ""
    if step is None or not batches or script.assigned("model") is None:
        return None
    for node in walk(step.body[step.forward]):
        plain = isinstance(node, ast.Call) and ast.unparse(node.func) == "model"
        if plain and re.fullmatch(r"model\((\w+)(?:\.to\(DEVICE\))?\)", ast.unparse(node)):
            cell = (
                "# %% Save: TorchScript\n"
                f"example = next(iter({batches}))[0][:1].to(DEVICE)\n"
                'torch.jit.trace(model.eval(), example).save("model_scripted.pt")\n'
            )
            return script.with_lines_at_end(cell)
    return None


def predictions_file(script: Script, constraint: Constraint) -> Script | None:
    """The asked name in the place of the file that the script writes its predictions to."""
    name = constraint.value.replace("\\", "/").rpartition("/")[2]
    is_input = re.search(r"sample_sub|^(?:new|test|unlabel|holdout)", name.lower()) is not None
    if not name.endswith(".csv") or is_input or '"predictions.csv"' not in script.source:
        return None
    source = script.source.replace('"predictions.csv"', f'"{name}"')
    return Script(source.replace('"predictions.csv:', f'"{name}:'))
