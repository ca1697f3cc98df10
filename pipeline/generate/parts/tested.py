"""What a Keras script tests its classifier with, and metrics of it that Keras does not count in training."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from pipeline.generate.parts.script import Script, name_of

SCORES_OF_CLASSES = {
    "f1": ("f1_score", ', average="macro"'),
    "macro_f1": ("f1_score", ', average="macro"'),
    "micro_f1": ("f1_score", ', average="micro"'),
    "weighted_f1": ("f1_score", ', average="weighted"'),
    "precision": ("precision_score", ', average="macro", zero_division=0'),
    "recall": ("recall_score", ', average="macro", zero_division=0'),
    "balanced_accuracy": ("balanced_accuracy_score", ""),
    "cohen_kappa": ("cohen_kappa_score", ""),
    "mcc": ("matthews_corrcoef", ""),
}
"""By a constraint's value: scikit-learn's function, and what it is given beside true and guessed classes. In PyTorch
scripts too."""

_OF_OUTPUTS = {
    "auc": ("roc_auc_score", "ROC AUC"),
    "pr_auc": ("average_precision_score", "PR AUC"),
}
"""The same of one class against the others, by its probability."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The test of a classifier."""

    loss: str
    outputs: str
    """Lines that give `outputs` and `answers`; "" where only classes are known."""
    classes: str
    """Lines that give `true_classes` and `guessed_classes`, one for each example (or place of one)."""


def judged(script: Script) -> Judged | None:
    """The test of a script that compiles a cross-entropy; None where it is not seen what is tested."""
    tested = tested_by(script)
    loss = script.compiled("loss")
    if not isinstance(loss, ast.Constant) or not str(loss.value).endswith("crossentropy"):
        return None
    if script.binds("test_labels"):
        predictions = next((name for name in ("test_predictions", "predictions") if script.binds(name)), "")
        if predictions and not _are_numbers(script, predictions):
            predictions = ""
        outputs = tested.answers + outputs_of(tested) if tested is not None else _outputs_of_labels(script)
        if predictions:
            classes = f"true_classes, guessed_classes = np.asarray(test_labels), np.asarray({predictions})\n"
            return Judged(str(loss.value), outputs, classes)
        if tested is None and outputs and "def predicted_classes(" in script.source:
            classes = "true_classes, guessed_classes = np.asarray(test_labels), predicted_classes(outputs)\n"
            return Judged(str(loss.value), outputs, outputs + classes)
    if tested is None:
        return None
    true, guessed = "answers.argmax(axis=-1)", "outputs.argmax(axis=-1)"
    if loss.value == "binary_crossentropy":
        true, guessed = "answers.astype(int)", "(outputs > 0.5).astype(int)"
    elif str(loss.value).startswith("sparse"):
        true = "answers"
    classes = f"true_classes = np.ravel({true})\nguessed_classes = np.ravel({guessed})\n"
    outputs = tested.answers + outputs_of(tested)
    return Judged(str(loss.value), outputs, outputs + classes)


def _are_numbers(script: Script, predictions: str) -> bool:
    """Whether the predictions of the test are numbers of classes, as the labels are."""
    value = script.assigned(predictions)
    if predictions == "test_predictions" and not (isinstance(value, ast.Call) and name_of(value) == "predict"):
        return True
    return isinstance(value, ast.Call) and name_of(value) == "predicted_classes"


def _outputs_of_labels(script: Script) -> str:
    """Lines that give `outputs` and `answers`, where the script predicts what is held out and keeps its labels."""
    for call in script.calls("predict"):
        of_model = ast.unparse(call.func) == "model.predict" and bool(call.args)
        inside = isinstance(script.statement_of(call), ast.FunctionDef | ast.ClassDef)
        if of_model and not inside and isinstance(call.args[0], ast.Name) and "test" in call.args[0].id:
            return f"answers = np.asarray(test_labels)\noutputs = model.predict({call.args[0].id}, verbose=0)\n"
    return ""


@dataclass(frozen=True, slots=True)
class Tested:
    """What `model.evaluate` takes: arrays, or a pipeline of batches."""

    examples: str
    answers: str
    """A line that gives `answers`."""


def tested_by(script: Script) -> Tested | None:
    evaluated = script.model_call("evaluate")
    if evaluated is None and script.binds("x_test") and script.binds("y_test"):
        return Tested("x_test", "answers = np.asarray(y_test)\n")
    names = [argument.id for argument in evaluated.args if isinstance(argument, ast.Name)] if evaluated else []
    if evaluated is None or len(names) != len(evaluated.args) or not names:
        return None
    if len(names) == 1:
        return Tested(names[0], f"answers = np.concatenate([batch[1] for batch in {names[0]}])\n")
    return Tested(names[0], f"answers = np.asarray({names[1]})\n")


def outputs_of(tested: Tested) -> str:
    return f"outputs = model.predict({tested.examples}, verbose=0)\n"


def test_metric(script: Script, name: str) -> Script | None:
    """A cell at the end that prints the metric of the test."""
    test = judged(script)
    if test is None:
        return None
    if name in SCORES_OF_CLASSES:
        function, options = SCORES_OF_CLASSES[name]
        lines = _scored_classes(test.classes, name, function, options)
        return _printed(script, lines, name, function)
    if name == "log_loss" and test.outputs and test.loss != "binary_crossentropy":
        shown = "log_loss(true_classes, outputs, labels=range(outputs.shape[-1]))"
        lines = f'{_all(test)}print(f"log loss: {{{shown}:.4f}}")\n'
        return _printed(script, lines, name, "log_loss")
    if name not in _OF_OUTPUTS or not test.outputs:
        return None
    function, words = _OF_OUTPUTS[name]
    if test.loss == "binary_crossentropy":
        lines = f'{test.outputs}print(f"{words}: {{{function}(np.ravel(answers), np.ravel(outputs)):.4f}}")\n'
        return _printed(script, lines, name, function)
    lines = (
        f"{_all(test)}"
        "# Each class against the others; one that the test lacks has no curve.\n"
        "counted = [number for number in range(outputs.shape[-1]) if 0 < np.mean(true_classes == number) < 1]\n"
        f"areas = [{function}(true_classes == number, outputs[:, number]) for number in counted]\n"
        f'print(f"{words}, mean of the classes: {{np.mean(areas):.4f}}")\n'
    )
    return _printed(script, lines, name, function)


def _all(test: Judged) -> str:
    """Lines that give classes and outputs."""
    return test.classes if test.outputs in test.classes else test.outputs + test.classes


def _scored_classes(classes: str, name: str, function: str, options: str) -> str:
    """The score has a line of its own: quotes inside an f-string's braces need Python 3.12."""
    words = name.replace("_", " ")
    scored = f"score = {function}(true_classes, guessed_classes{options})\n"
    return f'{classes}{scored}print(f"{words}: {{score:.4f}}")\n'


def _printed(script: Script, lines: str, name: str, function: str) -> Script:
    cell = f"# %% Evaluate: {name.replace('_', ' ')}\n{lines}"
    changed = script.with_lines_at_end(cell).with_import(f"from sklearn.metrics import {function}")
    return changed.with_import("import numpy as np")
