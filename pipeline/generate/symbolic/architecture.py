"""The model section from the plan's layers: checked Keras calls, fitted to the project's input and output."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pipeline.generate.symbolic.constants import assigned_names, whole_number, whole_number_constants
from pipeline.generate.symbolic.notebook import Notebook
from pipeline.generate.symbolic.statement import Edit, Statement, aligned, edit_statement
from pipeline.generate.symbolic.target import LABELLED, Target
from pipeline.keras.fitting.stack import OutputForm, OutputKind, fit_stack
from pipeline.keras.layers import LayerCall, Symbol, parse_layer, parse_layers
from pipeline.keras.shapes.trace import trace_shapes
from pipeline.plan.shapes import CLASSIFICATION, REGRESSION
from pipeline.syntax import walk

_MERGING = frozenset({"Add", "Concatenate", "Dot", "Multiply", "Average", "Maximum", "Subtract", "MultiHeadAttention"})
"""Layers that join branches: a list of layers does not say which."""

_SIZES = ("units", "filters", "rate")
"""What is taken over from the plan's layer where the sample has a layer of the same kind: size and dropout rate."""


def with_plan_layers(notebook: Notebook, target: Target) -> Notebook | None:
    """The notebook with `build_model()` made of the plan's layers; None where a straight stack cannot do the task.

    That is so where the sample's model has several inputs or networks, where the plan's layers do
    not fit together even after repairs (a U-Net listed as a flat sequence), or where the plan has
    too few layers that are understood.
    """
    builder = _model_builder(notebook)
    output = _output_form(notebook, target)
    layers = _plan_calls(target)
    if builder is None or output is None or any(call.name in _MERGING for call in layers):
        return None
    # With half of its layers not understood, the plan's model would be another one.
    if 2 * len(layers) <= len(target.layers):
        return None
    constants = _constants(notebook, target)
    shape = _axis_sizes(builder.shape, constants)
    # An Embedding in the sample says that its input is token ids, also where the input does not
    # state its type.
    token_ids = _input_dtype(builder.input).startswith("int") or "Embedding(" in builder.statement.source
    fitted = fit_stack(layers, shape, output, constants=constants, token_ids=token_ids)
    if fitted is None:
        return None
    layers = [_with_weights(layer, notebook) for layer in fitted.layers]
    source = _builder_source(builder, layers)
    return _with_statement(notebook, builder.statement, replace(builder.statement, source=source))


def with_aligned_sizes(notebook: Notebook, target: Target) -> Notebook:
    """The notebook with its own stack of layers, sized like the layers of the plan that they correspond to.

    Layers are paired by kind and order; the output layer is left alone, and so is a stack that would no longer build.
    """
    builder = _model_builder(notebook)
    if builder is None:
        return notebook
    stack = _layer_list(builder)
    if stack is None:
        return notebook
    nodes = [node for node in stack.elts if isinstance(node, ast.Call)]
    sized = _sized_stack(nodes, _plan_calls(target))
    layers = [call for call in sized.calls if call is not None and call.name != "Input"]
    constants = _constants(notebook, target)
    if not sized.edits or trace_shapes(layers, _axis_sizes(builder.shape, constants), constants).problem is not None:
        return notebook
    return _with_statement(notebook, builder.statement, edit_statement(builder.statement, sized.edits))


def _constants(notebook: Notebook, target: Target) -> dict[str, int]:
    """The project's whole-number constants, with those that it counts in the user's data when it runs."""
    known = whole_number_constants(notebook)
    assigned = {name for statement in notebook.statements for name in assigned_names(statement)}
    return {name: count for name, count in target.counted if name in assigned} | known


@dataclass(frozen=True, slots=True)
class _ModelBuilder:
    """The one function of a project that builds its model."""

    statement: Statement
    function: ast.FunctionDef

    input: ast.Call
    """The call of `Input`."""

    shape: ast.expr
    """The shape of that input."""


def _model_builder(notebook: Notebook) -> _ModelBuilder | None:
    """The function without arguments that builds the model from one input; None where there is none, or a second."""
    inputs: list[tuple[Statement, ast.Call]] = []
    for statement in notebook.section("model"):
        for call in _input_calls(statement.node):
            inputs.append((statement, call))
    if len(inputs) != 1:
        return None
    statement, call = inputs[0]
    function, shape = statement.node, _input_shape(call)
    if not isinstance(function, ast.FunctionDef) or function.args.args or shape is None:
        return None
    return _ModelBuilder(statement, function, call, shape)


def _input_calls(node: ast.AST) -> list[ast.Call]:
    calls: list[ast.Call] = []
    for call in walk(node):
        if isinstance(call, ast.Call) and _function_name(call.func) in ("Input", "InputLayer"):
            calls.append(call)
    return calls


def _function_name(function: ast.expr) -> str:
    """The last part of a called name: "Input" for `keras.Input`; "" for what is called without a name."""
    if isinstance(function, ast.Name):
        return function.id
    if isinstance(function, ast.Attribute):
        return function.attr
    return ""


def _input_shape(call: ast.Call) -> ast.expr | None:
    return _argument(call, "shape")


def _input_dtype(call: ast.Call) -> str:
    for keyword in call.keywords:
        if keyword.arg == "dtype" and isinstance(keyword.value, ast.Constant):
            return str(keyword.value.value)
    return ""


def _argument(call: ast.Call, name: str) -> ast.expr | None:
    """The node of the keyword argument `name`, or else of the first positional one."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    return call.args[0] if call.args else None


def _axis_sizes(shape: ast.expr, constants: Mapping[str, int]) -> tuple[int | None, ...]:
    """The axes of a shape expression as numbers; None where one is not known."""
    axes = getattr(shape, "elts", [shape])
    return tuple(whole_number(axis, constants) for axis in axes)


def _plan_calls(target: Target) -> list[LayerCall]:
    """The plan's layers as calls; a text may hold several, or none that is understood."""
    calls: list[LayerCall] = []
    for text in target.layers:
        calls += parse_layers(text)
    return calls


def _output_form(notebook: Notebook, target: Target) -> OutputForm | None:
    """What the model has to give, sized by the project's own constants where it has them; None where that is open."""
    constants = _constants(notebook, target)

    def size(constant: str, value: int | None) -> Symbol | int | None:
        if constant in constants:
            return Symbol(constant)
        return value

    one_per_class = 1 if target.labels == "column" else size("NUM_CLASSES", target.facts.classes)
    activation: str | None = target.activation
    kind = OutputKind.VECTOR
    image_size: tuple[Symbol, ...] = ()
    if target.category in CLASSIFICATION:
        units = one_per_class
    elif target.category in REGRESSION:
        units, activation = size("NUM_TARGETS", target.facts.targets or 1), None
    elif target.category == "Time Series Forecasting":
        if constants.get("NUM_TARGETS", 1) > 1:  # as many outputs as steps times targets, which no plan says
            return None
        units, activation = size("HORIZON", target.facts.horizon), None
    elif target.category in LABELLED and {"IMAGE_HEIGHT", "IMAGE_WIDTH"} <= constants.keys():
        kind, units, image_size = OutputKind.IMAGE, one_per_class, (Symbol("IMAGE_HEIGHT"), Symbol("IMAGE_WIDTH"))
    else:
        return None
    if units is None:
        return None
    return OutputForm(kind, units, activation, image_size)


def _builder_source(builder: _ModelBuilder, layers: Sequence[LayerCall]) -> str:
    """The function's new code: its own input, then the layers as one sequential model."""
    lines = [
        f"def {builder.function.name}():",
        '    """The network, layer by layer from the input to the output."""',
        "    return keras.Sequential(",
        "        [",
        f"            {ast.get_source_segment(builder.statement.source, builder.input)},",
    ]
    for layer in layers:
        lines.append(f"            {layer.source()},")
    lines += ["        ]", "    )"]
    return "\n".join(lines)


def _with_weights(layer: LayerCall, notebook: Notebook) -> LayerCall:
    """A backbone with the weights that a project loads: ImageNet's, but none for a smoke run on synthetic data."""
    if not layer.is_backbone:
        return layer
    if any("SYNTHETIC" in assigned_names(statement) for statement in notebook.statements):
        return layer.changed(weights=Symbol('None if SYNTHETIC else "imagenet"'))
    return layer.changed(weights="imagenet")


def _with_statement(notebook: Notebook, old: Statement, new: Statement) -> Notebook:
    """The notebook with one statement of its model section exchanged."""
    statements = list(notebook.section("model"))
    for number, statement in enumerate(statements):
        # By identity: the same line may stand in the section twice.
        if statement is old:
            statements[number] = new
    return notebook.with_section("model", statements)


def _layer_list(builder: _ModelBuilder) -> ast.List | None:
    """The list of layers that a sequential model is made of: the first list that is longer than a pair of sizes."""
    for node in walk(builder.statement.node):
        if isinstance(node, ast.List) and len(node.elts) > 2:
            return node
    return None


@dataclass(frozen=True, slots=True)
class _SizedStack:
    """A sample's layers with the plan's sizes."""

    calls: list[LayerCall | None]
    """None where a call is no layer that is known."""

    edits: list[Edit]
    """What changes in the sample's code for that."""


_HIDDEN_ACTIVATIONS = ("relu", "elu", "selu", "gelu", "swish", "leaky_relu")


def _sized_stack(nodes: Sequence[ast.Call], plan: Sequence[LayerCall]) -> _SizedStack:
    calls = [parse_layer(ast.unparse(node)) for node in nodes]
    sized = _SizedStack(list(calls), [])
    # Without the last layers, the outputs: their sizes follow from the labels, and are none for a hidden layer.
    names = [call.name if call else "" for call in calls[:-1]]
    if plan and plan[-1].name == "Dense" and plan[-1].arguments.get("activation") not in _HIDDEN_ACTIVATIONS:
        plan = plan[:-1]
    for number, plan_number in aligned(names, [call.name for call in plan]):
        call = calls[number]
        if call is None:
            continue
        for name in _SIZES:
            old, new = call.arguments.get(name), plan[plan_number].arguments.get(name)
            node = _argument(nodes[number], name)
            if node and isinstance(old, int | float) and isinstance(new, int | float) and new != old:
                sized.edits.append((node, repr(new)))
                sized.calls[number] = call.changed(**{name: new})
    return sized
