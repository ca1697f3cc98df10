"""Output shape and parameter count of every other layer, and the table of all rules.

A rule takes a layer's arguments and its input's shape, and gives its output's shape and its number of parameters,
those that are not trained included. It raises `Misfit` where the layer cannot take the input.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import TypeAlias

from pipeline.keras.facts import canonical_layer
from pipeline.keras.layer_call import LayerCall
from pipeline.keras.repair import MERGING_LAYERS
from pipeline.keras.shapes import window_rules
from pipeline.keras.shapes.arguments import Arguments, Misfit, Shape
from pipeline.keras.shapes.window_rules import known_size, spatial
from pipeline.keras.values import rank

Rule: TypeAlias = Callable[[Arguments, Shape], tuple[Shape, int]]


def apply(call: LayerCall, shape: Shape, constants: Mapping[str, int]) -> tuple[Shape, int]:
    """The shape after the layer and its parameters; raises Misfit."""
    if call.is_backbone:
        return window_rules.backbone(Arguments(call, constants), shape)
    name = canonical_layer(call.name)
    if takes_several_inputs(name):
        raise Misfit("takes several inputs, so a straight stack cannot hold it")
    if name not in RULES:
        raise Misfit("its output shape is not known here")
    return RULES[name](Arguments(call, constants), shape)


def takes_several_inputs(name: str) -> bool:
    return name in MERGING_LAYERS or name.endswith("Attention")


def _unchanged(arguments: Arguments, shape: Shape) -> tuple[Shape, int]:
    return shape, 0


def _unchanged_spatial(arguments: Arguments, shape: Shape) -> tuple[Shape, int]:
    spatial(arguments, shape)
    return shape, 0


def _unchanged_image(arguments: Arguments, shape: Shape) -> tuple[Shape, int]:
    return window_rules.image(shape), 0


def _dense(arguments: Arguments, shape: Shape) -> tuple[Shape, int]:
    if not shape:
        raise Misfit("needs at least one axis beside the batch")
    units = arguments.count("units")
    return (*shape[:-1], units), (known_size(shape[-1]) + arguments.flag("use_bias", True)) * units


def _embedding(arguments: Arguments, shape: Shape) -> tuple[Shape, int]:
    if len(shape) != 1:
        raise Misfit(f"needs a row of token ids, got {shape}")
    width = arguments.count("output_dim")
    return (*shape, width), arguments.count("input_dim") * width


def _recurrent(arguments: Arguments, shape: Shape) -> tuple[Shape, int]:
    if len(shape) != 2:
        raise Misfit(f"needs (time, features), got {shape}")
    units, features, bias = arguments.count("units"), known_size(shape[1]), arguments.flag("use_bias", True)
    gates = {"LSTM": 4, "GRU": 3, "SimpleRNN": 1}[arguments.call.name]
    biases = 1
    if arguments.call.name == "GRU" and arguments.flag("reset_after", True):
        biases = 2  # one for the input and one for the state, as cuDNN has them
    return _sequence(arguments, shape[:1], (units,)), gates * units * (features + units + biases * bias)


def _convolutional_lstm(arguments: Arguments, shape: Shape) -> tuple[Shape, int]:
    axes = rank(arguments.call.name)
    if len(shape) != axes + 2:
        raise Misfit(f"needs (time, {['rows', 'columns', 'depth'][:axes]}, channels), got {shape}")
    filters, kernel = arguments.count("filters"), arguments.window("kernel_size", axes)
    out, _ = window_rules.convolution(arguments, shape[1:])
    weights = prod(kernel) * (known_size(shape[-1]) + filters) + arguments.flag("use_bias", True)
    return _sequence(arguments, shape[:1], out), 4 * filters * weights  # four gates, as in LSTM


def _sequence(arguments: Arguments, time: Shape, state: Shape) -> Shape:
    if arguments.flag("return_state", False):
        raise Misfit("returns its state too, so a straight stack cannot hold it")
    if arguments.flag("return_sequences", False):
        return (*time, *state)
    return state


def _bidirectional(arguments: Arguments, shape: Shape) -> tuple[Shape, int]:
    inner = arguments.call.arguments.get("layer")
    if not isinstance(inner, LayerCall):
        raise Misfit("needs a recurrent layer")
    out, weights = apply(inner, shape, arguments.constants)
    mode = arguments.value("merge_mode", "concat")
    if mode is None:
        raise Misfit("gives two outputs, so a straight stack cannot hold it")
    if mode == "concat":
        out = (*out[:-1], 2 * known_size(out[-1]))
    return out, 2 * weights


def _time_distributed(arguments: Arguments, shape: Shape) -> tuple[Shape, int]:
    inner = arguments.call.arguments.get("layer")
    if not isinstance(inner, LayerCall):
        raise Misfit("needs a layer")
    if len(shape) < 2:
        raise Misfit(f"needs a time axis and at least one more, got {shape}")
    out, weights = apply(inner, shape[1:], arguments.constants)
    return (shape[0], *out), weights


def _scale_and_center(arguments: Arguments) -> int:
    return arguments.flag("scale", True) + arguments.flag("center", True)


def _axis_sizes(arguments: Arguments, shape: Shape) -> int:
    """The product of the sizes along `axis`, which counts the batch axis as 0."""
    axis = arguments.value("axis", -1)
    full = (None, *shape)
    axes = axis if isinstance(axis, tuple) else (axis,)
    sizes: list[int | None] = []
    for number in axes:
        if not isinstance(number, int) or not -len(full) <= number < len(full):
            raise Misfit(f"axis {axis} is not one of the {len(full)} axes")
        sizes.append(full[number])
    return prod(map(known_size, sizes))


def _batch_normalization(arguments: Arguments, shape: Shape) -> tuple[Shape, int]:
    # The moving mean and variance are counted too; they are not trained.
    return shape, _axis_sizes(arguments, shape) * (2 + _scale_and_center(arguments))


def _layer_normalization(arguments: Arguments, shape: Shape) -> tuple[Shape, int]:
    return shape, _axis_sizes(arguments, shape) * _scale_and_center(arguments)


def _rms_normalization(arguments: Arguments, shape: Shape) -> tuple[Shape, int]:
    return shape, _axis_sizes(arguments, shape)


def _group_normalization(arguments: Arguments, shape: Shape) -> tuple[Shape, int]:
    channels, groups = _axis_sizes(arguments, shape), arguments.value("groups", 32)
    if not isinstance(groups, int) or (groups != -1 and (groups < 1 or channels % groups)):
        raise Misfit(f"{channels} channels cannot be cut into {groups} groups")
    return shape, channels * _scale_and_center(arguments)


def _normalization(arguments: Arguments, shape: Shape) -> tuple[Shape, int]:
    if "mean" in arguments:
        return shape, 0
    # Mean and variance of each value, and the count that they were taken from.
    return shape, 2 * _axis_sizes(arguments, shape) + 1


def _parametric_relu(arguments: Arguments, shape: Shape) -> tuple[Shape, int]:
    shared = arguments.value("shared_axes", ())
    shared_axes = shared if isinstance(shared, tuple) else (shared,)
    slopes = 1
    for axis, size in enumerate(shape, 1):  # the batch axis is 0
        if axis not in shared_axes:
            slopes *= known_size(size)
    return shape, slopes


def _value_count(shape: Shape) -> int:
    """How many values one row has."""
    return prod(map(known_size, shape))


def _flatten(arguments: Arguments, shape: Shape) -> tuple[Shape, int]:
    if None in shape:
        return (None,), 0
    return (_value_count(shape),), 0


def _reshape(arguments: Arguments, shape: Shape) -> tuple[Shape, int]:
    stated = arguments.value("target_shape")
    sizes = stated if isinstance(stated, tuple) else (stated,)
    target = [size for size in sizes if isinstance(size, int)]
    open_size: int | None = None  # what -1 stands for
    if None not in shape:
        total = _value_count(shape)
        fixed = prod(size for size in target if size != -1)
        if -1 in target:
            fits = total % fixed == 0
            open_size = total // fixed
        else:
            fits = total == fixed
        if not fits:
            raise Misfit(f"{shape} has {total} values, {tuple(target)} has {fixed}")
    return tuple(open_size if size == -1 else size for size in target), 0


def _permute(arguments: Arguments, shape: Shape) -> tuple[Shape, int]:
    dims = arguments.value("dims")
    order: list[int] = []
    if isinstance(dims, tuple):
        order = [dim for dim in dims if isinstance(dim, int)]
    if sorted(order) != list(range(1, len(shape) + 1)):
        raise Misfit(f"{dims} is no order of the {len(shape)} axes of {shape}")
    return tuple(shape[dim - 1] for dim in order), 0


def _repeat_vector(arguments: Arguments, shape: Shape) -> tuple[Shape, int]:
    if len(shape) != 1:
        raise Misfit(f"needs one vector per row, got {shape}")
    return (arguments.count("n"), *shape), 0


def _of_ranks(pattern: str, rule: Rule) -> dict[str, Rule]:
    """The rule for a layer of one, two and three spatial axes; {} in the pattern stands for that number."""
    return {pattern.format(axes): rule for axes in (1, 2, 3)}


RULES: Mapping[str, Rule] = {
    **_of_ranks("Conv{}D", window_rules.convolution),
    **_of_ranks("Conv{}DTranspose", window_rules.transposed_convolution),
    **dict.fromkeys(
        ("DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D"), window_rules.depthwise_convolution
    ),
    **_of_ranks("MaxPooling{}D", window_rules.pooling),
    **_of_ranks("AveragePooling{}D", window_rules.pooling),
    **_of_ranks("GlobalMaxPooling{}D", window_rules.global_pooling),
    **_of_ranks("GlobalAveragePooling{}D", window_rules.global_pooling),
    **_of_ranks("AdaptiveMaxPooling{}D", window_rules.adaptive_pooling),
    **_of_ranks("AdaptiveAveragePooling{}D", window_rules.adaptive_pooling),
    **_of_ranks("UpSampling{}D", window_rules.up_sampling),
    **_of_ranks("ZeroPadding{}D", window_rules.zero_padding),
    **_of_ranks("Cropping{}D", window_rules.cropping),
    **_of_ranks("SpatialDropout{}D", _unchanged_spatial),
    **_of_ranks("ConvLSTM{}D", _convolutional_lstm),
    **dict.fromkeys(("LSTM", "GRU", "SimpleRNN"), _recurrent),
    **dict.fromkeys(("Resizing", "CenterCrop", "RandomCrop"), window_rules.resizing),
    **dict.fromkeys(
        ("RandomFlip", "RandomRotation", "RandomZoom", "RandomTranslation", "RandomContrast", "RandomBrightness"),
        _unchanged_image,
    ),
    **dict.fromkeys(
        ("Dropout", "AlphaDropout", "GaussianDropout", "GaussianNoise", "ActivityRegularization"), _unchanged
    ),
    **dict.fromkeys(("Activation", "ReLU", "LeakyReLU", "ELU", "Softmax"), _unchanged),
    **dict.fromkeys(("Identity", "Masking", "Rescaling", "UnitNormalization", "Input", "InputLayer"), _unchanged),
    "Dense": _dense,
    "Embedding": _embedding,
    "Bidirectional": _bidirectional,
    "TimeDistributed": _time_distributed,
    "BatchNormalization": _batch_normalization,
    "LayerNormalization": _layer_normalization,
    "RMSNormalization": _rms_normalization,
    "GroupNormalization": _group_normalization,
    "Normalization": _normalization,
    "PReLU": _parametric_relu,
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Permute": _permute,
    "RepeatVector": _repeat_vector,
}
