"""Follows a tensor's shape through a straight stack of layers, without building it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.keras.layer_call import LayerCall
from pipeline.keras.shapes.arguments import Misfit, Shape
from pipeline.keras.shapes.rules import apply

__all__ = ["Shape", "ShapeTrace", "trace_shapes"]

_NO_CONSTANTS: Mapping[str, int] = {}


@dataclass(frozen=True, slots=True)
class ShapeTrace:
    """What becomes of an input."""

    shapes: tuple[Shape, ...]
    """The shape after each layer that could be applied, without the batch axis; None is a size that varies."""
    parameters: int
    """Of all these layers."""
    backbone_parameters: int = 0
    """Those of keras.applications models alone."""
    problem: str | None = None
    """The first layer that cannot be applied, and why: "MaxPooling2D: the image is 1x1 already"."""


def trace_shapes(
    layers: Sequence[LayerCall], input_shape: Shape, constants: Mapping[str, int] = _NO_CONSTANTS
) -> ShapeTrace:
    """The shapes through a straight stack, exactly as Keras computes them (channels last).

    `constants` gives the values of names in arguments (`NUM_CLASSES`). `input_shape` counts, whatever an Input in the
    stack says.
    """
    shapes: list[Shape] = []
    shape = input_shape
    parameters = backbone_parameters = 0
    for index, call in enumerate(layers):
        try:
            _check_order(call, layers[:index])
            shape, added = apply(call, shape, constants)
        except Misfit as reason:
            return ShapeTrace(tuple(shapes), parameters, backbone_parameters, f"{call.name}: {reason}")
        shapes.append(shape)
        parameters += added
        if _holds_backbone(call):
            backbone_parameters += added
    return ShapeTrace(tuple(shapes), parameters, backbone_parameters)


def _check_order(call: LayerCall, before: Sequence[LayerCall]) -> None:
    """Raises Misfit for a layer that shapes alone allow here, and Keras does not."""
    if call.name == "Embedding" and any(other.name != "Input" for other in before):
        raise Misfit("needs the token ids themselves, not what a layer made of them")
    if before and call.name in ("Input", "InputLayer"):
        raise Misfit("stands inside the stack")


def _holds_backbone(call: LayerCall) -> bool:
    inner = call.arguments.get("layer")  # TimeDistributed's
    return call.is_backbone or (isinstance(inner, LayerCall) and inner.is_backbone)
