"""Follows a tensor's shape through a straight stack of layers, without building it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.keras.layer_call import LayerCall
from pipeline.keras.shapes.arguments import Misfit, Shape
from pipeline.keras.shapes.rules import apply

__all__ = ["Shape", "Trace", "trace"]

_NO_CONSTANTS: Mapping[str, int] = {}


@dataclass(frozen=True, slots=True)
class Trace:
    """What becomes of an input.

    `shapes` has the shape after each layer that could be applied, without the batch axis; None is a size that varies.
    `parameters` counts all of their parameters, `backbone_parameters` those of keras.applications models alone.
    `problem` names the first layer that cannot be applied and says why: "MaxPooling2D: the image is 1x1 already".
    """

    shapes: tuple[Shape, ...]
    parameters: int
    backbone_parameters: int = 0
    problem: str | None = None


def trace(layers: Sequence[LayerCall], input_shape: Shape, constants: Mapping[str, int] = _NO_CONSTANTS) -> Trace:
    """The shapes through a straight stack, exactly as Keras computes them (channels last).

    `constants` gives the values of names in arguments (`NUM_CLASSES`). `input_shape` counts, whatever an Input in the
    stack says.
    """
    shapes: list[Shape] = []
    shape = input_shape
    parameters = backbone_parameters = 0
    for index, call in enumerate(layers):
        try:
            if call.name == "Embedding" and any(before.name != "Input" for before in layers[:index]):
                raise Misfit("needs the token ids themselves, not what a layer made of them")
            if index and call.name in ("Input", "InputLayer"):
                raise Misfit("stands inside the stack")
            shape, added = apply(call, shape, constants)
        except Misfit as reason:
            return Trace(tuple(shapes), parameters, backbone_parameters, f"{call.name}: {reason}")
        shapes.append(shape)
        parameters += added
        if call.is_backbone or (isinstance(inner := call.arguments.get("layer"), LayerCall) and inner.is_backbone):
            backbone_parameters += added
    return Trace(tuple(shapes), parameters, backbone_parameters)
