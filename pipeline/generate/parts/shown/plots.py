"""Plots of what is held out: curves of scores, predictions against the truth, errors, what matters most.

Each is a cell at the end of a script that draws and saves a figure.
"""

from __future__ import annotations

import re

from pipeline.generate.parts.script import Script
from pipeline.generate.parts.shown.compared import compared_classes, compared_numbers, scored
from pipeline.generate.parts.shown.importance import feature_importance
from pipeline.request.constraints import Constraint

_SHOWN = "plt.show()\n"


def plot(script: Script, constraint: Constraint) -> Script | None:
    """The plot that the constraint names; None for one that nothing here draws, or that this test is none for."""
    if constraint.value in ("roc_curve", "pr_curve"):
        return _curve(script, constraint.value)
    if constraint.value == "confusion_matrix":
        return _confusion_matrix(script)
    if constraint.value in ("predictions", "residuals", "loss_histogram"):
        return _of_numbers(script, constraint.value)
    if constraint.value == "misclassified":
        return misclassified(script)
    if constraint.value == "feature_importance":
        return feature_importance(script)
    return None


_CURVES = {
    "roc_curve": (
        "roc_curve",
        "false_alarms, found, _ = roc_curve(true_classes == number, column)",
        "plt.plot(false_alarms, found, label=f\"class {number}\")",
        ("share of false alarms", "share that is found"),
    ),
    "pr_curve": (
        "precision_recall_curve",
        "precision, recall, _ = precision_recall_curve(true_classes == number, column)",
        "plt.plot(recall, precision, label=f\"class {number}\")",
        ("recall", "precision"),
    ),
}  # fmt: skip
"""By the plot: scikit-learn's function, a line that calls it for one class, a line that draws, what the axes are."""


def _curve(script: Script, name: str) -> Script | None:
    """A curve for each class against the others; one, where there are two classes."""
    given = scored(script)
    if given is None:
        return None
    function, called, drawn, (across, up) = _CURVES[name]
    cell = (
        f"# %% Show: {name.replace('_', ' ').replace('roc', 'ROC').replace('pr ', 'precision-recall ')}\n"
        f"{given.lines}"
        "# Of two classes the second; else each against the others, if the test has some of it.\n"
        "drawn = {1: probabilities[:, -1]} if probabilities.shape[1] <= 2 else dict(enumerate(probabilities.T))\n"
        "plt.figure()\n"
        "for number, column in drawn.items():\n"
        "    if 0 < np.mean(true_classes == number) < 1:\n"
        f"        {called}\n"
        f"        {drawn}\n"
        f'plt.xlabel("{across}")\n'
        f'plt.ylabel("{up}")\n'
        "plt.legend()\n"
        f'plt.savefig("{name}.png")\n'
        f"{_SHOWN}"
    )
    return _with_cell(script, cell, f"from sklearn.metrics import {function}", *given.imports)


def _confusion_matrix(script: Script) -> Script | None:
    classes = compared_classes(script)
    if classes is None:
        return None
    cell = (
        "# %% Show: confusion matrix\n"
        f"ConfusionMatrixDisplay.from_predictions({classes.truth}, {classes.predicted}, xticks_rotation=45)\n"
        "plt.tight_layout()\n"
        'plt.savefig("confusion_matrix.png")\n'
        f"{_SHOWN}"
    )
    return _with_cell(script, cell, "from sklearn.metrics import ConfusionMatrixDisplay")


def _of_numbers(script: Script, name: str) -> Script | None:
    numbers = compared_numbers(script)
    if numbers is None:
        return _errors_of_anomalies(script) if name == "loss_histogram" else None
    arrays = f"true_values, predicted_values = np.ravel({numbers.truth}), np.ravel({numbers.predicted})\nplt.figure()\n"
    if name == "residuals":
        drawn = (
            "residuals = true_values - predicted_values\n"
            "plt.scatter(predicted_values, residuals, s=8)\n"
            'plt.axhline(0, color="grey", linestyle=":")\n'
            'plt.xlabel("predicted")\n'
            'plt.ylabel("residual: true value less the predicted one")\n'
        )
    elif name == "loss_histogram":
        drawn = (
            "errors = np.abs(true_values - predicted_values)\n"
            "plt.hist(errors, bins=30)\n"
            'plt.xlabel("absolute error")\n'
            'plt.ylabel("how often")\n'
        )
    elif script.assigned("HORIZON") is not None or "HORIZON" in script.source:
        drawn = (
            'plt.plot(true_values[:200], label="truth")\n'
            'plt.plot(predicted_values[:200], label="forecast")\n'
            'plt.xlabel("step of the test, forecasts one behind the other")\n'
            "plt.legend()\n"
        )
    else:
        drawn = (
            "plt.scatter(true_values, predicted_values, s=8)\n"
            "limits = [true_values.min(), true_values.max()]\n"
            'plt.plot(limits, limits, color="grey", linestyle=":")\n'
            'plt.xlabel("true value")\n'
            'plt.ylabel("predicted value")\n'
        )
    head = f"# %% Show: {name.replace('loss_', 'error ').replace('_', ' ')}\n"
    return _with_cell(script, f'{head}{arrays}{drawn}plt.savefig("{name}.png")\n{_SHOWN}', "import numpy as np")


def _errors_of_anomalies(script: Script) -> Script | None:
    """How large the errors of the reconstruction are, and from where on they are flagged."""
    threshold = next((name for name in ("threshold", "THRESHOLD") if script.binds(name)), "")
    if not threshold or script.assigned("errors") is None:
        return None
    cell = (
        "# %% Show: histogram of errors\n"
        "plt.figure()\n"
        "plt.hist(np.asarray(errors), bins=50)\n"
        f'plt.axvline({threshold}, color="black", linestyle=":", label="threshold")\n'
        'plt.xlabel("reconstruction error")\n'
        'plt.ylabel("how often")\n'
        "plt.legend()\n"
        'plt.savefig("errors.png")\n'
        f"{_SHOWN}"
    )
    return _with_cell(script, cell, "import numpy as np")


_MOST_SHOWN = 10


def misclassified(script: Script, most: int = _MOST_SHOWN) -> Script | None:
    """The first examples of the test whose class is told wrong, with what the test knows of them."""
    classes = compared_classes(script)
    if classes is None:
        return None
    examples = _examples(script)
    shown = f'    print(f"{{{examples}[number]}}: true {{true[number]}}, predicted {{told[number]}}")\n'
    if not examples:
        shown = '    print(f"example {number} of the test: true {true[number]}, predicted {told[number]}")\n'
    cell = (
        "# %% Show: misclassified examples\n"
        f"NUM_SHOWN = {most}\n"
        f"true, told = np.asarray({classes.truth}), np.asarray({classes.predicted})\n"
        "misclassified = np.flatnonzero(true != told)\n"
        'print(f"misclassified: {len(misclassified)} of {len(true)}")\n'
        "for number in misclassified[:NUM_SHOWN]:\n"
        f"{shown}"
    )
    drawn = (
        "if len(misclassified):\n"
        "    pairs, counts = np.unique([f\"{true[n]} as {told[n]}\" for n in misclassified], return_counts=True)\n"
        "    plt.figure()\n"
        "    plt.barh(pairs, counts)\n"
        '    plt.xlabel("misclassified examples")\n'
        "    plt.tight_layout()\n"
        '    plt.savefig("misclassified.png")\n'
        "    plt.show()\n"
    )  # fmt: skip
    return _with_cell(script, cell + drawn, "import numpy as np")


def _examples(script: Script) -> str:
    """An array of what the test's examples are: texts or files, one a class."""
    for name in ("test_texts", "test_paths", "test_files"):
        if script.binds(name) and re.search(rf"^{name}\b|, {name}\b", script.source, re.MULTILINE):
            return f"np.asarray({name})"
    return ""


def _with_cell(script: Script, cell: str, *imports: str) -> Script:
    changed = script.with_lines_at_end(cell)
    for line in (*imports, "import matplotlib.pyplot as plt"):
        changed = changed.with_import(line)
    return changed
