"""A PyTorch project and its plan in Keras' words, so that the one conformance measures both."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from pipeline.analysis.extract import CodeFacts, LayerUse
from pipeline.analysis.torch_code.reading import TorchCode, read_torch
from pipeline.analysis.values import Call, Unknown
from pipeline.measures.delivery.layers import Layer, activation_of_layer, is_sized, layers_of
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.torch.facts import is_module

_WRITTEN_OTHERWISE = frozenset({"Flatten", "Unflatten", "Identity", "Softmax"})
"""What one framework has as a layer and the other in a call; so are activations."""


def torch_facts(tree: ast.Module) -> CodeFacts | None:
    """What a PyTorch project states, its layers by Keras' names; None for any other project."""
    code = read_torch(tree)
    return None if code is None else in_keras_facts(code)


def in_keras_facts(code: TorchCode) -> CodeFacts:
    """What a PyTorch project states, its layers by Keras' names."""
    compared = _compared(code.modules)
    sized = [layer for layer in compared if is_sized(layer)]
    # Where the size of the output is counted in the data, no other layer's stands for it.
    is_output_known = bool(sized) and isinstance(sized[-1].size, int)
    layers: list[LayerUse] = []
    for layer in compared:
        text = _text(layer) if is_output_known else f"{layer.kind}()"
        layers.append(LayerUse(_keras_class(layer), text, layer.line or 0))
    return CodeFacts(
        layers=tuple(layers),
        optimizer=code.optimizer,
        loss=code.loss,
        learning_rate=code.learning_rate,
        batch_size=code.batch_size,
        epochs=code.epochs,
        metrics=code.metrics,
        frameworks=("torch",),
    )


def in_keras_words(plan: SolutionPlan) -> SolutionPlan:
    """The plan with layers of PyTorch by Keras' names; what they leave to calls of the other framework is left out."""
    layers: list[str] = []
    for entry in plan.layers:
        module = _module(entry)
        if module is not None:
            layers += [_text(layer) for layer in _compared([module])]
        elif entry.partition("(")[0] not in _WRITTEN_OTHERWISE | {"Activation", "ReLU", "LeakyReLU"}:
            layers.append(entry)
    architecture = plan.architecture.model_copy(update={"layers": tuple(layers)})
    return plan.model_copy(update={"architecture": architecture})


def _module(entry: str) -> Call | None:
    """The call of a module of PyTorch that an entry of a plan is."""
    try:
        node = ast.parse(entry.strip().removeprefix("nn."), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        return None
    path = f"torch.nn.{node.func.id}"
    if not is_module(path):
        return None
    args = tuple(_constant(argument) for argument in node.args)
    keywords = {keyword.arg: _constant(keyword.value) for keyword in node.keywords if keyword.arg is not None}
    return Call(path, args, keywords)


def _constant(node: ast.expr) -> object:
    try:
        value: object = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return Unknown.ANY
    return value


def _compared(modules: Iterable[Call]) -> list[Layer]:
    compared: list[Layer] = []
    for layer in layers_of(modules):
        if not activation_of_layer(layer) and layer.kind not in _WRITTEN_OTHERWISE:
            compared.append(layer)
    return compared


def _keras_class(layer: Layer) -> str:
    return "Bidirectional" if layer.call.keywords.get("bidirectional") is True else layer.kind


def _text(layer: Layer) -> str:
    """The layer as a Keras call with the size that it states."""
    if layer.call.keywords.get("bidirectional") is True:
        return f"Bidirectional({layer.kind}({_shown(layer.value('units'))}))"
    if is_sized(layer):
        return f"{layer.kind}({_shown(layer.size)})"
    return f"{layer.kind}()"


def _shown(value: object) -> str:
    return repr(value) if isinstance(value, int | float) else "..."
