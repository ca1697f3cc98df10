"""Parts of the results: metrics, curves and reports, and what is saved."""

from __future__ import annotations

import ast
import re

from pipeline.generate.parts.script import Script, keyword_of
from pipeline.generate.parts.shown import plots, scores
from pipeline.generate.parts.tested import judged, outputs_of, test_metric, tested_by
from pipeline.request.constraints import Constraint

_OF_NUMBERS = {
    "mae": '"mae"',
    "mse": '"mse"',
    "mape": '"mape"',
    "rmse": "keras.metrics.RootMeanSquaredError(name=\"rmse\")",
    "r2": "keras.metrics.R2Score(name=\"r2\")",
}  # fmt: skip

_OF_CLASSES = {
    "accuracy": '"accuracy"',
    "auc": 'keras.metrics.AUC(name="auc")',
    "pr_auc": 'keras.metrics.AUC(curve="PR", name="pr_auc")',
    "precision": 'keras.metrics.Precision(name="precision")',
    "recall": 'keras.metrics.Recall(name="recall")',
}

_CLASS_LOSSES = ("binary_crossentropy", "categorical_crossentropy")
"""With labels as the metrics of classes take them: one probability, or one for each class."""

_NUMBER_LOSSES = frozenset(
    ("mse", "mae", "huber", "mean_squared_error", "mean_absolute_error", "log_cosh", "mean_absolute_percentage_error")
)


def metric(script: Script, constraint: Constraint) -> Script | None:
    """In `compile`, so that training, validation and test show it; what Keras cannot count there, of the test."""
    if constraint.value in _OF_IMAGES:
        return _image_metric(script, constraint.value)
    compiled = script.model_call("compile")
    metrics = keyword_of(compiled, "metrics") if compiled is not None else None
    loss = keyword_of(compiled, "loss") if compiled is not None else None
    if compiled is None or not isinstance(loss, ast.Constant):
        return scores.metric(script, constraint)
    added = None
    if loss.value in _CLASS_LOSSES:
        added = _OF_CLASSES.get(constraint.value) or _f1(constraint.value, str(loss.value))
    elif loss.value in _NUMBER_LOSSES:
        added = _OF_NUMBERS.get(constraint.value)
    top = re.fullmatch(r"top_(\d+)_accuracy", constraint.value)
    if top is not None and str(loss.value).endswith("categorical_crossentropy"):
        kind = "Sparse" if str(loss.value).startswith("sparse") else ""
        added = f'keras.metrics.{kind}TopKCategoricalAccuracy(k={top[1]}, name="top_{top[1]}_accuracy")'
    if added is None:
        return test_metric(script, constraint.value) or scores.metric(script, constraint)
    if isinstance(metrics, ast.List):
        return _in_every_compile(script, ast.unparse(metrics), added)
    if metrics is None:
        return script.with_keyword(compiled, "metrics", f"[{added}]")
    return scores.metric(script, constraint)


_OF_IMAGES = {"psnr": "Peak signal-to-noise ratio in decibels", "ssim": "Structural similarity, 1 for equal images"}


def _image_metric(script: Script, name: str) -> Script | None:
    """TensorFlow's own measures of two images, whose values lie between 0 and 1."""
    compiled = script.model_call("compile")
    metrics = keyword_of(compiled, "metrics") if compiled is not None else None
    if compiled is None or "/ 255" not in script.source or not isinstance(metrics, ast.List | None):
        return None
    lines = (
        f"def {name}(truth, images):\n"
        f'    """{_OF_IMAGES[name]}."""\n'
        f"    return tf.image.{name}(truth, images, max_val=1.0)\n\n\n"
    )
    if metrics is None:
        changed = script.with_keyword(compiled, "metrics", f"[{name}]")
    else:
        changed = script.with_element(metrics, name)
    again = changed.model_call("compile")
    return None if again is None else changed.with_lines_before(again, lines).with_import("import tensorflow as tf")


def _in_every_compile(script: Script, metrics: str, added: str) -> Script:
    """With one more metric wherever the model is compiled with these: once more for fine-tuning."""
    for call in reversed(script.calls("compile")):
        there = keyword_of(call, "metrics")
        if isinstance(there, ast.List) and ast.unparse(there) == metrics:
            script = script.with_element(there, added)
    return script


def plot(script: Script, constraint: Constraint) -> Script | None:
    """A cell at the end that draws and saves."""
    if constraint.value == "learning_curves":
        return _learning_curves(script)
    test = judged(script)
    if test is not None and constraint.value == "confusion_matrix":
        drawn = "ConfusionMatrixDisplay.from_predictions(true_classes, guessed_classes)"
        return _drawn(script, test.classes, "confusion matrix", drawn)
    return plots.plot(script, constraint)


def report(script: Script, constraint: Constraint) -> Script | None:
    """scikit-learn's report on the test's classes; the model's layers."""
    if constraint.value == "model_summary":
        fit = script.model_call("compile")
        return None if fit is None else script.with_lines_before(fit, "model.summary()\n")
    test = judged(script)
    if constraint.value != "classification_report":
        return None
    if test is None:
        return scores.report(script)
    printed = "print(classification_report(true_classes, guessed_classes))\n"
    cell = f"# %% Show: classification report\n{test.classes}{printed}"
    changed = script.with_lines_at_end(cell).with_import("from sklearn.metrics import classification_report")
    return changed.with_import("import numpy as np")


def model_file(script: Script, constraint: Constraint) -> Script | None:
    """The trained model under the asked name; of a GAN, its generator."""
    fit = script.model_call("fit")
    if fit is None:
        return None
    name = "model.keras" if constraint.value == "true" else constraint.value.replace("\\", "/").rpartition("/")[2]
    if not name.endswith((".keras", ".h5")):
        return None
    checkpoints = script.calls("ModelCheckpoint")
    if checkpoints and checkpoints[0].args and "best" in name:  # saving the last state would overwrite the best one
        return script.replaced(checkpoints[0].args[0], repr(name))
    saved = "model"
    if script.has_model_class():  # Keras saves no model of a class that it does not know
        saved = "generator"
        if script.assigned(saved) is None:
            return None
    return script.with_lines_at_end(f"# %% Save\n{saved}.save({name!r})\n")


def predictions_file(script: Script, constraint: Constraint) -> Script | None:
    """The model's outputs for the test, a row an example, as CSV."""
    tested = tested_by(script)
    name = "predictions.csv" if constraint.value == "true" else constraint.value.replace("\\", "/").rpartition("/")[2]
    is_input = "sample_sub" in name.lower()  # sample_submission.csv shows the form, and is the user's
    if tested is None or not name.endswith(".csv") or is_input:
        return None
    cell = (
        "# %% Save: predictions for the test, a row an example\n"
        f"{outputs_of(tested)}"
        f'np.savetxt({name!r}, outputs.reshape(len(outputs), -1), delimiter=",")\n'
    )
    return script.with_lines_at_end(cell).with_import("import numpy as np")


def _f1(value: str, loss: str) -> str | None:
    averages = {"f1": "macro", "macro_f1": "macro", "micro_f1": "micro", "weighted_f1": "weighted"}
    if value not in averages:
        return None
    threshold = ", threshold=0.5" if loss == "binary_crossentropy" else ""
    return f'keras.metrics.F1Score(average="{averages[value]}"{threshold}, name="f1")'


def _learning_curves(script: Script) -> Script | None:
    fit = script.model_call("fit")
    statement = script.statement_of(fit) if fit is not None else None
    if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
        return None
    history = statement.targets[0].id
    cell = (
        "# %% Show: learning curves\n"
        "plt.figure()\n"
        f"for name in {history}.history:\n"
        '    if "loss" in name:\n'
        f"        plt.plot({history}.history[name], label=name)\n"
        'plt.xlabel("epoch")\n'
        "plt.legend()\n"
        'plt.savefig("learning_curves.png")\n'
    )
    return script.with_lines_at_end(cell).with_import("import matplotlib.pyplot as plt")


def _drawn(script: Script, lines: str, what: str, drawn: str) -> Script:
    display = drawn.partition(".")[0]
    cell = f'# %% Show: {what}\n{lines}{drawn}\nplt.savefig("{what.replace(" ", "_")}.png")\n'
    changed = script.with_lines_at_end(cell).with_import(f"from sklearn.metrics import {display}")
    return changed.with_import("import numpy as np").with_import("import matplotlib.pyplot as plt")
