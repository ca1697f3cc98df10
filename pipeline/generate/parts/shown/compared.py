"""What a script compares in its test, as code that a cell at its end can use: truth and prediction, probabilities.

Samples print a metric of scikit-learn of what they hold out; its arguments name both sides. Probabilities are what the
sample's own `predict` takes classes from.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.generate.parts.script import Script, name_of
from pipeline.generate.parts.tested import judged
from pipeline.torch.facts import imports_torch

_OF_CLASSES = (
    "classification_report",
    "accuracy_score",
    "balanced_accuracy_score",
    "f1_score",
    "confusion_matrix",
    "from_predictions",
)
_OF_NUMBERS = ("mean_absolute_error", "mean_squared_error", "root_mean_squared_error", "r2_score")

_PREDICTED = re.compile(r"pred|forecast|guess|outputs", re.IGNORECASE)
_BASELINES = re.compile(r"\b(?:always|baseline|frequent|most_frequent|commonest|usual|median|zeros|full)\b")

_NAMES_OF_CLASSES = re.compile(r"(?:\w*names|\w+\.classes_)")


@dataclass(frozen=True, slots=True)
class Compared:
    """Truth and prediction of what is held out, as expressions."""

    truth: str
    predicted: str


def compared_classes(script: Script) -> Compared | None:
    """The classes of the test and those that are told, names or numbers alike on both sides."""
    return _compared(script, _OF_CLASSES)


def compared_numbers(script: Script) -> Compared | None:
    """The numbers of the test and those that are predicted, in the units of the data."""
    return _compared(script, _OF_NUMBERS)


def _compared(script: Script, metrics: tuple[str, ...]) -> Compared | None:
    """Both sides of the first of the metrics that is given predictions, and neither a baseline's nor one target's."""
    for call in _calls_outside(script, metrics):
        if len(call.args) < 2:
            continue
        truth, predicted = script.text(call.args[0]), script.text(call.args[1])
        is_baseline = _BASELINES.search(predicted) or not _PREDICTED.search(predicted)
        if not is_baseline and ">" not in predicted and "[target]" not in truth:
            return Compared(truth, predicted)
    return None


def _calls_outside(script: Script, names: tuple[str, ...]) -> Iterator[ast.Call]:
    """Calls that no function and no loop holds: what they are given is known at the end of the script."""
    for call in script.calls(*names):
        statement = script.statement_of(call)
        if not isinstance(statement, ast.FunctionDef | ast.ClassDef | ast.For | ast.While | ast.With | None):
            yield call


@dataclass(frozen=True, slots=True)
class Scored:
    """Lines that give `true_classes` (numbers) and `probabilities` (examples, classes); one column of the rarer or
    second class where there are two classes and one output."""

    lines: str
    imports: tuple[str, ...] = ("import numpy as np",)


def scored(script: Script) -> Scored | None:
    """Probabilities of the test; None where it is not seen how the script comes by them."""
    if imports_torch(script.source):
        return _in_torch(script)
    return _in_keras(script) or _of_two(script)


def _in_keras(script: Script) -> Scored | None:
    test = judged(script)
    if test is None or not test.outputs:
        return None
    truth = "np.ravel(answers).astype(int)"
    if test.loss == "categorical_crossentropy" and "np.asarray(test_labels)" not in test.outputs:
        truth = "np.ravel(answers.argmax(axis=-1))"
    lines = f"{test.outputs}true_classes = {truth}\nprobabilities = outputs.reshape(len(true_classes), -1)\n"
    return Scored(lines)


def _in_torch(script: Script) -> Scored | None:
    classes = compared_classes(script)
    of_two = _of_two(script)
    if of_two is not None or classes is None:
        return of_two
    truth, argument = _as_numbers(script, classes.truth), _predicted_argument(script, classes.predicted)
    function = _predict(script)
    if truth is None or argument is None or function is None:
        return None
    body = _with_probabilities(script, function)
    if body is None:
        return None
    lines = (
        f"{body}\n\ntrue_classes = np.asarray({truth}).astype(int)\nprobabilities = class_probabilities({argument})\n"
    )
    return Scored(lines)


def _of_two(script: Script) -> Scored | None:
    binary = _scores_of_two(script)
    if binary is None:
        return None
    return Scored(
        f"true_classes = np.asarray({binary.truth}).astype(int)\n"
        f"probabilities = np.asarray({binary.predicted}).reshape(-1, 1)\n"
    )


def _scores_of_two(script: Script) -> Compared | None:
    """The score of one class against the other, of `roc_auc_score(y_test, scores)`, or of `scores >= threshold`."""
    for call in _calls_outside(script, ("classification_report", "accuracy_score", "roc_auc_score", "f1_score")):
        if len(call.args) < 2:
            continue
        truth, predicted = call.args[:2]
        if name_of(call) == "roc_auc_score" and isinstance(predicted, ast.Name):
            return Compared(script.text(truth), predicted.id)
        is_compared = isinstance(predicted, ast.Compare) and isinstance(predicted.ops[0], ast.Gt | ast.GtE)
        if is_compared and isinstance(predicted, ast.Compare) and isinstance(predicted.left, ast.Name):
            return Compared(script.text(truth), predicted.left.id)
    return None


def _as_numbers(script: Script, truth: str) -> str | None:
    """Numbers of classes for what may be their names: `names[y_test]` is `y_test` by name."""
    named = re.fullmatch(rf"{_NAMES_OF_CLASSES.pattern}\[([\w.]+)\]", truth)
    if named is not None:
        return named[1]
    if re.fullmatch(r"\w*(?:y|labels|y_test|test_labels)", truth):
        return truth
    if truth == "test[TARGET]" and script.binds("encoder"):
        return "encoder.transform(test[TARGET])"
    return None


def _predicted_argument(script: Script, predicted: str) -> str | None:
    """What `predict` is given for the test: of `predict(x_test)`, or of the name that it is assigned to."""
    called = re.fullmatch(rf"(?:{_NAMES_OF_CLASSES.pattern}\[)?(\w+)(?:\((\w+)\))?\]?", predicted)
    if called is None:
        return None
    if called[2]:
        return called[2] if called[1] == "predict" else None
    value = script.assigned(called[1])
    if isinstance(value, ast.Call) and name_of(value) == "predict" and len(value.args) == 1:
        return script.text(value.args[0])
    return None


def _predict(script: Script) -> ast.FunctionDef | None:
    for node in script.tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == "predict" and len(node.args.args) == 1:
            return node
    return None


def _with_probabilities(script: Script, function: ast.FunctionDef) -> str | None:
    """The function once more, as `class_probabilities`: softmax in the place of the largest output, and no names."""
    returned = function.body[-1]
    if not isinstance(returned, ast.Return) or returned.value is None:
        return None
    numbers = _without_names(returned.value)
    lines = script.source.split("\n")[function.lineno : returned.lineno - 1]
    docstring = function.body[0]
    if isinstance(docstring, ast.Expr) and isinstance(docstring.value, ast.Constant):
        lines = script.source.split("\n")[docstring.end_lineno : returned.lineno - 1]
    text = script.text(numbers).removesuffix(".tolist()")
    body = "\n".join([*lines, f"    return {text}"])
    if body.count(".argmax(dim=1)") != 1:
        return None
    body = body.replace(".argmax(dim=1)", ".softmax(dim=1)")
    if not re.search(r"\.numpy\(\)\]?$", body):
        body = body.replace(f"return {text.replace('.argmax(dim=1)', '.softmax(dim=1)')}", "return np.asarray(")
        body += text.replace(".argmax(dim=1)", ".softmax(dim=1)") + ")"
    parameter = function.args.args[0].arg
    head = f'@torch.no_grad()\ndef class_probabilities({parameter}):\n    """The probability of each class."""\n'
    return head + body + "\n"


def _without_names(value: ast.expr) -> ast.expr:
    """The numbers of classes inside of what makes names of them."""
    if isinstance(value, ast.Subscript) and _NAMES_OF_CLASSES.search(ast.unparse(value.value)):
        return value.slice
    if isinstance(value, ast.Call) and name_of(value) == "inverse_transform" and len(value.args) == 1:
        return value.args[0]
    if isinstance(value, ast.ListComp) and isinstance(value.elt, ast.Subscript):
        return value.generators[0].iter
    return value
