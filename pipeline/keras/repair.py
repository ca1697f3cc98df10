"""Puts a layer's name and arguments right for Keras 3, and says what it changed."""

from __future__ import annotations

import difflib
import re
from functools import lru_cache

from pipeline.keras.facts import Signature, backbones, canonical_layer, layer_names, signature
from pipeline.keras.layer_call import LayerCall, Symbol, Value
from pipeline.keras.spellings import (
    RENAMED_BACKBONES,
    RENAMED_KEYWORDS,
    RENAMED_LAYERS,
    TORCH_LAYERS,
    UNSPECIFIED,
)
from pipeline.keras.values import Unusable, activation_name, checked

MERGING_LAYERS = frozenset({"Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract"})
"""Layers of several inputs whose function form (`concatenate([a, b])`) takes these as its first argument."""

_WHOLE_SHAPE = {"Input": "shape", "Reshape": "target_shape", "Permute": "dims"}
_REMOVED = frozenset({"input_length", "batch_shape", "input_tensor", "classes", "classifier_activation"})
"""Arguments that Keras 3 ignores, or that make no sense for a layer in a stack."""


@lru_cache(maxsize=4096)
def layer_named(written: str) -> str | None:
    """The Keras 3 layer or backbone meant by a bare name, or None: "conv2d", "CuDNNLSTM", "EfficientNetb0", "add".

    Activation names count ("relu" -> ReLU where Keras has a layer of it, else Activation), and so do the aliases
    that Keras keeps (MaxPool2D stays MaxPool2D).
    """
    if written in layer_names() and not written.startswith("Convolution"):
        return written
    folded = written.lower()
    if folded in RENAMED_LAYERS:
        return RENAMED_LAYERS[folded]
    # A backbone's family is written with capitals ("ResNet"); in lower case it is some other function's name.
    if folded != written and folded in RENAMED_BACKBONES:
        return RENAMED_BACKBONES[folded]
    if folded in _folded_names():
        return _folded_names()[folded]
    if folded in ("linear", "threshold", "identity") or activation_name(written) is None:
        return None
    return "Activation"


@lru_cache(maxsize=1)
def _folded_names() -> dict[str, str]:
    """Layers and backbones by their names in lower case."""
    names: dict[str, str] = {}
    for name in sorted(layer_names()):
        if not name.startswith("Convolution"):  # Keras 1's names, which Keras keeps as aliases
            names[name.lower()] = name
    for name in backbones():
        names[name.lower()] = name
    return names


def repaired(
    written: str, args: tuple[Value, ...], keywords: tuple[tuple[str, Value], ...], *, positional: bool = False
) -> LayerCall | None:
    """The call that Keras 3 accepts; None where the name, or a required argument without a default, is not known.

    With `positional`, required arguments given by keyword are written without it: `Dense(128)`.
    """
    name = layer_named(written)
    if name is None:
        return None
    known = _signature(name)
    if known is None:
        return None
    repairs: list[str] = []
    if written.lower() in RENAMED_LAYERS and written != "InputLayer":
        repairs.append(f"{written} is {name} in Keras 3")
    args, keywords = _rearranged(written, name, args, keywords)
    if len(args) > len(known.positional):
        repairs.append(f"{name} takes {len(known.positional)} positional arguments, not {len(args)}")

    arguments: dict[str, Value] = {}
    for parameter, value in zip(known.positional, args, strict=False):
        _take(name, parameter, value, arguments, repairs)
    for keyword, value in keywords:
        meant = _parameter(name, keyword)
        if meant is None:
            repairs.append(f"{name} has no argument '{keyword}'")
        elif meant in arguments or meant in _REMOVED:
            repairs.append(f"{name}: {keyword} left out")
        else:
            if meant != keyword:
                repairs.append(f"{name}: '{keyword}' is '{meant}'")
            _take(name, meant, value, arguments, repairs)
    return _completed(name, arguments, len(args), repairs, positional)


def _signature(name: str) -> Signature | None:
    if name in backbones():
        return signature(f"applications.{name}")
    return signature(f"layers.{name}")


def _take(name: str, parameter: str, value: Value, arguments: dict[str, Value], repairs: list[str]) -> None:
    """Puts the checked value among the arguments; a value that changes or is of no use leaves a repair."""
    try:
        usable = checked(canonical_layer(name), parameter, value)
    except Unusable as reason:
        repairs.append(f"{name}: {parameter} left out, {reason}")
        return
    arguments[parameter] = usable
    if isinstance(value, int | float) and usable != value:
        repairs.append(f"{name}: {parameter} {value} read as {_shown(usable)}")


def _rearranged(
    written: str, name: str, args: tuple[Value, ...], keywords: tuple[tuple[str, Value], ...]
) -> tuple[tuple[Value, ...], tuple[tuple[str, Value], ...]]:
    """Arguments in Keras 3's order, for callers of PyTorch, of Keras 1 and of the function forms."""
    if name in MERGING_LAYERS or name in backbones():
        return (), keywords
    if written in TORCH_LAYERS and len(args) > 1:
        return args[1:], keywords  # without the input channels, which Keras infers
    if written.startswith("Convolution") and len(args) > 2:  # Keras 1: filters, rows, columns
        return (args[0], args[1:3]), keywords
    if name == "Activation" and layer_named(written) == "Activation" and written.lower() != "activation":
        return (written,), ()
    if name in _WHOLE_SHAPE and len(args) > 1 and all(isinstance(arg, int) for arg in args):
        return (args,), keywords
    if name == "Dense" and args and isinstance(args[0], str | Symbol) and activation_name(str(args[0])):
        return (), (("activation", args[0]), *keywords)  # Dense(softmax)
    if name == "GroupNormalization" and written.lower().startswith("instance"):
        return (-1,), ()  # a group for each channel, which is what instance normalization is
    return args, keywords


def _parameter(name: str, keyword: str) -> str | None:
    """The parameter meant by a keyword: itself, its name in Keras 3, or the one it is a misspelling of."""
    known = _signature(name)
    if known is None:
        return None
    if name in ("LeakyReLU", "Embedding"):
        # Both are gone from the signatures: LeakyReLU's slope has a new name, and input_length is in _REMOVED.
        if keyword == "alpha":
            return "negative_slope"
        if keyword == "input_length":
            return "input_length"
    if known.accepts(keyword):
        return keyword
    renamed = RENAMED_KEYWORDS.get(keyword)
    if renamed is not None and known.accepts(renamed):
        return renamed
    close = difflib.get_close_matches(keyword, known.names, 1, cutoff=0.8)
    if not close:
        return None
    return close[0]


def _completed(
    name: str, arguments: dict[str, Value], by_position: int, repairs: list[str], positional: bool
) -> LayerCall | None:
    """The call with every required argument; None where one has no default.

    The first `by_position` arguments, and with `positional` the required ones, are written without their names.
    """
    known = _signature(name)
    assert known is not None
    if name in backbones() and arguments.get("include_top") is not False:
        repairs.append(f"{name} is used without its top")
        arguments.pop("include_top", None)
        arguments = {"include_top": False} | arguments
    if name == "Input" and "shape" not in arguments:
        if "input_shape" not in arguments:
            return LayerCall(name, (), tuple(arguments.items()), tuple(repairs))
        arguments["shape"] = arguments.pop("input_shape")
    defaults = UNSPECIFIED.get(canonical_layer(name), {})
    inferred: set[str] = set()
    if positional:
        inferred |= set(known.required)
    for parameter in (*known.required, *defaults):
        if parameter in arguments:
            continue
        if parameter not in defaults:
            return None
        arguments[parameter] = defaults[parameter]
        inferred.add(parameter)
        repairs.append(f"{name}: {parameter} is not given, {_shown(defaults[parameter])} taken")
    if _exceeds_one(arguments.get("strides")) and _exceeds_one(arguments.get("dilation_rate")):
        del arguments["dilation_rate"]
        repairs.append(f"{name}: strides and dilation_rate exclude each other")
    args: list[Value] = []
    for index, parameter in enumerate(known.positional):
        # Positions have no gaps: what follows a parameter that is left out is written with its name.
        if parameter not in arguments or not (index < by_position or parameter in inferred):
            break
        args.append(arguments.pop(parameter))
    return LayerCall(name, tuple(args), tuple(arguments.items()), tuple(repairs))


def _exceeds_one(window: Value) -> bool:
    sizes = window if isinstance(window, tuple) else (window,)
    return any(isinstance(size, int) and size > 1 for size in sizes)


def _shown(value: Value) -> str:
    if isinstance(value, LayerCall):
        return value.source("")
    return re.sub(r"Symbol\(text='(.*)'\)", r"\1", repr(value))
