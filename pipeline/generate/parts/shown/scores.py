"""Scores of the test that a cell at the end prints: of probabilities, of classes, of numbers; thresholds, first few."""

from __future__ import annotations

import re

from pipeline.generate.parts.script import Script
from pipeline.generate.parts.shown.compared import Compared, compared_classes, compared_numbers, scored
from pipeline.generate.parts.tested import SCORES_OF_CLASSES
from pipeline.request.constraints import Constraint

_OF_NUMBERS = {
    "mae": ("mean_absolute_error", "mean absolute error"),
    "mse": ("mean_squared_error", "mean squared error"),
    "rmse": ("root_mean_squared_error", "root mean squared error"),
    "mape": ("mean_absolute_percentage_error", "mean absolute percentage error"),
    "r2": ("r2_score", "R2"),
}
_OF_PROBABILITIES = {"auc": ("roc_auc_score", "ROC AUC"), "pr_auc": ("average_precision_score", "PR AUC")}


def metric(script: Script, constraint: Constraint) -> Script | None:
    """Printed for the test."""
    name = constraint.value
    if name in _OF_PROBABILITIES:
        return _area(script, *_OF_PROBABILITIES[name])
    if name == "log_loss":
        return _log_loss(script)
    top = re.fullmatch(r"top_(\d+)_accuracy", name)
    if top is not None:
        return _top_accuracy(script, int(top[1]))
    if name in SCORES_OF_CLASSES or name == "accuracy":
        classes = compared_classes(script)
        function, options = SCORES_OF_CLASSES.get(name, ("accuracy_score", ""))
        return None if classes is None else _scored(script, classes, name.replace("_", " "), function, options)
    if name in _OF_NUMBERS:
        numbers = compared_numbers(script)
        function, words = _OF_NUMBERS[name]
        return None if numbers is None else _scored(script, numbers, words, function, "")
    return None


def _scored(script: Script, given: Compared, words: str, function: str, options: str) -> Script:
    cell = (
        f"# %% Evaluate: {words}\n"
        f"score = {function}({given.truth}, {given.predicted}{options})\n"
        f'print(f"{words}: {{score:.4f}}")\n'
    )
    return script.with_lines_at_end(cell).with_import(f"from sklearn.metrics import {function}")


def _area(script: Script, function: str, words: str) -> Script | None:
    given = scored(script)
    if given is None:
        return None
    cell = (
        f"# %% Evaluate: {words}\n"
        f"{given.lines}"
        "# Of two classes the second; else each against the others, if the test has some of it.\n"
        "columns = {1: probabilities[:, -1]} if probabilities.shape[1] <= 2 else dict(enumerate(probabilities.T))\n"
        "areas = {}\n"
        "for number, column in columns.items():\n"
        "    if 0 < np.mean(true_classes == number) < 1:\n"
        f"        areas[number] = {function}(true_classes == number, column)\n"
        f'print(f"{words}, mean of the classes: {{np.mean(list(areas.values())):.4f}}")\n'
    )
    changed = script.with_lines_at_end(cell).with_import(f"from sklearn.metrics import {function}")
    return changed.with_import("import numpy as np")


def _log_loss(script: Script) -> Script | None:
    given = scored(script)
    if given is None:
        return None
    cell = (
        "# %% Evaluate: log loss\n"
        f"{given.lines}"
        "told = np.column_stack([1 - probabilities, probabilities]) if probabilities.shape[1] == 1 else probabilities\n"
        "score = log_loss(true_classes, told, labels=range(told.shape[1]))\n"
        'print(f"log loss: {score:.4f}")\n'
    )
    changed = script.with_lines_at_end(cell).with_import("from sklearn.metrics import log_loss")
    return changed.with_import("import numpy as np")


def _top_accuracy(script: Script, number: int) -> Script | None:
    """By counting: scikit-learn's function refuses a test that lacks a class, and fewer classes than asked for."""
    given = scored(script)
    if given is None:
        return None
    cell = (
        f"# %% Evaluate: top-{number} accuracy\n"
        f"{given.lines}"
        f"TOP_K = {number}\n"
        "likeliest = np.argsort(-probabilities, axis=1)[:, :TOP_K]\n"
        f"top_{number}_accuracy = np.mean([label in row for label, row in zip(true_classes, likeliest, strict=True)])\n"
        f'print(f"top-{number} accuracy: {{top_{number}_accuracy:.4f}}")\n'
    )
    return script.with_lines_at_end(cell).with_import("import numpy as np")


def per(script: Script, constraint: Constraint) -> Script | None:
    """Precision, recall and F1 for each class by itself; errors of each target, or of each step of a forecast."""
    if constraint.value in ("class", "label", "category", "species", "tag", "finding", "genre", "language", "stage"):
        return report(script)
    if constraint.value in ("target", "output", "step", "horizon", "hour", "day"):
        return _per_output(script, constraint.value)
    return None


def report(script: Script) -> Script | None:
    """scikit-learn's report on the classes of the test."""
    classes = compared_classes(script)
    if classes is None:
        return None
    cell = (
        "# %% Evaluate: each class\n"
        f"print(classification_report({classes.truth}, {classes.predicted}, zero_division=0))\n"
    )
    return script.with_lines_at_end(cell).with_import("from sklearn.metrics import classification_report")


def _per_output(script: Script, noun: str) -> Script | None:
    numbers = compared_numbers(script)
    if numbers is None or ".ravel()" in numbers.truth:
        return None
    cell = (
        f"# %% Evaluate: each {noun}\n"
        f"true_values, predicted_values = np.asarray({numbers.truth}), np.asarray({numbers.predicted})\n"
        "errors = (true_values - predicted_values).reshape(len(true_values), -1)\n"
        f"error_per_{noun} = np.sqrt(np.mean(errors**2, axis=0))\n"
        f'print("root mean squared error of each {noun}:", np.round(error_per_{noun}, 4))\n'
    )
    return script.with_lines_at_end(cell).with_import("import numpy as np")


def threshold(script: Script, constraint: Constraint) -> Script | None:
    """The probability from which on the second of two classes is told: a number, or that with the best F1.

    The best one is looked for on the first half of what is held out, and tried on the other half."""
    given = scored(script)
    number = constraint.number
    if given is None or not _is_of_two(script, given.lines):
        return None
    if number is None and constraint.value != "best_f1":
        return None
    chosen = (
        f"THRESHOLD = {constraint.value}\n"
        if number is not None
        else "half = len(scores) // 2  # the threshold is chosen on one half and tried on the other\n"
        "precision, recall, thresholds = precision_recall_curve(true_classes[:half], scores[:half])\n"
        "f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-9)\n"
        "best_threshold = thresholds[f1[:-1].argmax()]\n"
    )
    name, part = ("THRESHOLD", "") if number is not None else ("best_threshold", "[half:]")
    cell = (
        "# %% Evaluate: threshold\n"
        f"{given.lines}"
        "scores = probabilities[:, -1]\n"
        f"{chosen}"
        f"told = (scores{part} >= {name}).astype(int)\n"
        f'print(f"from a probability of {{{name}:.3f}} on:")\n'
        f"print(classification_report(true_classes{part}, told, zero_division=0))\n"
    )
    changed = script.with_lines_at_end(cell).with_import("from sklearn.metrics import classification_report")
    if number is None:
        changed = changed.with_import("from sklearn.metrics import precision_recall_curve")
    return changed.with_import("import numpy as np")


def _is_of_two(script: Script, lines: str) -> bool:
    """Whether one probability is told for each example."""
    return "reshape(-1, 1)" in lines or '"binary_crossentropy"' in script.source
