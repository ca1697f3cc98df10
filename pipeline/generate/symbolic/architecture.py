"""The model section from the plan's layers: checked Keras calls, fitted to the project's input and output."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import replace

from pipeline.generate.symbolic.notebook import Notebook, Statement
from pipeline.generate.symbolic.target import LABELLED, Target
from pipeline.keras.layers import LayerCall, Symbol, parse_layers
from pipeline.keras.shapes import OutputForm, fit_stack
from pipeline.plan_facts import CLASSIFICATION, REGRESSION

_OPERATORS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
}


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
    layers = [call for text in target.layers for call in parse_layers(text)]
    if found is None or output is None or 2 * len(layers) < len(target.layers) + 1:
        return None
    statement, function, shape_node = found
    constants = constants_of(notebook)
    shape = tuple(_whole_number(item, constants) for item in getattr(shape_node, "elts", [shape_node]))
    dtype = _input_dtype(function)
    fitted = fit_stack([_portable(layer) for layer in layers], shape, output, constants, token_ids=dtype == "int32")
    if fitted is None:
        return None
    lines = [
        f"def {function.name}():",
        f'    """{_describe(fitted.layers)}"""',
        "    return keras.Sequential(",
        "        [",
        f"            {_input_source(function)},",
        *(f"            {layer.source('layers.')}," for layer in fitted.layers),
        "        ]",
        "    )",
    ]
    model = [
        replace(item, source="\n".join(lines)) if item is statement else item for item in notebook.section("model")
    ]
    return notebook.with_section("model", model)


def _builder(notebook: Notebook) -> tuple[Statement, ast.FunctionDef, ast.expr] | None:
    """The one function that builds the model from one input, and that input's shape."""
    found = []
    for statement in notebook.section("model"):
        for call in ast.walk(statement.node):
            if isinstance(call, ast.Call) and ast.unparse(call.func).rsplit(".", 1)[-1] in ("Input", "InputLayer"):
                found.append((statement, call))
    if len(found) != 1 or not isinstance(found[0][0].node, ast.FunctionDef):
        return None
    statement, call = found[0]
    function = statement.node
    assert isinstance(function, ast.FunctionDef)
    shape = next((keyword.value for keyword in call.keywords if keyword.arg == "shape"), call.args[0] if call.args else None)
    return (statement, function, shape) if shape is not None and not function.args.args else None


def _input_call(function: ast.FunctionDef) -> ast.Call:
    return next(
        node for node in ast.walk(function) if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Input")
    )


def _input_source(function: ast.FunctionDef) -> str:
    return ast.unparse(_input_call(function)).replace("'", '"')


def _input_dtype(function: ast.FunctionDef) -> str:
    keywords = {keyword.arg: keyword.value for keyword in _input_call(function).keywords}
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
        return OutputForm("vector", units, target.activation) if units is not None else None
    if category in REGRESSION:
        return OutputForm("vector", size("NUM_TARGETS", target.facts.targets or 1), None)
    if category == "Time Series Forecasting" and (units := size("HORIZON", target.facts.horizon)) is not None:
        return OutputForm("vector", units, None)
    if category in LABELLED and {"IMAGE_HEIGHT", "IMAGE_WIDTH"} <= names.keys():
        channels = 1 if target.labels == "column" else size("NUM_CLASSES", target.facts.classes)
        return OutputForm("image", channels, target.activation) if channels is not None else None
    return None


def _portable(layer: LayerCall) -> LayerCall:
    """A backbone without its own input shape and classifier; weights only where real data is there to tune them on."""
    if not layer.is_backbone:
        return layer
    weights = Symbol('None if SYNTHETIC else "imagenet"')
    return LayerCall(layer.name, (), (("include_top", False), ("weights", weights)))


def _describe(layers: tuple[LayerCall, ...]) -> str:
    return f"The plan's {len(layers)} layers, from the input to the output."
