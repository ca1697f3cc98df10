"""Parts of the results of PyTorch scripts: metrics, curves and reports of the test, and what is saved."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from pipeline.generate.parts.script import Script, name_of
from pipeline.generate.parts.tested import SCORES_OF_CLASSES
from pipeline.request.constraints import Constraint
from pipeline.syntax import walk

_OF_CLASSES = (
    "from_predictions",
    "accuracy_score",
    "balanced_accuracy_score",
    "classification_report",
    "f1_score",
    "confusion_matrix",
)
_OF_NUMBERS = ("mean_absolute_error", "mean_squared_error", "r2_score", "root_mean_squared_error")

_METRICS = {
    **SCORES_OF_CLASSES,
    "accuracy": ("accuracy_score", ""),
    "pr_auc": ("average_precision_score", ""),
    "auc": ("roc_auc_score", ""),
    "mae": ("mean_absolute_error", ""),
    "mse": ("mean_squared_error", ""),
    "rmse": ("root_mean_squared_error", ""),
    "mape": ("mean_absolute_percentage_error", ""),
    "r2": ("r2_score", ""),
}
"""By a constraint's value: scikit-learn's function, and what it is given beside truth and prediction."""

_OF_SCORES = frozenset({"auc", "pr_auc"})
_NUMBER_METRICS = frozenset({"mae", "mse", "rmse", "mape", "r2"})


@dataclass(frozen=True, slots=True)
class _Tested:
    """What the test compares, as code."""

    truth: str
    predicted: str
    of_classes: bool


def metric(script: Script, constraint: Constraint) -> Script | None:
    """Printed for the test, beside what the script prints of it."""
    tested = _tested(script)
    if tested is not None and constraint.value in _OF_SCORES:
        tested = _with_scores(script, tested)
    if tested is None or constraint.value not in _METRICS or (constraint.value in _NUMBER_METRICS) is tested.of_classes:
        return None
    function, further = _METRICS[constraint.value]
    name = constraint.value.replace("_", " ")
    value = f"{function}({tested.truth}, {tested.predicted}{further})"
    cell = f'# %% Evaluate: {name}\nprint("{name}:", round({value}, 4))\n'
    return script.with_lines_at_end(cell).with_import(f"from sklearn.metrics import {function}")


def plot(script: Script, constraint: Constraint) -> Script | None:
    """A cell at the end that draws and saves."""
    if constraint.value == "learning_curves":
        return _learning_curves(script)
    tested = _tested(script)
    if constraint.value != "confusion_matrix" or tested is None or not tested.of_classes:
        return None
    cell = (
        "# %% Show: confusion matrix\n"
        f"ConfusionMatrixDisplay.from_predictions({tested.truth}, {tested.predicted})\n"
        'plt.savefig("confusion_matrix.png")\n'
        "plt.show()\n"
    )
    changed = script.with_lines_at_end(cell).with_import("from sklearn.metrics import ConfusionMatrixDisplay")
    return changed.with_import("import matplotlib.pyplot as plt")


def report(script: Script, constraint: Constraint) -> Script | None:
    """scikit-learn's report on the test's classes."""
    tested = _tested(script)
    if constraint.value != "classification_report" or tested is None or not tested.of_classes:
        return None
    printed = f"print(classification_report({tested.truth}, {tested.predicted}, zero_division=0))"
    cell = f"# %% Evaluate: classes\n{printed}\n"
    return script.with_lines_at_end(cell).with_import("from sklearn.metrics import classification_report")


def model_file(script: Script, constraint: Constraint) -> Script | None:
    """The best weights under the asked name."""
    name = "model.pt" if constraint.value == "true" else constraint.value.replace("\\", "/").rpartition("/")[2]
    if not name.endswith((".pt", ".pth")) or script.assigned("model") is None:
        return None
    return script.with_lines_at_end(f"# %% Save\ntorch.save(model.state_dict(), {name!r})\n".replace("'", '"'))


def _with_scores(script: Script, tested: _Tested) -> _Tested | None:
    """The test with probabilities instead of classes, where classes are taken from them: `predicted = scores > 0.5`."""
    predicted = script.assigned(tested.predicted)
    for node in walk(predicted) if predicted is not None else ():
        if not isinstance(node, ast.Compare) or not isinstance(node.ops[0], ast.Gt | ast.GtE):
            continue
        if isinstance(node.left, ast.Name):
            return _Tested(tested.truth, node.left.id, True)
    return None


def _learning_curves(script: Script) -> Script | None:
    history = script.assigned("history")
    if not isinstance(history, ast.Dict):
        return None
    cell = (
        "# %% Show: learning curves\n"
        "plt.figure()\n"
        "for name in history:\n"
        '    plt.plot(history[name], label=name.replace("_", " "))\n'
        'plt.xlabel("epoch")\n'
        "plt.legend()\n"
        'plt.savefig("learning_curves.png")\n'
        "plt.show()\n"
    )
    return script.with_lines_at_end(cell).with_import("import matplotlib.pyplot as plt")


def _tested(script: Script) -> _Tested | None:
    """What a metric of scikit-learn compares outside of functions: the truth, and what the network predicts."""
    for call in script.calls(*_OF_CLASSES, *_OF_NUMBERS):
        statement = script.statement_of(call)
        if len(call.args) < 2 or isinstance(statement, ast.FunctionDef | ast.ClassDef | ast.For | None):
            continue
        truth, predicted = (script.text(argument) for argument in call.args[:2])
        if "pred" in predicted:
            return _Tested(truth, predicted, name_of(call) in _OF_CLASSES)
    return None
