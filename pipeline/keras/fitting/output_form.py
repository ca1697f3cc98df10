"""What a model has to give, and the end of a stack that gives it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from pipeline.keras.layer_call import LayerCall, Symbol, Value
from pipeline.keras.shapes.arguments import Misfit, Shape, resolved

Size: TypeAlias = "int | Symbol"

_FINAL_ACTIVATIONS = frozenset({"softmax", "sigmoid", "log_softmax", "hard_sigmoid"})
_NO_WEIGHTS = frozenset({"Dropout", "BatchNormalization", "SpatialDropout2D", "GaussianNoise"})
"""Layers that sometimes stand between an output layer and its activation."""
_SMALL_HEAD = 10
"""A last Dense layer of at most so many units is taken for the output layer, whatever its activation."""


class OutputKind(StrEnum):
    """One vector per row (classes, numbers to predict), one per time step, or one per pixel."""

    VECTOR = "vector"
    SEQUENCE = "sequence"
    IMAGE = "image"


@dataclass(frozen=True, slots=True)
class OutputForm:
    """The wanted output of a model. Sizes may be names of constants."""

    kind: OutputKind
    units: Size
    """The size of the last axis: classes, numbers, channels."""
    activation: str | None = None
    size: tuple[Size, ...] = ()
    """The axes before the last: () for a vector, (steps,) for a sequence, (height, width) for an image."""

    def shape(self, constants: Mapping[str, int]) -> Shape:
        """The sizes as numbers; raises Misfit where a constant is not known."""
        sizes = [resolved(size, constants) for size in (*self.size, self.units)]
        return tuple(size for size in sizes if isinstance(size, int))

    def dense(self) -> LayerCall:
        return LayerCall("Dense", (self.units,), self._activation())

    def convolution(self, kernel_size: int = 1) -> LayerCall:
        return LayerCall("Conv2D", (self.units, kernel_size), (("padding", "same"), *self._activation()))

    def _activation(self) -> tuple[tuple[str, Value], ...]:
        if not self.activation:
            return ()
        return (("activation", self.activation),)


def without_head(layers: Sequence[LayerCall], form: OutputForm, units: int) -> tuple[list[LayerCall], LayerCall | None]:
    """The stack without its output layers, and the convolution that ended it where the output is an image.

    Several output layers in a row (a model of many outputs, a head stated twice) all go.
    """
    body = list(layers)
    heads = 0
    while True:
        end, final = _last_with_weights(body)
        if end == 0 or not _is_head(body[end - 1], form, units, final, again=heads > 0):
            # What follows the last layer with weights stays, unless a final activation ends it.
            if final:
                return body[:end], None
            return body, None
        last = body[end - 1]
        body = body[: end - 1]
        heads += 1
        if last.name.startswith("Conv"):
            return body, last


def _last_with_weights(layers: Sequence[LayerCall]) -> tuple[int, bool]:
    """The index after the last layer that a head could be, and whether a final activation stands behind it."""
    end, final = len(layers), False
    while end and (layers[end - 1].name in _NO_WEIGHTS or _is_final_activation(layers[end - 1])):
        final = final or _is_final_activation(layers[end - 1])
        end -= 1
    return end, final


def _is_final_activation(call: LayerCall) -> bool:
    return call.name == "Softmax" or (
        call.name == "Activation" and call.arguments.get("activation") in _FINAL_ACTIVATIONS
    )


def _is_head(call: LayerCall, form: OutputForm, units: int, final: bool, again: bool) -> bool:
    """Whether a stack's last layer with weights is its output layer.

    `final`: a final activation stands behind it. `again`: an output layer was taken off already.
    """
    inner = call.arguments.get("layer")
    if call.name == "TimeDistributed" and isinstance(inner, LayerCall):
        call = inner
    activation = call.arguments.get("activation")
    if call.name in ("Conv2D", "Conv2DTranspose") and form.kind is OutputKind.IMAGE:
        filters = call.arguments.get("filters")
        # 1 and 3 filters give a grey or a colour image, whatever number of channels is wanted here.
        ends_with_activation = final or activation in (*_FINAL_ACTIVATIONS, "tanh")
        return ends_with_activation or filters in (units, 1, 3) or isinstance(filters, Symbol)
    if call.name != "Dense":
        return False
    size = call.arguments.get("units")
    if again:
        return activation == "softmax" or (size == units and activation in _FINAL_ACTIVATIONS)
    if final or activation in _FINAL_ACTIVATIONS:
        return True
    return size == units or isinstance(size, Symbol) or (isinstance(size, int) and size <= _SMALL_HEAD)


def image_end(shape: Shape, form: OutputForm, wanted: Shape) -> list[LayerCall]:
    """Layers from an image of any size to the wanted one, the output convolution last."""
    height, width = shape[0], shape[1]
    if height is None or width is None:
        raise Misfit("the image size is not known")
    target_height, target_width = wanted[0] or 0, wanted[1] or 0
    if (height, width) == (target_height, target_width):
        return [form.convolution()]
    if target_height % height == 0 and target_width % width == 0:
        scale = LayerCall("UpSampling2D", ((target_height // height, target_width // width),))
    else:
        scale = LayerCall("Resizing", form.size)
    return [scale, form.convolution(3)]
