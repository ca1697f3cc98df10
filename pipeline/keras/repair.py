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
    if found := RENAMED_LAYERS.get(folded) or RENAMED_BACKBONES.get(folded if folded != written else ""):
        return found
    if found := _folded_names().get(folded):
        return found
    return "Activation" if activation_name(written) and folded not in ("linear", "threshold", "identity") else None


@lru_cache(maxsize=1)
def _folded_names() -> dict[str, str]:
    names = {name.lower(): name for name in sorted(layer_names()) if not name.startswith("Convolution")}
    return names | {name.lower(): name for name in backbones()}


def repaired(
    written: str, args: tuple[Value, ...], keywords: tuple[tuple[str, Value], ...], *, positional: bool = False
) -> LayerCall | None:
    """The call that Keras 3 accepts; None where the name, or a required argument without a default, is not known.

    With `positional`, required arguments given by keyword are written without it: `Dense(128)`.
    """
    name = layer_named(written)
    known = _signature(name) if name else None
    if name is None or known is None:
        return None
    repairs = (
        [f"{written} is {name} in Keras 3"] if written.lower() in RENAMED_LAYERS and written != "InputLayer" else []
    )
    args, keywords = _rearranged(written, name, args, keywords)
    if len(args) > len(known.positional):
        repairs.append(f"{name} takes {len(known.positional)} positional arguments, not {len(args)}")

    given: dict[str, Value] = {}
    for parameter, value in zip(known.positional, args, strict=False):
        _take(name, parameter, value, given, repairs)
    for keyword, value in keywords:
        meant = _parameter(name, keyword)
        if meant is None:
            repairs.append(f"{name} has no argument '{keyword}'")
        elif meant in given or meant in _REMOVED:
            repairs.append(f"{name}: {keyword} left out")
        else:
            if meant != keyword:
                repairs.append(f"{name}: '{keyword}' is '{meant}'")
            _take(name, meant, value, given, repairs)
    return _completed(name, given, len(args), repairs, positional)


def _signature(name: str) -> Signature | None:
    return signature(f"applications.{name}" if name in backbones() else f"layers.{name}")


def _take(name: str, parameter: str, value: Value, given: dict[str, Value], repairs: list[str]) -> None:
    """Puts the checked value among the given ones; a value that changes or is of no use leaves a repair."""
    try:
        given[parameter] = checked(canonical_layer(name), parameter, value)
    except Unusable as reason:
        repairs.append(f"{name}: {parameter} left out, {reason}")
        return
    if isinstance(value, int | float) and given[parameter] != value:
        repairs.append(f"{name}: {parameter} {value} read as {_shown(given[parameter])}")


def _rearranged(
    written: str, name: str, args: tuple[Value, ...], keywords: tuple[tuple[str, Value], ...]
) -> tuple[tuple[Value, ...], tuple[tuple[str, Value], ...]]:
    """Arguments in Keras 3's order, for callers of PyTorch, of Keras 1 and of the function forms."""
    if name in MERGING_LAYERS or name in backbones():
        return (), keywords
    if written in TORCH_LAYERS and len(args) > 1:
        return args[1:], keywords
    if written.startswith("Convolution") and len(args) > 2:  # Keras 1: filters, rows, columns
        return (args[0], args[1:3]), keywords
    if name == "Activation" and layer_named(written) == "Activation" and written.lower() != "activation":
        return (written,), ()
    if name in _WHOLE_SHAPE and len(args) > 1 and all(isinstance(arg, int) for arg in args):
        return (args,), keywords
    if name == "Dense" and args and isinstance(args[0], str | Symbol) and activation_name(str(args[0])):
        return (), (("activation", args[0]), *keywords)  # Dense(softmax)
    if name == "GroupNormalization" and written.lower().startswith("instance"):
        return (-1,), ()
    return args, keywords


def _parameter(name: str, keyword: str) -> str | None:
    """The parameter meant by a keyword: itself, its name in Keras 3, or the one it is a misspelling of."""
    known = _signature(name)
    if known is None:
        return None
    if keyword in ("alpha", "input_length") and name in ("LeakyReLU", "Embedding"):
        return "negative_slope" if keyword == "alpha" else "input_length"
    if known.accepts(keyword):
        return keyword
    if (renamed := RENAMED_KEYWORDS.get(keyword)) and known.accepts(renamed):
        return renamed
    return next(iter(difflib.get_close_matches(keyword, known.names, 1, cutoff=0.8)), None)


def _completed(
    name: str, given: dict[str, Value], by_position: int, repairs: list[str], positional: bool
) -> LayerCall | None:
    known = _signature(name)
    assert known is not None
    if name in backbones() and given.get("include_top") is not False:
        repairs.append(f"{name} is used without its top")
        given = {"include_top": False} | {key: value for key, value in given.items() if key != "include_top"}
    if name == "Input" and "shape" not in given:
        if "input_shape" in given:
            given["shape"] = given.pop("input_shape")
        else:
            return LayerCall(name, (), tuple(given.items()), tuple(repairs))
    defaults = UNSPECIFIED.get(canonical_layer(name), {})
    inferred = set(known.required) if positional else set()
    for parameter in (*known.required, *defaults):
        if parameter in given:
            continue
        if parameter not in defaults:
            return None
        given[parameter] = defaults[parameter]
        inferred.add(parameter)
        repairs.append(f"{name}: {parameter} is not given, {_shown(defaults[parameter])} taken")
    if _more_than_one(given.get("strides")) and _more_than_one(given.get("dilation_rate")):
        del given["dilation_rate"]
        repairs.append(f"{name}: strides and dilation_rate exclude each other")
    args: list[Value] = []
    for index, parameter in enumerate(known.positional):
        if parameter not in given or not (index < by_position or parameter in inferred):
            break
        args.append(given.pop(parameter))
    return LayerCall(name, tuple(args), tuple(given.items()), tuple(repairs))


def _more_than_one(value: Value) -> bool:
    return any(isinstance(item, int) and item > 1 for item in (value if isinstance(value, tuple) else (value,)))


def _shown(value: Value) -> str:
    return value.source("") if isinstance(value, LayerCall) else re.sub(r"Symbol\(text='(.*)'\)", r"\1", repr(value))
