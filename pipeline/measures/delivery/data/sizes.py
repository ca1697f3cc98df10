"""Sizes of inputs and outputs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache

from pipeline.analysis.preparation import image_size_of
from pipeline.analysis.values import Call, Unknown
from pipeline.measures.delivery.code import Check, Code
from pipeline.measures.delivery.findings import (
    AT_RUN_TIME,
    Finding,
    Found,
    equal,
    is_known,
    met,
    missing,
    one_of,
    shown,
    unknown,
)
from pipeline.measures.delivery.layers import (
    RECURRENT,
    is_convolution,
)
from pipeline.request.constraints import Constraint

IN_THE_DATA = "it lies in the data, which are not read here"

# Names that hold a size, in snake case.
_NAMES = {
    "height": r"(\w+_)?height|img_h|image_h|img_rows|((img|image|input|target|photo|resize|crop)_?)(size|dim|dims|shape)|size",
    "width": r"(\w+_)?width|img_w|image_w|img_cols|((img|image|input|target|photo|resize|crop)_?)(size|dim|dims|shape)|size",
    "channels": r"((num|n|image|img|input|number_of)_)*channels?",
    "depth": r"(\w+_)?(depth|slices)",
    "frames": r"(\w+_)?(frames|num_frames|frame_count|sequence_length|seq_len(gth)?|timesteps|time_steps)",
    "length": r"(\w+_)?(max_?len(gth)?|seq(uence)?_?len(gth)?|look_?back|window(_size|_length)?|time_?steps|n_steps|num_steps|"
    r"input_length|history_(size|length)|max_(seq|sequence)_len(gth)?|n_past|maxlen|context_length|input_width)",
    "horizon": r"(\w+_)?(horizon|forecast\w*|n_out|n_future|future\w*|steps_ahead|pred(iction)?_(len|length|steps|window|hours|days)|"
    r"out(put)?_steps|target_(len|length|size)|n_steps_out)",
    "features": r"(n|num|number_of)?_?(features|inputs|variables|columns|predictors)|(input|feature)_(dim|size|count)|n_feats?",
    "vocabulary": r"(\w+_)?vocab(ulary)?(_size)?|max_(features|words|tokens|vocab\w*|nb_words)|num_words|(n|num)_(words|tokens)|vocab\w*",
    "latent": r"(\w+_)?(latent|noise|z|code|codings?|bottleneck|encoding)(_?(dim|dims|size|units|vector_size))?|nz|z_dim",
    "scale": r"(\w+_)?(scale|upscale|up_?scal\w+)(_factor)?|block_size",
    "sample_rate": r"(\w+_)?(sample_?rate|sampling_rate|sr|target_sr|orig_sr|fs|rate_hz)",
    "duration": r"(\w+_)?(duration|seconds|secs|clip_(len|length|seconds))(_\w+)?",
    "nodes": r"(n|num)_?nodes|nodes",
    "users": r"(n|num|max)_?users|user_(count|vocab\w*|dim)",
    "items": r"(n|num|max)_?(items|movies|books|products|recipes|\w+s)|item_(count|vocab\w*)",
    "outputs": r"(n|num)_?(outputs|targets)|output_(dim|size|units)",
}  # fmt: skip


@lru_cache(maxsize=1)  # each check of a size asks for them
def shapes(code: Code) -> tuple[Found, ...]:
    """The shapes that inputs state, without the batch axis, channels last; sizes that are not known are ANY."""
    found: list[Found] = []
    for call in code.calls:
        if call.layer is None:
            continue
        batched = call.argument(-1, "batch_shape", "batch_input_shape")
        shape = call.argument(0, "shape", "input_shape") if call.name in ("Input", "InputLayer") else None
        if shape is None and "input_shape" in call.keywords:
            shape = call.keywords["input_shape"]
        if isinstance(batched, list | tuple):
            shape = batched[1:]
        if shape is None and call.name == "Dense" and "input_dim" in call.keywords:
            shape = (call.keywords["input_dim"],)
        if shape is None and call.name == "Embedding" and call.keywords.get("input_length") is not None:
            shape = (call.keywords["input_length"],)
        if isinstance(shape, int):
            shape = (shape,)
        if isinstance(shape, list | tuple):
            found.append(Found(tuple(shape), call.line))
        elif shape is Unknown.ANY or shape is Unknown.SIZE:
            found.append(Found(Unknown.ANY, call.line))
    return tuple(found)


def _axis(code: Code, ranks: Iterable[int], axis: int) -> list[Found]:
    """The sizes on one axis of those inputs that have such a rank; ANY where the whole shape is not known."""
    found: list[Found] = []
    for item in shapes(code):
        if not isinstance(item.value, tuple):
            found.append(item)
        elif len(item.value) in ranks:
            size = item.value[axis]
            found.append(Found(size if is_known(size) else Unknown.ANY, item.line))
    return found


def _image_axis(code: Code, name: str) -> list[Found]:
    side = 0 if name == "height" else 1
    found = _axis(code, (3,), side) + _axis(code, (4,), side + 1)
    if any(layer.kind == "Flatten" or is_convolution(layer.kind) for layer in code.layers):
        found += [item for item in _axis(code, (2,), side) if is_known(item.value)]
    if any(is_known(item.value) for item in found):
        return found
    for call in code.calls:
        size = _resized(call)
        if size is not None:
            found.append(Found(size[side], call.line))
    return found


def _resized(call: Call) -> tuple[object, object] | None:
    """Height and width to which images are brought."""
    if call.name in ("Resize", "RandomResizedCrop", "CenterCrop") and call.layer is None:
        size = call.argument(0, "size")
        if isinstance(size, int):
            return size, size
        return (size[0], size[1]) if isinstance(size, tuple | list) and len(size) == 2 else None
    pair = image_size_of(call)
    if pair is not None and call.name == "resize" and len(call.args) == 1:  # PIL's counts width first
        return pair[1], pair[0]
    return pair


def _named(code: Code, name: str) -> list[Found]:
    """Constants under the names that are usual for the size; of a shape, the part."""
    found: list[Found] = []
    for item in code.values(_NAMES[name]):
        value = item.value
        if item.name == "size" or code.is_made_up(item.line):  # `rng.normal(size=200)`
            continue
        if isinstance(value, list | tuple):
            part = {"height": 0, "width": 1, "channels": -1}.get(name)
            if part is None or len(value) < 2 or (part == -1 and len(value) < 3):
                continue
            value = value[part]
        if is_known(value):
            found.append(Found(value, item.line, item.name))
    return found


def _size(read: Callable[[Code], list[Found]], name: str, nothing: str, *, names_count: bool = False) -> Check:
    """The sizes that inputs state; where those are not known, constants under the usual names, which always count
    where `names_count`."""

    def find(constraint: Constraint, code: Code) -> Finding:
        found = read(code)
        known = [item for item in found if is_known(item.value)]
        named = _named(code, name)
        if names_count or not known:
            known += named
        if not known and found:
            return unknown(AT_RUN_TIME)
        return one_of(known, constraint.value, missing(nothing + _instead(code)))

    return find


def _instead(code: Code) -> str:
    known = [item for item in shapes(code) if isinstance(item.value, tuple)]
    if not known:
        return ""
    sizes = ", ".join("?" if isinstance(size, Unknown) else shown(size) for size in known[0].value)  # type: ignore[attr-defined]
    return f": the input is ({sizes})"


def _channels(code: Code) -> list[Found]:
    """Of the inputs; where these do not say, of how images are read: in colour, unless told otherwise."""
    found = _axis(code, (2, 3, 4), -1)
    # A generator's first convolution reads no picture: of two networks the fewest channels count.
    of_two = code.word("discriminator|critic") is not None
    first = [layer for layer in code.layers if layer.library == "torch" and is_convolution(layer.kind)]
    read = [Found(layer.value("inputs"), layer.line) for layer in first]
    if of_two:
        read = [item for item in read if isinstance(item.value, int)]
        read.sort(key=lambda item: int(str(item.value)))
    found += read[:1]
    if any(is_known(item.value) for item in found):
        return found
    for call in code.calls_named(r"load_img|flow_from_\w+|image_dataset_from_directory"):
        mode = call.keywords.get("color_mode", "rgb")
        found.append(Found({"grayscale": 1, "rgb": 3, "rgba": 4}.get(str(mode), Unknown.ANY), call.line))
    for call in code.calls_named("Grayscale"):
        found.append(Found(call.keywords.get("num_output_channels", 1), call.line))
    return found


def _length(code: Code) -> list[Found]:
    found = _axis(code, (2,), 0)
    if any(layer.kind == "Embedding" for layer in code.all_layers):
        found += _axis(code, (1,), 0)
    for call in code.calls:
        if call.name == "pad_sequences":
            found.append(Found(call.argument(1, "maxlen"), call.line))
        elif call.name == "TextVectorization" or call.name == "timeseries_dataset_from_array":
            found.append(Found(call.argument(-1, "output_sequence_length", "sequence_length"), call.line))
        elif isinstance(call.keywords.get("max_length"), int):
            found.append(Found(call.keywords["max_length"], call.line))
    return found


def _features(code: Code) -> list[Found]:
    found = _axis(code, (1, 2), -1)
    first = next((layer for layer in code.layers if layer.library == "torch"), None)
    if first is not None and first.kind in {"Dense", *RECURRENT}:
        found.append(Found(first.value("inputs"), first.line))
    for item in code.named:
        if isinstance(item.value, list | tuple) and re.search("feature|column|predictor|numeric", item.name.lower()):
            found.append(Found(len(item.value), item.line))
    return found


def _of_layers(kind: str, name: str) -> Callable[[Code], list[Found]]:
    return lambda code: [Found(layer.value(name), layer.line) for layer in code.all_layers if layer.kind == kind]


def _vocabulary(code: Code) -> list[Found]:
    found = _of_layers("Embedding", "input_dim")(code)
    for call in code.calls:
        if call.name in ("TextVectorization", "Tokenizer", "load_data", "StringLookup"):
            found.append(Found(call.argument(-1, "max_tokens", "num_words"), call.line))
    return found


def _latent(code: Code) -> list[Found]:
    named = [
        layer for layer in code.all_layers if re.search("latent|z_mean|bottleneck|encod|code", str(layer.value("name")))
    ]
    # The latent factors of users and items are vectors that are looked up.
    named = named or [layer for layer in code.all_layers if layer.kind == "Embedding"]
    return [Found(layer.size, layer.line) for layer in named]


def output_sizes(code: Code) -> list[Found]:
    return [Found(head.size, head.line) for head in code.heads]


def _scale(code: Code) -> list[Found]:
    found: list[Found] = []
    for call in code.calls_named("depth_to_space|PixelShuffle"):
        found.append(
            Found(call.argument(0 if call.name == "PixelShuffle" else 1, "block_size", "upscale_factor"), call.line)
        )
    factor = 1
    for layer in code.layers:
        size: object = None
        if layer.kind.startswith("UpSampling"):
            size = layer.value("size") or 2
        elif layer.kind.endswith("Transpose"):
            size = layer.value("strides")
        size = size[0] if isinstance(size, tuple | list) and size else size
        if isinstance(size, int) and size > 1:
            factor *= size
            found.append(Found(factor, layer.line))
    return found


def _sample_rate(code: Code) -> list[Found]:
    return [Found(call.keywords["sr"], call.line) for call in code.calls if call.keywords.get("sr") is not None]


def _nothing(code: Code) -> list[Found]:
    return []


def _horizon(constraint: Constraint, code: Code) -> Finding:
    found = [*output_sizes(code), *_named(code, "horizon")]
    for layer in code.all_layers:  # 12 steps of 3 series: `Dense(36)`, `Reshape((12, 3))`
        shape = layer.value("target_shape") if layer.kind == "Reshape" else None
        if isinstance(shape, tuple | list) and len(shape) == 2:
            found.append(Found(shape[0], layer.line))
    return one_of(found, constraint.value, missing("no output layer found"))


def _or_in_the_data(name: str) -> Check:
    """A count that the code may state; where it does not, it comes from the data."""

    def find(constraint: Constraint, code: Code) -> Finding:
        for item in [*_named(code, name), *_of_layers("Embedding", "input_dim")(code)]:
            if equal(item.value, constraint.value):
                return met(item.line)
        return unknown(IN_THE_DATA)

    return find


def in_the_data(constraint: Constraint, code: Code) -> Finding:
    return unknown(IN_THE_DATA)


SIZES: dict[str, Check] = {
    "height": _size(lambda code: _image_axis(code, "height"), "height", "no image input"),
    "width": _size(lambda code: _image_axis(code, "width"), "width", "no image input"),
    "channels": _size(_channels, "channels", "no input with channels"),
    "depth": _size(lambda code: _axis(code, (4,), 0) + _axis(code, (4,), 2), "depth", "no input with a depth"),
    "frames": _size(lambda code: _axis(code, (4, 5), 0), "frames", "no input of frames"),
    "length": _size(_length, "length", "no sequence", names_count=True),
    "horizon": _horizon,
    "features": _size(_features, "features", "no input of features"),
    "vocabulary": _size(_vocabulary, "vocabulary", "no vocabulary", names_count=True),
    "latent": _size(_latent, "latent", "no latent size", names_count=True),
    "outputs": _size(output_sizes, "outputs", "no output layer"),
    "scale": _size(_scale, "scale", "nothing is scaled up", names_count=True),
    "sample_rate": _size(_sample_rate, "sample_rate", "no sample rate", names_count=True),
    "duration": _size(_nothing, "duration", "no duration"),
    "nodes": _or_in_the_data("nodes"),
    "users": _or_in_the_data("users"),
    "items": _or_in_the_data("items"),
    "examples": in_the_data,
}
