"""A project adapted to a target: constants, label encoding, output layer, compile and fit arguments.

Edits are made in the sample's own idiom: a value that has a constant is set there, a literal
argument in place. What the project computes by code of its own (a custom loss, a training step)
stays.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from pipeline.generate.symbolic.constants import assigned_names, constant_edits
from pipeline.generate.symbolic.notebook import Notebook
from pipeline.generate.symbolic.statement import Edit, Statement, edit_statement
from pipeline.generate.symbolic.target import LABELLED, NUMBER_LOSSES, Target
from pipeline.generate.symbolic.torch.adapting import is_torch, torch_edits
from pipeline.plan.vocabulary import canonical_loss
from pipeline.syntax import walk

_DEFAULT_LEARNING_RATE = 0.001
"""Keras' own default for Adam and RMSprop, written out where the plan names an optimizer without a rate."""


@dataclass(frozen=True, slots=True)
class _Encoding:
    """The body of a function that encodes labels."""

    docstring: str

    result: str
    """The expression it returns; `{0}` is its argument."""


_ENCODINGS = {
    ("encode_labels", "sparse"): _Encoding(
        "Integer labels, the form sparse categorical cross-entropy expects.",
        'np.asarray({0}, dtype="int64")',
    ),
    ("encode_labels", "one_hot"): _Encoding(
        "One-hot labels: one column per class.",
        "keras.utils.to_categorical({0}, NUM_CLASSES)",
    ),
    ("encode_labels", "column"): _Encoding(
        "Zero or one in a column, the form of a single output.",
        'np.asarray({0}, dtype="float32").reshape(-1, 1)',
    ),
    ("encode_masks", "sparse"): _Encoding(
        "Class numbers, the form sparse categorical cross-entropy expects.",
        'np.asarray({0}, dtype="int32")',
    ),
    ("encode_masks", "one_hot"): _Encoding(
        "One-hot pixels: one channel per class.",
        "keras.utils.to_categorical({0}, NUM_CLASSES)",
    ),
    ("encode_masks", "column"): _Encoding(
        "Zero or one per pixel with a channel axis, the form of a single output.",
        'np.asarray({0}, dtype="float32")[..., np.newaxis]',
    ),
}
"""How the bundled samples encode labels (docs/starter.md), by the function's name and the form of the labels."""


def adapt(notebook: Notebook, target: Target) -> Notebook:
    """The notebook with the target's values wherever the sample has one of that kind."""
    constants: set[str] = set()
    for statement in notebook.statements:
        constants.update(assigned_names(statement))
    adapter = _Adapter(target, frozenset(constants), _keras_prefix(notebook))
    of_torch = is_torch(notebook)
    output = _output_layer(notebook) if target.labels and not of_torch else None
    statements: list[Statement] = []
    for statement in notebook.statements:
        if of_torch:
            edits = list(torch_edits(statement, target, frozenset(constants)))
        else:
            edits = list(adapter.edits(statement))
        if output is not None and statement is output.statement:
            edits += adapter.output_edits(output.call)
        statements.append(edit_statement(statement, edits))
    adapted = replace(notebook, title=target.title, statements=tuple(statements))
    if of_torch or "NUM_CLASSES" in constants:
        return adapted
    return _with_class_count(adapted, target)


class _Adapter:
    """Finds what has to change in a project's statements.

    `constants` are the names the project assigns; `keras` is how it reaches Keras' modules ("keras." or "tf.keras.").
    """

    def __init__(self, target: Target, constants: frozenset[str], keras: str) -> None:
        self._target = target
        self._constants = constants
        self._keras = keras

    def edits(self, statement: Statement) -> Iterator[Edit]:
        """The edits of one statement, the output layer's aside."""
        node, source = statement.node, statement.source
        if isinstance(node, ast.Assign):
            yield from constant_edits(node, self._target, self._constants)
        if isinstance(node, ast.FunctionDef) and (node.name, self._target.labels) in _ENCODINGS:
            yield from self._encoding_edits(node)
        elif ".compile(" in source:
            for call in _method_calls(node, "compile"):
                yield from self._compile_edits(call)
        elif ".fit(" in source or ".fit_generator(" in source:
            for call in [*_method_calls(node, "fit"), *_method_calls(node, "fit_generator")]:
                yield from self._fit_edits(call)

    def output_edits(self, call: ast.Call) -> Iterator[Edit]:
        """The last layer's units and activation, to go with the labels."""
        if self._target.labels == "column":
            units = "1"
        else:
            units = self._setting("NUM_CLASSES", self._target.facts.classes)
        if units != "None" and ast.unparse(call.args[0]) != units:
            yield call.args[0], units
        for keyword in call.keywords:
            if keyword.arg == "activation" and ast.unparse(keyword.value) != repr(self._target.activation):
                yield keyword.value, f'"{self._target.activation}"'

    def _setting(self, constant: str, value: object) -> str:
        """Code for a value: the constant's name where the project has that constant."""
        if constant in self._constants:
            return constant
        return repr(value)

    def _encoding_edits(self, node: ast.FunctionDef) -> Iterator[Edit]:
        """A new docstring and result, where the function is no more than these two."""
        encoding = _ENCODINGS[node.name, self._target.labels]
        argument = node.args.args[0].arg if node.args.args else "labels"
        result = node.body[-1]
        if len(node.body) == 2 and isinstance(result, ast.Return) and result.value is not None:
            yield node.body[0], f'"""{encoding.docstring}"""'
            yield result.value, encoding.result.format(argument)

    def _compile_edits(self, call: ast.Call) -> Iterator[Edit]:
        arguments = {keyword.arg: keyword.value for keyword in call.keywords}
        optimizer, loss, metrics = arguments.get("optimizer"), arguments.get("loss"), arguments.get("metrics")
        if optimizer is not None and self._target.optimizer and not self._has_optimizer(optimizer):
            rate = _own_rate(optimizer) or self._learning_rate()
            yield optimizer, f"{self._keras}optimizers.{self._target.optimizer}(learning_rate={rate})"
        if loss is not None and self._may_change_loss(loss):
            yield loss, f'"{self._target.loss}"'
        if isinstance(metrics, ast.List) and len(metrics.elts) == 1:
            metric = metrics.elts[0]
            code = self._metric()
            if code and _is_plain_metric(metric) and not _is_same_metric(metric, code):
                yield metric, code

    def _learning_rate(self) -> str:
        return self._setting("LEARNING_RATE", self._target.learning_rate or _DEFAULT_LEARNING_RATE)

    def _has_optimizer(self, node: ast.expr) -> bool:
        """Whether the argument is the target's optimizer with the target's learning rate already."""
        code = ast.unparse(node)
        named = re.search(rf"\b{self._target.optimizer}\(", code) is not None
        return named and f"learning_rate={_own_rate(node) or self._learning_rate()}" in code

    def _may_change_loss(self, node: ast.expr) -> bool:
        """Whether both losses are Keras', differ, and the labels can follow the change."""
        if not isinstance(node, ast.Constant | ast.Call):
            return False
        current, wanted = canonical_loss(_string_or_source(node)), self._target.loss
        if not current or not wanted or current == wanted:
            return False
        # Labels are encoded anew to suit the loss; numbers to predict suit any loss that measures a
        # distance.
        return self._target.category in LABELLED or (current in NUMBER_LOSSES and wanted in NUMBER_LOSSES)

    def _metric(self) -> str:
        """Code for the plan's metric, where it can be computed from labels of this form; "" where it cannot."""
        metric, labels, module = self._target.metric, self._target.labels, f"{self._keras}metrics."
        predicts_numbers = self._target.loss in NUMBER_LOSSES
        if metric == "accuracy" and labels:
            return '"accuracy"'
        if metric in NUMBER_LOSSES and not labels and predicts_numbers:
            return f'"{metric}"'
        if metric == "RootMeanSquaredError" and predicts_numbers:
            return f"{module}RootMeanSquaredError()"
        if metric == "MeanIoU" and self._target.category == "Image Segmentation":
            by_labels = {
                "column": f"{module}BinaryIoU()",
                "one_hot": f"{module}OneHotMeanIoU(num_classes=NUM_CLASSES)",
                "sparse": f"{module}MeanIoU(num_classes=NUM_CLASSES, sparse_y_pred=False)",
            }
            return by_labels[labels]
        if metric in ("AUC", "Precision", "Recall") and labels in ("one_hot", "column"):
            return f"{module}{metric}()"
        if (metric, labels) in (("categorical_accuracy", "one_hot"), ("binary_accuracy", "column")):
            return f'"{metric}"'
        if metric == "sparse_categorical_accuracy" and labels == "sparse":
            return f'"{metric}"'
        return '"accuracy"' if labels else ""

    def _fit_edits(self, call: ast.Call) -> Iterator[Edit]:
        settings = {"epochs": self._target.epochs, "batch_size": self._target.batch_size}
        for keyword in call.keywords:
            value = settings.get(keyword.arg or "")
            if value is not None and isinstance(keyword.value, ast.Constant):
                yield keyword.value, self._setting(str(keyword.arg).upper(), value)


def _own_rate(optimizer: ast.expr) -> str:
    """The constant that a second, gentler training of a backbone takes its learning rate from; "" for any other."""
    for keyword in optimizer.keywords if isinstance(optimizer, ast.Call) else ():
        if keyword.arg == "learning_rate" and isinstance(keyword.value, ast.Name) and "FINE" in keyword.value.id:
            return keyword.value.id
    return ""


def _with_class_count(notebook: Notebook, target: Target) -> Notebook:
    """The notebook with NUM_CLASSES defined, if its new label code reads that constant."""
    reads = any("NUM_CLASSES" in statement.source for statement in notebook.statements)
    if not reads or target.facts.classes is None:
        return notebook
    source = f"NUM_CLASSES = {target.facts.classes}"
    data = notebook.section("data")
    if not data:
        return notebook.with_section("data", [Statement(section="data", source=source, heading="Data")])
    # The new statement opens the cell now, so the heading moves to it.
    opener = Statement(section="data", source=source, heading=data[0].heading)
    return notebook.with_section("data", [opener, replace(data[0], heading=""), *data[1:]])


@dataclass(frozen=True, slots=True)
class _OutputLayer:
    """The layer call that gives the model's output, and the statement it stands in."""

    statement: Statement
    call: ast.Call


def _output_layer(notebook: Notebook) -> _OutputLayer | None:
    """The last layer call with a softmax or sigmoid in the model section."""
    for statement in reversed(notebook.section("model")):
        calls = [node for node in walk(statement.node) if isinstance(node, ast.Call) and _is_output(node)]
        if calls:
            return _OutputLayer(statement, max(calls, key=_end_of))
    return None


def _end_of(call: ast.Call) -> tuple[int, int]:
    return call.end_lineno or 0, call.end_col_offset or 0


def _is_output(call: ast.Call) -> bool:
    if not isinstance(call.func, ast.Name | ast.Attribute) or not call.args:
        return False
    if ast.unparse(call.func).rsplit(".", 1)[-1] not in ("Dense", "Conv2D", "Conv3D", "Conv1D"):
        return False
    for keyword in call.keywords:
        if keyword.arg == "activation":
            return _string_or_source(keyword.value) in ("softmax", "sigmoid")
    return False


def _method_calls(node: ast.AST, method: str) -> list[ast.Call]:
    """Calls of a method anywhere below a node, those through super() aside."""
    calls: list[ast.Call] = []
    for call in walk(node):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == method:
            owner = call.func.value
            if not (isinstance(owner, ast.Call) and ast.unparse(owner) == "super()"):
                calls.append(call)
    return calls


def _is_plain_metric(node: ast.expr) -> bool:
    """Whether a metric is one of Keras', by name or by class, and not the project's own function."""
    if isinstance(node, ast.Constant):
        return True
    return isinstance(node, ast.Call) and "metrics." in ast.unparse(node.func)


def _is_same_metric(node: ast.expr, code: str) -> bool:
    """Whether both count the same: Keras' "accuracy" is the one that goes with the labels, and a project reads its
    history under the name that its metric has."""
    name = _string_or_source(node)
    return name == code.strip('"') or (name == "accuracy" and code.endswith('_accuracy"'))


def _string_or_source(node: ast.expr) -> str:
    """A string constant's value, anything else as source."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return ast.unparse(node)


def _keras_prefix(notebook: Notebook) -> str:
    """How the project's own imports reach Keras' modules: "keras.", "tf.keras.", or by default "keras."."""
    names: set[str] = set()
    for statement in notebook.section("imports"):
        node = statement.node
        if isinstance(node, ast.Import | ast.ImportFrom):
            names.update(alias.asname or alias.name for alias in node.names)
    if "tf" in names and "keras" not in names:
        return "tf.keras."
    return "keras."
