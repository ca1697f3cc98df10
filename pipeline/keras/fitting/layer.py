"""Makes one layer fit the tensor before it: the repairs that need no more than the layer and the shape."""

from __future__ import annotations

from collections.abc import Mapping
from math import gcd, prod

from pipeline.keras.facts import backbones, canonical_layer, layer_names
from pipeline.keras.layer_call import LayerCall, Symbol, Value
from pipeline.keras.repair import repaired
from pipeline.keras.shapes.arguments import Misfit, Shape, resolved
from pipeline.keras.shapes.rules import apply
from pipeline.keras.spellings import UNSPECIFIED
from pipeline.keras.values import rank

RECURRENT = frozenset({"LSTM", "GRU", "SimpleRNN", "Bidirectional"})


def known_numbers(call: LayerCall, constants: Mapping[str, int]) -> LayerCall:
    """The call with the default instead of every number that hangs on an unknown name, nested layers included.

    A constant in lower case (`vocab_size`) is known.
    """
    changes: dict[str, Value] = {}
    dropped: list[str] = []
    defaults = UNSPECIFIED.get(canonical_layer(call.name), {})
    for name, value in call.arguments.items():
        if isinstance(value, LayerCall):
            changes[name] = known_numbers(value, constants)
        elif not _is_unknown(value, constants):
            continue
        elif isinstance(value, Symbol) and value.text.upper() in constants:
            changes[name] = Symbol(value.text.upper())
        elif name in defaults:
            changes[name] = defaults[name]
        else:
            dropped.append(name)
    if not changes and not dropped:
        return call
    return call.changed(**changes).without(*dropped)


def _is_unknown(value: Value, constants: Mapping[str, int]) -> bool:
    if isinstance(value, tuple):
        return any(_is_unknown(item, constants) for item in value)
    # Only a bare name or arithmetic can be a number; `keras.regularizers.L2(0.01)` and `1.0 / 255` stay.
    if not isinstance(value, Symbol) or value.text.startswith("keras.") or not any(map(str.isalpha, value.text)):
        return False
    try:
        resolved(value, constants)
    except Misfit:
        return True
    return False


def fitted_layer(call: LayerCall, shape: Shape, constants: Mapping[str, int]) -> list[LayerCall] | None:
    """The layer, changed or with another one before it so that it takes the shape; None where it cannot take it."""
    for attempt in _attempts(call, shape):
        current = shape
        try:
            for layer in attempt:
                current, _ = apply(layer, current, constants)
        except Misfit:
            continue
        return attempt
    return None


def _attempts(call: LayerCall, shape: Shape) -> list[list[LayerCall]]:
    """What to try, the mildest change first."""
    name = canonical_layer(call.name)
    axes, shape_axes = rank(name), len(shape) - 1  # spatial axes of the layer, and of what it gets
    attempts = [[call]]
    for other in _other_arguments(call, name, shape):
        attempts.append([other])
    if call.is_backbone:
        attempts += _before_backbone(call, shape)
    if shape_axes == 3 and (axes == 2 or call.is_backbone):  # frames of a clip
        attempts.append([LayerCall("TimeDistributed", (call,))])
    if axes and axes != shape_axes and 1 <= shape_axes <= 3:
        attempts += _of_other_rank(call, shape)
    if axes == shape_axes + 1 and None not in shape and not name.startswith(("Global", "Spatial")):
        # A channel axis for grey images, or for a single variable.
        target = (-1, 1) if shape_axes == 0 else (*shape, 1)
        attempts.append([LayerCall("Reshape", (target,)), call])
    if name.startswith("SpatialDropout"):
        attempts.append([LayerCall("Dropout", (call.arguments.get("rate", 0.5),))])
    inner = call.arguments.get("layer")
    if name == "TimeDistributed" and isinstance(inner, LayerCall):
        attempts.append([inner])
    if name in RECURRENT:
        attempts += _as_sequence(call, shape)
    return attempts


def _as_sequence(call: LayerCall, shape: Shape) -> list[list[LayerCall]]:
    """A recurrent layer after what makes time steps of a vector, an image or a clip."""
    match len(shape):
        case 1:
            return [[LayerCall("Reshape", ((-1, 1),)), call]]
        case 3:  # the rows of an image become time steps
            return [[LayerCall("Reshape", ((shape[0], -1),)), call]]
        case 4:
            return [[LayerCall("TimeDistributed", (LayerCall("Flatten"),)), call]]
    return []


def _of_other_rank(call: LayerCall, shape: Shape) -> list[list[LayerCall]]:
    """The same layer for the shape's number of spatial axes: MaxPooling2D -> MaxPooling1D."""
    name = call.name.replace(f"{rank(call.name)}D", f"{len(shape) - 1}D")
    if name not in layer_names():
        return []
    other = repaired(name, call.args, call.keywords)
    if other is None:
        return []
    return [[other], *([changed] for changed in _other_arguments(other, other.name, shape))]


def _other_arguments(call: LayerCall, name: str, shape: Shape) -> list[LayerCall]:
    """The same layer with arguments that ask less of its input."""
    known = call.signature
    if known is None:
        return []
    if known.accepts("padding") and name.endswith(("Pooling1D", "Pooling2D", "Pooling3D")):
        # Nothing is left to pool of a single step or pixel; `fitted_layer` then gives None and the layer goes.
        if all(size == 1 for size in shape[:-1]):
            return []
        return [call.changed(padding="same")]
    if name.startswith(("Conv", "Separable", "Depthwise")):
        padded = call.changed(padding="same")
        return [padded, padded.without("groups", "dilation_rate")]
    if name == "GroupNormalization" and shape:
        # As many groups as divide the channels, out of Keras' default of 32.
        return [call.changed(groups=gcd(shape[-1] or 1, 32))]
    if known.accepts("axis"):
        return [call.without("axis")]
    return []


def _before_backbone(call: LayerCall, shape: Shape) -> list[list[LayerCall]]:
    """A backbone after what makes its images of three channels and of its smallest size."""
    if len(shape) != 3:
        return []
    smallest = backbones()[call.name].smallest
    height = max(shape[0] or smallest, smallest)
    width = max(shape[1] or smallest, smallest)
    before: list[LayerCall] = []
    if any(size is not None and size < smallest for size in shape[:2]):
        before.append(LayerCall("Resizing", (height, width)))
    if shape[2] != 3:
        before.append(LayerCall("Conv2D", (3, 1), (("padding", "same"),)))
    # Some backbones take sizes that do not halve evenly only where they are built with `input_shape`.
    sized = call.changed(input_shape=(height, width, 3))
    return [[*before, call], [*before, sized]]


def collapsing(shape: Shape, units: int, largest: int) -> LayerCall:
    """Flatten, or global average pooling where a Dense layer after Flatten would have more than `largest` weights."""
    if None in shape or prod(size or 1 for size in shape) * units > largest:
        return LayerCall(f"GlobalAveragePooling{len(shape) - 1}D")
    return LayerCall("Flatten")
