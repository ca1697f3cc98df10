"""A project adapted to a target: constants, label encoding, output layer, compile and fit arguments.

Edits are made in the sample's own idiom: a value that has a constant is set there, a literal argument in place. What
the project computes by code of its own (a custom loss, a training step) stays.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace

from pipeline.generate.symbolic.notebook import Notebook
from pipeline.generate.symbolic.statement import Statement, edit_statement, parse_statement
from pipeline.generate.symbolic.target import LABELLED, NUMBER_LOSSES, Target
from pipeline.plan.vocabulary import canonical_loss

Edit = tuple[ast.AST, str]

_CONSTANTS: tuple[tuple[str, str], ...] = (
    (r"(image|img|im)_?(height|h|rows)|height|rows", "height"),
    (r"(image|img|im)_?(width|w|cols)|width|cols", "width"),
    (r"(num_|n_|image_|img_)?channels?", "channels"),
    (r"(image|img|im|input|target)_?(size|shape|dims?)|size", "size"),
    (r"(num|n|nb|number_of)_?(classes|class|labels|categories)", "classes"),
    (r"(num|n)_features", "features"),
    (r"(num|n)_targets", "targets"),
    (r"(seq|sequence|max|max_seq|max_sequence)_?len(gth)?|time_?steps|look_?back|window(_size)?", "sequence_length"),
    (r"(max_)?vocab(ulary)?_?size|max_(words|features|tokens)|num_words", "vocabulary"),
    (r"horizon", "horizon"),
    (r"(num|n)_frames", "frames"),
    (r"sample_rate|sampling_rate|sr", "sample_rate"),
    (r"clip_seconds|duration", "clip_seconds"),
    (r"scale|upscale_factor|scale_factor", "scale"),
    (r"(latent|noise)_dim", "latent"),
    (r"(num|n)_users", "users"),
    (r"(num|n)_(items|movies|books|products)", "items"),
    (r"batch_?size|batch|bs", "batch_size"),
    (r"(num_|n_)?epochs?|nb_epochs?", "epochs"),
    (r"learning_?rate|lr|initial_lr", "learning_rate"),
)
_CONSTANT_PATTERNS = tuple((re.compile(pattern + "$", re.IGNORECASE), fact) for pattern, fact in _CONSTANTS)

_LIMITS = {
    "height": (8, 1024), "width": (8, 1024), "channels": (1, 16), "classes": (2, 20_000), "features": (1, 5_000),
    "targets": (1, 1_000), "sequence_length": (2, 5_000), "vocabulary": (20, 200_000), "horizon": (1, 1_000),
    "frames": (2, 64), "sample_rate": (1_000, 96_000), "clip_seconds": (1, 30), "scale": (2, 8), "latent": (2, 2_048),
    "users": (2, 5_000_000), "items": (2, 5_000_000),
}  # fmt: skip
"""Sizes outside these bounds are more likely misread than meant; the sample's own value stays."""

_LABEL_CODE = {
    ("encode_labels", "sparse"): ("Integer labels, the form sparse categorical cross-entropy expects.", 'np.asarray({0}, dtype="int64")'),
    ("encode_labels", "one_hot"): ("One-hot labels: one column per class.", "keras.utils.to_categorical({0}, NUM_CLASSES)"),
    ("encode_labels", "column"): ("Zero or one in a column, the form of a single output.", 'np.asarray({0}, dtype="float32").reshape(-1, 1)'),
    ("encode_masks", "sparse"): ("Class numbers, the form sparse categorical cross-entropy expects.", 'np.asarray({0}, dtype="int32")'),
    ("encode_masks", "one_hot"): ("One-hot pixels: one channel per class.", "keras.utils.to_categorical({0}, NUM_CLASSES)"),
    ("encode_masks", "column"): ("Zero or one per pixel with a channel axis, the form of a single output.", 'np.asarray({0}, dtype="float32")[..., np.newaxis]'),
}  # fmt: skip


def adapt(notebook: Notebook, target: Target) -> Notebook:
    """The notebook with the target's values wherever the sample has a place for them."""
    constants = frozenset(name for statement in notebook.statements for name in assigned_names(statement))
    writer = _Adapter(target, constants, _keras_prefix(notebook))
    statements = []
    head = _output_layer(notebook) if target.labels else None
    for statement in notebook.statements:
        edits = list(writer.edits(statement))
        if head is not None and statement is head[0]:
            edits += writer.output_edits(head[1])
        statements.append(edit_statement(statement, edits))
    adapted = replace(notebook, title=target.title, statements=tuple(statements))
    return _with_class_count(adapted, target, constants)


def assigned_names(statement: Statement) -> tuple[str, ...]:
    """The names a plain assignment statement gives values to."""
    node = statement.node
    if not isinstance(node, ast.Assign):
        return ()
    return tuple(target.id for target in node.targets if isinstance(target, ast.Name))


class _Adapter:
    def __init__(self, target: Target, constants: frozenset[str], keras: str) -> None:
        self._target = target
        self._constants = constants
        self._keras = keras

    def edits(self, statement: Statement) -> Iterator[Edit]:
        node, source = statement.node, statement.source
        if isinstance(node, ast.Assign):
            yield from self._constant(node)
        if isinstance(node, ast.FunctionDef) and (node.name, self._target.labels) in _LABEL_CODE:
            yield from self._label_code(node)
        elif ".compile(" in source:
            for call in _method_calls(node, "compile"):
                yield from self._compile(call)
        elif ".fit(" in source or ".fit_generator(" in source:
            for call in [*_method_calls(node, "fit"), *_method_calls(node, "fit_generator")]:
                yield from self._fit(call)

    def _constant(self, node: ast.Assign) -> Iterator[Edit]:
        if len(node.targets) != 1 or not isinstance(node.targets[0], ast.Name):
            return
        name = node.targets[0].id
        fact = next((fact for pattern, fact in _CONSTANT_PATTERNS if pattern.match(name)), None)
        if fact is None:
            return
        if fact == "size":
            yield from self._size(node.value)
        elif isinstance(node.value, ast.Constant) and isinstance(node.value.value, int | float):
            value = self._value(fact)
            if value is not None and value != node.value.value:
                yield node.value, repr(value)

    def _size(self, node: ast.expr) -> Iterator[Edit]:
        """An image size as one number, a pair or a shape."""
        facts = self._target.facts
        if isinstance(node, ast.Constant) and isinstance(node.value, int) and self._value("height"):
            yield node, repr(facts.height)
        elif isinstance(node, ast.Tuple) and all(isinstance(item, ast.Constant) for item in node.elts):
            sizes = [self._value(name) for name in ("height", "width", "channels")][: len(node.elts)]
            if None not in sizes and len(node.elts) in (2, 3):
                yield node, f"({', '.join(map(repr, sizes))})"

    def _value(self, fact: str) -> int | float | None:
        if fact in ("batch_size", "epochs", "learning_rate"):
            value: int | float | None = getattr(self._target, fact)
            return value
        size: int | None = getattr(self._target.facts, fact)
        low, high = _LIMITS[fact]
        return size if size is not None and low <= size <= high else None

    def _setting(self, constant: str, value: object) -> str:
        return constant if constant in self._constants else repr(value)

    def _label_code(self, node: ast.FunctionDef) -> Iterator[Edit]:
        docstring, code = _LABEL_CODE[node.name, self._target.labels]
        argument = node.args.args[0].arg if node.args.args else "labels"
        body = node.body
        result = body[-1]
        if len(body) == 2 and isinstance(result, ast.Return) and result.value is not None:
            yield body[0], f'"""{docstring}"""'
            yield result.value, code.format(argument)

    def output_edits(self, call: ast.Call) -> Iterator[Edit]:
        """The last layer's units and activation, to go with the labels."""
        units = "1" if self._target.labels == "column" else self._setting("NUM_CLASSES", self._target.facts.classes)
        if units != "None" and ast.unparse(call.args[0]) != units:
            yield call.args[0], units
        for keyword in call.keywords:
            if keyword.arg == "activation" and ast.unparse(keyword.value) != repr(self._target.activation):
                yield keyword.value, f'"{self._target.activation}"'

    def _compile(self, call: ast.Call) -> Iterator[Edit]:
        arguments = {keyword.arg: keyword.value for keyword in call.keywords}
        optimizer, loss, metrics = (arguments.get(name) for name in ("optimizer", "loss", "metrics"))
        if optimizer is not None and self._target.optimizer and not self._has_optimizer(optimizer):
            rate = self._setting("LEARNING_RATE", self._target.learning_rate or 0.001)
            yield optimizer, f"{self._keras}optimizers.{self._target.optimizer}(learning_rate={rate})"
        if loss is not None and self._may_change_loss(loss):
            yield loss, f'"{self._target.loss}"'
        if isinstance(metrics, ast.List) and len(metrics.elts) == 1:
            code = self._metric()
            if code and _plain_metric(metrics.elts[0]) and code.strip('"') != _text(metrics.elts[0]):
                yield metrics.elts[0], code

    def _has_optimizer(self, node: ast.expr) -> bool:
        text = ast.unparse(node)
        rate = self._setting("LEARNING_RATE", self._target.learning_rate or 0.001)
        return re.search(rf"\b{self._target.optimizer}\(", text) is not None and f"learning_rate={rate}" in text

    def _may_change_loss(self, node: ast.expr) -> bool:
        """Whether both losses are Keras', differ, and the labels can follow the change."""
        ours = canonical_loss(_text(node)) if isinstance(node, ast.Constant | ast.Call) else ""
        wanted = self._target.loss
        if not ours or not wanted or ours == wanted:
            return False
        return self._target.category in LABELLED or (ours in NUMBER_LOSSES and wanted in NUMBER_LOSSES)

    def _metric(self) -> str:
        """Code for the plan's metric, where it can be computed from labels of this form; "" where it cannot."""
        metric, labels, metrics = self._target.metric, self._target.labels, f"{self._keras}metrics."
        if metric == "accuracy" and labels:
            return '"accuracy"'
        if metric in NUMBER_LOSSES and not labels and self._target.loss in NUMBER_LOSSES:
            return f'"{metric}"'
        if metric == "RootMeanSquaredError" and self._target.loss in NUMBER_LOSSES:
            return f"{metrics}RootMeanSquaredError()"
        if metric == "MeanIoU" and self._target.category == "Image Segmentation":
            return {
                "column": f"{metrics}BinaryIoU()",
                "one_hot": f"{metrics}OneHotMeanIoU(num_classes=NUM_CLASSES)",
                "sparse": f"{metrics}MeanIoU(num_classes=NUM_CLASSES, sparse_y_pred=False)",
            }[labels]
        if metric in ("AUC", "Precision", "Recall") and labels in ("one_hot", "column"):
            return f"{metrics}{metric}()"
        if (metric, labels) in (("categorical_accuracy", "one_hot"), ("binary_accuracy", "column")):
            return f'"{metric}"'
        if metric == "sparse_categorical_accuracy" and labels == "sparse":
            return f'"{metric}"'
        return '"accuracy"' if labels else ""

    def _fit(self, call: ast.Call) -> Iterator[Edit]:
        for keyword in call.keywords:
            for argument, constant in (("epochs", "EPOCHS"), ("batch_size", "BATCH_SIZE")):
                value = getattr(self._target, argument)
                if keyword.arg == argument and value is not None and isinstance(keyword.value, ast.Constant):
                    yield keyword.value, self._setting(constant, value)


def _with_class_count(notebook: Notebook, target: Target, constants: frozenset[str]) -> Notebook:
    """The notebook with NUM_CLASSES defined, if its new label code reads a constant the sample did not have."""
    reads = any("NUM_CLASSES" in statement.source for statement in notebook.statements)
    if "NUM_CLASSES" in constants or not reads or target.facts.classes is None:
        return notebook
    data = notebook.section("data")
    first = Statement(
        section="data", source=f"NUM_CLASSES = {target.facts.classes}", heading=data[0].heading if data else "Data"
    )
    return notebook.with_section("data", [first, replace(data[0], heading=""), *data[1:]] if data else [first])


def _output_layer(notebook: Notebook) -> tuple[Statement, ast.Call] | None:
    """The last layer call with a softmax or sigmoid in the model section, and its statement."""
    for statement in reversed(notebook.section("model")):
        calls = [node for node in ast.walk(statement.node) if isinstance(node, ast.Call) and _is_output(node)]
        if calls:
            return statement, max(calls, key=lambda call: (call.end_lineno or 0, call.end_col_offset or 0))
    return None


def _is_output(call: ast.Call) -> bool:
    name = ast.unparse(call.func).rsplit(".", 1)[-1] if isinstance(call.func, ast.Name | ast.Attribute) else ""
    activation = next((_text(keyword.value) for keyword in call.keywords if keyword.arg == "activation"), "")
    return name in ("Dense", "Conv2D", "Conv3D", "Conv1D") and bool(call.args) and activation in ("softmax", "sigmoid")


def _method_calls(node: ast.AST, method: str) -> list[ast.Call]:
    """Calls of a method with keyword arguments, those through super() aside."""
    return [
        call
        for call in ast.walk(node)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == method
        and not (isinstance(call.func.value, ast.Call) and ast.unparse(call.func.value) == "super()")
    ]


def _plain_metric(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) or (isinstance(node, ast.Call) and "metrics." in ast.unparse(node.func))


def _text(node: ast.expr) -> str:
    """A string constant's value, anything else as source."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ast.unparse(node)


def _keras_prefix(notebook: Notebook) -> str:
    """How the project's own imports reach Keras' modules: "keras.", "tf.keras.", or by default "keras."."""
    names = {
        alias.asname or alias.name
        for statement in notebook.section("imports")
        for node in [parse_statement(statement.source)]
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    return "tf.keras." if "keras" not in names and "tf" in names else "keras."
