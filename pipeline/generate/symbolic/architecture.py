"""The model section from the plan's layers: checked Keras calls, fitted to the project's input and output."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import replace

from pipeline.generate.symbolic.adapt import assigned_names
from pipeline.generate.symbolic.alignment import aligned
from pipeline.generate.symbolic.notebook import Notebook
from pipeline.generate.symbolic.statement import Statement, edit_statement
from pipeline.generate.symbolic.target import LABELLED, Target
from pipeline.keras.fitting.stack import OutputForm, OutputKind, fit_stack
from pipeline.keras.layers import LayerCall, Symbol, parse_layer, parse_layers
from pipeline.keras.shapes.trace import trace_shapes
from pipeline.plan.shapes import CLASSIFICATION, REGRESSION

_OPERATORS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
}


_MERGING = frozenset({"Add", "Concatenate", "Dot", "Multiply", "Average", "Maximum", "Subtract", "MultiHeadAttention"})
"""Layers that join branches: a list of layers does not say which."""


def constants_of(notebook: Notebook) -> dict[str, int]:
    """The project's whole-number constants, those computed from others included (`TIME_STEPS = RATE // STEP`)."""
    constants: dict[str, int] = {}
    for statement in notebook.statements:
        node = statement.node
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            value = _whole_number(node.value, constants)
            if value is not None:
                constants[node.targets[0].id] = value
    return constants


def _whole_number(node: ast.expr, constants: Mapping[str, int]) -> int | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, int) and not isinstance(node.value, bool):
        return node.value
    if isinstance(node, ast.Name):
        return constants.get(node.id)
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        left, right = _whole_number(node.left, constants), _whole_number(node.right, constants)
        if left is not None and right is not None and not (right == 0 and isinstance(node.op, ast.FloorDiv)):
            return _OPERATORS[type(node.op)](left, right)
    return None


def with_plan_layers(notebook: Notebook, target: Target) -> Notebook | None:
    """The notebook with `build_model()` made of the plan's layers; None where a straight stack cannot do the task.

    That is so where the sample's model has several inputs or networks, where the plan's layers do not fit together
    even after repairs (a U-Net listed as a flat sequence), or where the plan has too few layers that are understood.
    """
    found = _builder(notebook)
    output = _output_form(notebook, target)
    layers = _plan_calls(target)
    branches = any(call.name in _MERGING for call in layers)
    if found is None or output is None or branches or 2 * len(layers) <= len(target.layers):
        return None
    statement, function, call, shape_node = found
    constants = constants_of(notebook)
    shape = _sizes(shape_node, constants)
    tokens = _input_dtype(call).startswith("int") or "Embedding(" in statement.source
    fitted = fit_stack(layers, shape, output, constants=constants, token_ids=tokens)
    if fitted is None:
        return None
    lines = [
        f"def {function.name}():",
        f'    """{_describe(fitted.layers)}"""',
        "    return keras.Sequential(",
        "        [",
        f"            {ast.get_source_segment(statement.source, call)},",
        *(f"            {_pretrained(layer, notebook).source()}," for layer in fitted.layers),
        "        ]",
        "    )",
    ]
    return _exchanged(notebook, statement, replace(statement, source="\n".join(lines)))


_SIZES = ("units", "filters", "rate")
"""What is taken over from the plan's layer where the sample has a layer of the same kind: size and dropout rate."""


def with_aligned_sizes(notebook: Notebook, target: Target) -> Notebook:
    """The notebook with its own stack of layers, sized like the layers of the plan that they correspond to.

    Layers are paired by kind and order; the output layer is left alone, and so is a stack that would no longer build.
    """
    found = _builder(notebook)
    if found is None:
        return notebook
    statement, _, _, shape_node = found
    stack = next((node for node in ast.walk(statement.node) if isinstance(node, ast.List) and len(node.elts) > 2), None)
    if stack is None:
        return notebook
    nodes = [node for node in stack.elts if isinstance(node, ast.Call)]
    ours = [parse_layer(ast.unparse(node)) for node in nodes]
    plan = _plan_calls(target)
    sized, edits = list(ours), list[tuple[ast.AST, str]]()
    for mine, theirs in aligned([call.name if call else "" for call in ours[:-1]], [call.name for call in plan]):
        call = ours[mine]
        for name in _SIZES:
            value, old = plan[theirs].arguments.get(name), call.arguments.get(name) if call else None
            node = _argument(nodes[mine], name)
            if call and node and isinstance(old, int | float) and isinstance(value, int | float) and value != old:
                edits.append((node, repr(value)))
                sized[mine] = call.changed(**{name: value})
    constants = constants_of(notebook)
    shape = _sizes(shape_node, constants)
    known = [call for call in sized if call is not None and call.name != "Input"]
    if not edits or trace_shapes(known, shape, constants).problem is not None:
        return notebook
    return _exchanged(notebook, statement, edit_statement(statement, edits))


def _plan_calls(target: Target) -> list[LayerCall]:
    return [call for text in target.layers for call in parse_layers(text)]


def _sizes(shape: ast.expr, constants: Mapping[str, int]) -> tuple[int | None, ...]:
    """The axes of a shape expression as numbers; None where one is not known."""
    return tuple(_whole_number(item, constants) for item in getattr(shape, "elts", [shape]))


def _exchanged(notebook: Notebook, old: Statement, new: Statement) -> Notebook:
    """The notebook with one statement of its model section exchanged."""
    return notebook.with_section("model", [new if item is old else item for item in notebook.section("model")])


def _argument(call: ast.Call, name: str) -> ast.expr | None:
    """The node of a layer's size: the first positional argument, or the keyword."""
    keyword = next((item.value for item in call.keywords if item.arg == name), None)
    return keyword or (call.args[0] if call.args else None)


def _builder(notebook: Notebook) -> tuple[Statement, ast.FunctionDef, ast.Call, ast.expr] | None:
    """The one function that builds the model from one input, and that input's shape."""
    found = [(statement, call) for statement in notebook.section("model") for call in _input_calls(statement.node)]
    if len(found) != 1:
        return None
    statement, call = found[0]
    function = statement.node
    if not isinstance(function, ast.FunctionDef):
        return None
    shape = next(
        (keyword.value for keyword in call.keywords if keyword.arg == "shape"), call.args[0] if call.args else None
    )
    return (statement, function, call, shape) if shape is not None and not function.args.args else None


def _input_calls(node: ast.AST) -> list[ast.Call]:
    return [
        call
        for call in ast.walk(node)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name | ast.Attribute)
        and (call.func.id if isinstance(call.func, ast.Name) else call.func.attr) in ("Input", "InputLayer")
    ]


def _input_dtype(call: ast.Call) -> str:
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    node = keywords.get("dtype")
    return str(node.value) if isinstance(node, ast.Constant) else ""


def _output_form(notebook: Notebook, target: Target) -> OutputForm | None:
    """What the model has to give, sized by the project's own constants where it has them."""
    names = constants_of(notebook)

    def size(constant: str, value: int | None) -> Symbol | int | None:
        return Symbol(constant) if constant in names else value

    category = target.category
    if category in CLASSIFICATION:
        units = 1 if target.labels == "column" else size("NUM_CLASSES", target.facts.classes)
        return OutputForm(OutputKind.VECTOR, units, target.activation) if units is not None else None
    if category in REGRESSION:
        units = size("NUM_TARGETS", target.facts.targets or 1)
        return OutputForm(OutputKind.VECTOR, units) if units is not None else None
    if category == "Time Series Forecasting" and (units := size("HORIZON", target.facts.horizon)) is not None:
        return OutputForm(OutputKind.VECTOR, units)
    if category in LABELLED and {"IMAGE_HEIGHT", "IMAGE_WIDTH"} <= names.keys():
        channels = 1 if target.labels == "column" else size("NUM_CLASSES", target.facts.classes)
        if channels is None:
            return None
        return OutputForm(
            OutputKind.IMAGE, channels, target.activation, (Symbol("IMAGE_HEIGHT"), Symbol("IMAGE_WIDTH"))
        )
    return None


def _pretrained(layer: LayerCall, notebook: Notebook) -> LayerCall:
    """A backbone with the weights that a project loads: ImageNet's, but none for a smoke run on synthetic data."""
    if not layer.is_backbone:
        return layer
    smoke = any("SYNTHETIC" in assigned_names(statement) for statement in notebook.statements)
    return layer.changed(weights=Symbol('None if SYNTHETIC else "imagenet"') if smoke else "imagenet")


def _describe(layers: tuple[LayerCall, ...]) -> str:
    return f"The plan's {len(layers)} layers, from the input to the output."
