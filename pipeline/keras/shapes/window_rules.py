"""Output shapes and parameter counts of layers that slide a window or change sizes: convolutions, pooling, padding,
resizing, and the backbones made of them.

The arithmetic is that of Keras with channels last: `compute_conv_output_shape`, `compute_pooling_output_shape` and
`compute_conv_transpose_output_shape` of keras.src, checked against real layers in tests/pipeline/keras.
"""

from __future__ import annotations

from math import prod

from pipeline.keras.facts import backbones
from pipeline.keras.shapes.arguments import Arguments, Misfit, Shape
from pipeline.keras.values import rank

_AXES = {1: "(steps, features)", 2: "(height, width, channels)", 3: "(depth, height, width, channels)"}


def spatial(arguments: Arguments, shape: Shape) -> tuple[int, Shape, int]:
    """The layer's number of spatial axes, their sizes in the input, and the input's channels."""
    axes = rank(arguments.call.name)
    if len(shape) != axes + 1:
        raise Misfit(f"needs {_AXES[axes]}, got {shape}")
    return axes, shape[:-1], known_size(shape[-1])


def known_size(size: int | None) -> int:
    if size is None:
        raise Misfit("the size of the last axis is not known")
    return size


def window_count(size: int | None, window: int, stride: int, padding: str, dilation: int = 1) -> int | None:
    """The output size of a window sliding over one axis, with padding 'valid', 'same' or 'causal'."""
    if size is None:
        return None
    if padding != "valid":
        return -(-size // stride)  # rounded up
    reach = dilation * (window - 1) + 1
    if size < reach:
        raise Misfit(f"a window of {reach} does not fit in {size}")
    return (size - reach) // stride + 1


def _window_counts(
    sizes: Shape, window: tuple[int, ...], strides: tuple[int, ...], padding: str, dilation: tuple[int, ...]
) -> Shape:
    counts: list[int | None] = []
    try:
        for size, reach, stride, step in zip(sizes, window, strides, dilation, strict=True):
            counts.append(window_count(size, reach, stride, padding, step))
    except Misfit as reason:
        if set(sizes) == {1}:
            raise Misfit(f"the {_described(sizes)} already") from None
        raise Misfit(f"{reason} (the {_described(sizes)})") from None
    return tuple(counts)


def _described(sizes: Shape) -> str:
    """As in "sequence is 5 long", "image is 3x4"."""
    if len(sizes) == 1:
        return f"sequence is {sizes[0]} long"
    kind = "image" if len(sizes) == 2 else "volume"
    return f"{kind} is {'x'.join(map(str, sizes))}"


def convolution(arguments: Arguments, shape: Shape) -> tuple[Shape, int]:
    axes, sizes, channels = spatial(arguments, shape)
    filters, kernel = arguments.count("filters"), arguments.window("kernel_size", axes)
    strides, dilation = arguments.window("strides", axes, 1), arguments.window("dilation_rate", axes, 1)
    groups = arguments.count("groups", 1)
    if max(strides) > 1 and max(dilation) > 1:
        raise Misfit("strides and dilation_rate exclude each other")
    if channels % groups or filters % groups:
        raise Misfit(f"{groups} groups divide neither {channels} channels nor {filters} filters evenly")
    out = _window_counts(sizes, kernel, strides, arguments.text("padding", "valid"), dilation)
    weights = prod(kernel) * (channels // groups) * filters + filters * arguments.flag("use_bias", True)
    return (*out, filters), weights


def transposed_convolution(arguments: Arguments, shape: Shape) -> tuple[Shape, int]:
    axes, sizes, channels = spatial(arguments, shape)
    filters, kernel = arguments.count("filters"), arguments.window("kernel_size", axes)
    strides, dilation = arguments.window("strides", axes, 1), arguments.window("dilation_rate", axes, 1)
    same = arguments.text("padding", "valid") == "same"
    extra = None
    if arguments.value("output_padding") is not None:
        extra = arguments.window("output_padding", axes, least=0)
    out: list[int | None] = []
    for axis, size in enumerate(sizes):
        reach = kernel[axis] + (kernel[axis] - 1) * (dilation[axis] - 1)
        if size is None:
            out.append(None)
        elif extra is not None:
            grown = (size - 1) * strides[axis] + reach + extra[axis]
            if same:
                grown -= 2 * (reach // 2)
            out.append(grown)
        elif same:
            out.append(size * strides[axis])
        else:
            out.append(size * strides[axis] + max(reach - strides[axis], 0))
    weights = prod(kernel) * channels * filters + filters * arguments.flag("use_bias", True)
    return (*out, filters), weights


def depthwise_convolution(arguments: Arguments, shape: Shape) -> tuple[Shape, int]:
    """DepthwiseConv, and SeparableConv, which adds a 1x1 convolution over the channels."""
    axes, sizes, channels = spatial(arguments, shape)
    kernel, strides = arguments.window("kernel_size", axes), arguments.window("strides", axes, 1)
    if len(set(strides)) > 1:
        raise Misfit("TensorFlow computes depthwise convolutions with equal strides only")
    dilation = arguments.window("dilation_rate", axes, 1)
    if max(strides) > 1 and max(dilation) > 1:
        raise Misfit("strides and dilation_rate exclude each other")
    depth = channels * arguments.count("depth_multiplier", 1)
    out = _window_counts(sizes, kernel, strides, arguments.text("padding", "valid"), dilation)
    weights, channels_out = prod(kernel) * depth, depth
    if arguments.call.name.startswith("Separable"):
        channels_out = arguments.count("filters")
        weights += depth * channels_out
    return (*out, channels_out), weights + channels_out * arguments.flag("use_bias", True)


def pooling(arguments: Arguments, shape: Shape) -> tuple[Shape, int]:
    axes, sizes, channels = spatial(arguments, shape)
    default = 2 if arguments.call.name.startswith("Max") else None  # AveragePooling has none
    window = arguments.window("pool_size", axes, default)
    strides = arguments.window("strides", axes, window)
    return (*_window_counts(sizes, window, strides, arguments.text("padding", "valid"), (1,) * axes), channels), 0


def global_pooling(arguments: Arguments, shape: Shape) -> tuple[Shape, int]:
    axes, _, channels = spatial(arguments, shape)
    if arguments.flag("keepdims", False):
        return (*(1,) * axes, channels), 0
    return (channels,), 0


def adaptive_pooling(arguments: Arguments, shape: Shape) -> tuple[Shape, int]:
    axes, _, channels = spatial(arguments, shape)
    return (*arguments.window("output_size", axes), channels), 0


def up_sampling(arguments: Arguments, shape: Shape) -> tuple[Shape, int]:
    axes, sizes, channels = spatial(arguments, shape)
    factors = arguments.window("size", axes, 2)
    out: list[int | None] = []
    for size, factor in zip(sizes, factors, strict=True):
        out.append(None if size is None else size * factor)
    return (*out, channels), 0


def zero_padding(arguments: Arguments, shape: Shape) -> tuple[Shape, int]:
    axes, sizes, channels = spatial(arguments, shape)
    added = arguments.amounts("padding", axes, 1)
    out: list[int | None] = []
    for size, (before, after) in zip(sizes, added, strict=True):
        # An axis that is open or empty stays as it is.
        out.append(before + size + after if size else size)
    return (*out, channels), 0


def cropping(arguments: Arguments, shape: Shape) -> tuple[Shape, int]:
    axes, sizes, channels = spatial(arguments, shape)
    default = 0 if axes == 2 else 1  # Cropping2D, alone of the three, is documented to cut nothing by default
    cut = arguments.amounts("cropping", axes, default)
    out: list[int | None] = []
    for size, (before, after) in zip(sizes, cut, strict=True):
        left = None if size is None else size - before - after
        if left is not None and left < 1:
            raise Misfit(f"nothing is left of {shape}")
        out.append(left)
    return (*out, channels), 0


def resizing(arguments: Arguments, shape: Shape) -> tuple[Shape, int]:
    """Resizing, CenterCrop and RandomCrop: images of a stated height and width."""
    return (arguments.count("height"), arguments.count("width"), image(shape)[2]), 0


def image(shape: Shape) -> Shape:
    if len(shape) != 3:
        raise Misfit(f"needs {_AXES[2]}, got {shape}")
    return shape


def backbone(arguments: Arguments, shape: Shape) -> tuple[Shape, int]:
    """A keras.applications model without its top, on images of three channels."""
    facts = backbones()[arguments.call.name]
    height, width, channels = image(shape)
    if channels != 3:
        raise Misfit(f"needs images of 3 channels, got {channels}")
    for size in (height, width):
        if size is not None and size < facts.smallest:
            raise Misfit(f"needs images of at least {facts.smallest}x{facts.smallest}, got {height}x{width}")
    if arguments.text("pooling", "") in ("avg", "max"):
        return (facts.channels,), facts.parameters
    sized = "input_shape" in arguments
    even_only = arguments.call.name.startswith("NASNet") and not sized
    rows = _after_steps(height, facts.spatial, sized, even_only)
    columns = _after_steps(width, facts.spatial, sized, even_only)
    return (rows, columns, facts.channels), facts.parameters


def _after_steps(size: int | None, steps: tuple[str, ...], sized: bool, even_only: bool) -> int | None:
    """The size after a backbone's steps, in the notation of `make_backbones`.

    `sized`: the backbone is built with `input_shape`. `even_only`: windows with correct_pad and with padding 'same'
    stand side by side, which agree on even sizes only.
    """
    for step in steps:
        first, second = map(int, step[1:].replace("/", ",").split(","))
        if size is None:
            return None
        if step[0] == "p":
            size += first + second
        elif step[0] == "c" and even_only and size % 2:
            raise Misfit("needs input_shape for an image size that does not halve evenly")
        elif step[0] == "c" and not sized:
            size = window_count(size + 2 * (first // 2) - 1, first, second, "valid")
        elif step[0] == "v":
            size = window_count(size, first, second, "valid")
        else:
            size = window_count(size, first, second, "same")
    return size
