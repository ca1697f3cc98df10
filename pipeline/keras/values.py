"""One argument value at a time: what Keras 3 takes for a parameter, or why it takes nothing of the kind.

`checked(layer, parameter, value)` gives a usable value, possibly repaired. It raises `Unusable` where there is none;
the caller then leaves the argument out or takes its default.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from pipeline.keras.facts import Signature, modules, signature
from pipeline.keras.layer_call import LayerCall, Symbol, Value
from pipeline.keras.spellings import ACTIVATIONS

# Parameters by what their values are, whatever layer they belong to.
_COUNTS = frozenset(
    {"units", "filters", "n", "num_heads", "key_dim", "value_dim", "input_dim", "output_dim", "height", "width"}
    | {"depth_multiplier", "groups"}
)
_WINDOWS = frozenset({"kernel_size", "pool_size", "strides", "dilation_rate", "size", "output_padding", "output_size"})
_RATES = frozenset({"rate", "dropout", "recurrent_dropout"})
_SHAPES = frozenset({"shape", "input_shape", "target_shape", "batch_shape", "dims"})
_FLAGS = frozenset(
    {"return_sequences", "return_state", "go_backwards", "stateful", "unroll", "use_bias", "mask_zero"}
    | {"trainable", "include_top", "center", "keepdims"}
)
_OBJECTS = {"initializer": "initializers", "regularizer": "regularizers", "constraint": "constraints"}


class Unusable(ValueError):
    """The value says nothing that Keras could use; the message says why."""


def checked(layer: str, parameter: str, value: Value) -> Value:
    """The value as Keras 3 takes it for this parameter of the layer."""
    check = _check_of(layer, parameter)
    if check is not None:
        return check(layer, value)
    unknown = _unknown_expression(value)
    if unknown is not None:
        raise Unusable(f"{unknown} is not known here")
    return value


def _unknown_expression(value: Value) -> str | None:
    """The first expression in a value that is more than arithmetic on numbers (`1.0 / 255` is just that)."""
    if isinstance(value, tuple):
        for item in value:
            unknown = _unknown_expression(item)
            if unknown is not None:
                return unknown
        return None
    if isinstance(value, Symbol) and re.search(r"[A-Za-z_]", value.text):
        return value.text
    return None


def _check_of(layer: str, parameter: str) -> Callable[[str, Value], Value] | None:
    if parameter == "padding":
        return _amounts if layer.startswith("ZeroPadding") else _padding
    if parameter in ("activation", "recurrent_activation"):
        return _activation
    if parameter in _WINDOWS:
        return _window
    kind = parameter.rsplit("_", 1)[-1]
    if kind in _OBJECTS:
        return lambda _, value: _object(_OBJECTS[kind], value)
    checks: Mapping[str, Callable[[str, Value], Value]] = {
        **dict.fromkeys(_COUNTS, _count),
        **dict.fromkeys(_RATES, _rate),
        **dict.fromkeys(_SHAPES, _shape),
        **dict.fromkeys(_FLAGS, _flag),
        "cropping": _amounts,
        "negative_slope": _number,
        "stddev": _number,
        "name": _text,
        "dtype": _text,
        "data_format": _data_format,
        "layer": _layer,
    }
    return checks.get(parameter)


def activation_name(text: str) -> str | None:
    """The Keras name of an activation, however it is written: "LeakyReLU(0.2)", "tf.nn.relu", "Softmax"."""
    word = re.sub(r"[\s_-]", "", text.split("(")[0].split(".")[-1]).lower()
    if word in ACTIVATIONS:
        return ACTIVATIONS[word]
    return _activation_names().get(word)


@lru_cache(maxsize=1)
def _activation_names() -> dict[str, str]:
    names = modules()["activations"] - {"get", "serialize", "deserialize"}
    return {name.replace("_", ""): name for name in names}


def _activation(layer: str, value: Value) -> Value:
    match value:
        case None:
            return None
        case str(text) | Symbol(text):
            name = activation_name(text)
        case LayerCall(name=text):
            name = activation_name(text)
        case _:
            name = None
    if name is None:
        raise Unusable("no activation of that name")
    return name


def _count(layer: str, value: Value) -> Value:
    if isinstance(value, str) and value.strip().isdigit():
        value = int(value)
    if isinstance(value, tuple) and len(value) == 1:
        value = value[0]
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, Symbol) and activation_name(value.text) is None:
        return value
    if isinstance(value, bool) or not isinstance(value, int):
        raise Unusable("not a positive whole number")
    instance_normalization = layer == "GroupNormalization" and value == -1  # a group for each channel
    if value < 1 and not instance_normalization:
        raise Unusable("not a positive whole number")
    return value


def rank(layer: str) -> int:
    """The number of spatial axes in a layer's name: 2 for Conv2D, 0 for Dense."""
    match = re.search(r"([123])D", layer)
    return int(match[1]) if match else 0


def _window(layer: str, value: Value) -> Value:
    if value is None:
        return None
    if not isinstance(value, tuple):
        return _count(layer, value)
    sizes = tuple(_count(layer, item) for item in value)
    axes = rank(layer)
    if len(sizes) == axes:
        return sizes
    if not sizes:
        raise Unusable("no size")
    if len(set(sizes)) == 1 or axes < 2:
        return sizes[0]
    return tuple((sizes * axes)[:axes])


def _amounts(layer: str, value: Value) -> Value:
    """Padding or cropping: one number, one per axis, or a pair per axis (in one dimension, one pair)."""
    if not isinstance(value, tuple):
        return _amount(value)
    if len(value) != max(rank(layer), 2):
        raise Unusable("not one amount per axis")
    amounts: list[Value] = []
    for item in value:
        if isinstance(item, tuple) and len(item) == 2:
            amounts.append(tuple(map(_amount, item)))
        else:
            amounts.append(_amount(item))
    return tuple(amounts)


def _amount(value: Value) -> Value:
    if isinstance(value, Symbol):
        return value
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise Unusable("not a whole number")
    return value


def _padding(layer: str, value: Value) -> Value:
    """'valid', 'same', 'causal' (Conv1D only); PyTorch's amounts become 'same' where they pad."""
    if isinstance(value, int | tuple):
        if value in (0, (0, 0)):
            return "valid"
        return "same"
    if not isinstance(value, str):
        raise Unusable("neither 'same' nor 'valid'")
    word = value.lower()
    if word == "causal" and layer not in ("Conv1D", "SeparableConv1D"):
        return "same"
    if word == "causal":
        return "causal"
    if word not in ("same", "valid"):
        raise Unusable("neither 'same' nor 'valid'")
    return word


def _rate(layer: str, value: Value) -> Value:
    if isinstance(value, Symbol):
        if re.fullmatch(r"[A-Z][A-Z0-9_]*", value.text):
            return value
        raise Unusable(f"{value.text} is not known here")
    if isinstance(value, str):
        value = _stated_rate(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unusable("not a rate")
    if 1 < value < 100:  # a percentage
        return value / 100
    if not 0 <= value < 1:
        raise Unusable("not between 0 and 1")
    return value


def _stated_rate(text: str) -> float | None:
    """The number in "0.5" or "50 %"."""
    match = re.fullmatch(r"(\d+\.?\d*|\.\d+)\s*(%?)", text.strip(), re.ASCII)
    if match is None:
        return None
    number = float(match[1])
    return number / 100 if match[2] else number


def _shape(layer: str, value: Value) -> Value:
    """A tuple of sizes; a single size stands for one axis. Reshape takes one -1, an input shape takes None."""
    if isinstance(value, Symbol):
        return value
    sizes = value if isinstance(value, tuple) else (value,)
    open_size: int | None = -1 if layer == "Reshape" else None
    for size in sizes:
        whole = isinstance(size, int) and not isinstance(size, bool) and size > 0
        if not (whole or isinstance(size, Symbol) or size == open_size):
            raise Unusable("not a shape")
    if sizes.count(-1) > 1:
        raise Unusable("more than one open size")
    return sizes


def _flag(layer: str, value: Value) -> Value:
    if not isinstance(value, bool):
        raise Unusable("neither True nor False")
    return value


def _number(layer: str, value: Value) -> Value:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise Unusable("not a number")
    return value


def _text(layer: str, value: Value) -> Value:
    if isinstance(value, Symbol) and value.text.startswith("tf."):
        value = value.text.removeprefix("tf.")
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9_.\-]+", value):
        raise Unusable("not a name")
    return value


def _data_format(layer: str, value: Value) -> Value:
    if value != "channels_last":
        raise Unusable("Keras on TensorFlow computes channels last")
    return value


def _layer(layer: str, value: Value) -> Value:
    """The layer inside Bidirectional (a recurrent one) or TimeDistributed (one with a single input)."""
    if not isinstance(value, LayerCall) or value.name in ("Input", "Bidirectional", "TimeDistributed"):
        raise Unusable("not a layer")
    if layer == "Bidirectional" and value.name not in ("LSTM", "GRU", "SimpleRNN", "ConvLSTM1D", "ConvLSTM2D"):
        raise Unusable(f"{value.name} is not recurrent")
    return value


def _object(module: str, value: Value) -> Value:
    """An initializer, regularizer or constraint: its name, or `keras.<module>.<Class>(...)` with literal arguments."""
    if value is None:
        return None
    if module == "regularizers" and isinstance(value, int | float):
        return Symbol(f"keras.regularizers.L2({value!r})")
    if not isinstance(value, str | Symbol):
        raise Unusable("not an object of Keras")
    text = value if isinstance(value, str) else value.text
    name = _object_names(module).get(text.split("(")[0].split(".")[-1].replace("_", "").lower())
    known = signature(f"{module}.{name}")
    if name is None or known is None:
        raise Unusable(f"keras.{module} has none of that name")
    try:
        node = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError):
        raise Unusable(f"{text} is no Python expression") from None
    arguments = _number_arguments(node, known) if isinstance(node, ast.Call) else []
    if not arguments and not known.required and module != "constraints":
        # The short form, as in `kernel_initializer="he_normal"`; constraints have none.
        return re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", "_", name).lower()
    return Symbol(f"keras.{module}.{name}({', '.join(arguments)})")


def _number_arguments(call: ast.Call, known: Signature) -> list[str]:
    """The arguments that are literal numbers and that the object takes, as source; `l` is Keras 1's name of `l2`."""
    positional = [arg for arg in call.args if _is_number(arg)]
    arguments = [ast.unparse(arg) for arg in positional[: len(known.positional)]]
    named: dict[str, ast.expr] = {}
    for keyword in call.keywords:
        name = keyword.arg or ""
        named["l2" if name == "l" else name] = keyword.value
    for name, value in named.items():
        if known.accepts(name) and _is_number(value):
            arguments.append(f"{name}={ast.unparse(value)}")
    return arguments


@lru_cache(maxsize=8)
def _object_names(module: str) -> dict[str, str]:
    """Lower-case names without underscores -> class names; `l1_l2` and `L1L2` are one."""
    return {name.lower(): name for name in sorted(modules()[module]) if name[0].isupper()}


def _is_number(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.operand, ast.Constant)
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float)
