"""Layers of Keras, PyTorch and Flax under one name each: that of Keras."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from pipeline.analysis.values import Call, Reference, Unknown
from pipeline.keras.facts import backbones, canonical_layer, signature

_OTHER_NAMES = {
    "Linear": "Dense",
    "LazyLinear": "Dense",
    "DenseGeneral": "Dense",
    "BatchNorm": "BatchNormalization",
    "LayerNorm": "LayerNormalization",
    "GroupNorm": "GroupNormalization",
    "InstanceNorm": "InstanceNormalization",
    "RNN": "SimpleRNN",
    "Embed": "Embedding",
    "EmbeddingBag": "Embedding",
    "MultiheadAttention": "MultiHeadAttention",
    "MultiHeadDotProductAttention": "MultiHeadAttention",
    "SelfAttention": "MultiHeadAttention",
    "LSTMCell": "LSTM",
    "OptimizedLSTMCell": "LSTM",
    "GRUCell": "GRU",
    "CuDNNLSTM": "LSTM",
    "CuDNNGRU": "GRU",
    "SiLU": "Swish",
    "Upsample": "UpSampling2D",
    "Convolution1D": "Conv1D",
    "Convolution2D": "Conv2D",
    "Convolution3D": "Conv3D",
}
_POOLS = {"MaxPool": "MaxPooling", "AvgPool": "AveragePooling"}
_GLOBAL_POOLS = {"AdaptiveAvgPool": "GlobalAveragePooling", "AdaptiveMaxPool": "GlobalMaxPooling"}
_RANKED = re.compile(r"(Conv|ConvTranspose|BatchNorm|InstanceNorm|Dropout|\w*Pool)([123])d")

# What PyTorch's and Flax' layers are given, in order, in Keras' words.
_POSITIONS = {
    "Dense": ("inputs", "units"),
    "Conv": ("inputs", "filters", "kernel_size", "strides"),
    "Embedding": ("input_dim", "output_dim"),
    "LSTM": ("inputs", "units", "layers"),
    "GRU": ("inputs", "units", "layers"),
    "SimpleRNN": ("inputs", "units", "layers"),
    "Dropout": ("rate",),
    "MultiHeadAttention": ("output_dim", "num_heads"),
    "TransformerEncoderLayer": ("output_dim", "num_heads", "units", "rate"),
}
_FLAX_POSITIONS = {"Dense": ("units",), "Conv": ("filters", "kernel_size", "strides"), "Embedding": ("input_dim", "output_dim"), "Dropout": ("rate",)}  # fmt: skip
_KEYWORDS = {
    "units": ("out_features", "hidden_size", "features", "dim_feedforward"),
    "filters": ("out_channels", "features", "nb_filter"),
    "inputs": ("in_features", "in_channels", "input_size"),
    "input_dim": ("num_embeddings",),
    "output_dim": ("embedding_dim", "embed_dim", "d_model", "features", "key_dim"),
    "num_heads": ("nhead",),
    "rate": ("p", "dropout"),
    "strides": ("stride",),
    "layers": ("num_layers",),
}
RECURRENT = frozenset({"LSTM", "GRU", "SimpleRNN"})
_SIZED = re.compile(r"Dense$|\w*Conv\dD(Transpose)?$")
_TORCH = ("torch.", "torch_", "flax.", "haiku.", "equinox.")


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """A layer where it is constructed."""

    kind: str
    """Its class, as Keras calls it; a ready-made network or a class of the project by its own name."""
    call: Call
    library: str
    """`keras`, `torch` or `flax`."""
    bidirectional: bool = False

    @property
    def line(self) -> int | None:
        return self.call.line

    def value(self, name: str) -> object:
        """An argument by Keras' name; None where it is not given, ANY where it is not known."""
        for keyword in (name, *_KEYWORDS.get(name, ())):
            if keyword in self.call.keywords:
                return self.call.keywords[keyword]
        position = self._position(name)
        if position is not None and position < len(self.call.args):
            return self.call.args[position]
        return None

    @property
    def size(self) -> object:
        """Units or filters."""
        return self.value("units" if not is_convolution(self.kind) else "filters")

    @property
    def activation(self) -> str:
        """Of a layer that has one, in lower case; "" without."""
        return activation_name(self.value("activation"))

    def _position(self, name: str) -> int | None:
        names: tuple[str, ...] = ()
        group = "Conv" if is_convolution(self.kind) else self.kind
        if self.library == "torch":
            names = _POSITIONS.get(group, ())
        elif self.library == "flax":
            names = _FLAX_POSITIONS.get(group, ())
        elif (known := signature(f"layers.{self.kind}")) is not None:
            names = known.positional
        return names.index(name) if name in names else None


def layer_of(call: Call) -> Layer | None:
    """The layer that a call constructs; None for any other call."""
    if call.path.startswith(_TORCH) and ".functional" not in call.path and call.name[:1].isupper():
        module = call.path.rpartition(".")[0]
        if not module.endswith((".nn", ".linen", "geometric.nn", "haiku", "equinox")) and ".nn." not in call.path:
            return None
        both_ways = call.keywords.get("bidirectional") is True
        return Layer(keras_kind(call.name), call, "torch" if call.path.startswith("torch") else "flax", both_ways)
    if call.layer is None:
        return None
    return Layer(keras_kind(call.name), call, "keras")


def layers_of(calls: Iterable[Call]) -> tuple[Layer, ...]:
    """The layers in order, those inside another (`Bidirectional(LSTM(8))`) before it."""
    wrapped: set[int] = set()
    layers: list[Layer] = []
    constructed = list(calls)
    for call in constructed:
        if call.name == "Bidirectional":
            wrapped |= {id(arg) for arg in (*call.args, *call.keywords.values()) if isinstance(arg, Call)}
    for call in constructed:
        layer = layer_of(call)
        if layer is None:
            continue
        if id(call) in wrapped:
            layer = Layer(layer.kind, call, layer.library, bidirectional=True)
        layers.append(layer)
    return tuple(layers)


@lru_cache(maxsize=1024)
def keras_kind(name: str) -> str:
    """A layer's class under the name that Keras has for it: "Conv2d" -> "Conv2D", "Linear" -> "Dense"."""
    ranked = _RANKED.fullmatch(name)
    if ranked is not None:
        kind, rank = ranked.groups()
        if kind == "ConvTranspose":
            return f"Conv{rank}DTranspose"
        for table in (_POOLS, _GLOBAL_POOLS):
            if kind in table:
                return f"{table[kind]}{rank}D"
        if kind == "Conv":
            return f"Conv{rank}D"
        name = kind
    return canonical_layer(_OTHER_NAMES.get(name, name))


def is_convolution(kind: str) -> bool:
    return kind != "ConvLSTM" and re.fullmatch(r"\w*Conv\dD(Transpose)?|Conv|ConvTranspose", kind) is not None


def is_sized(layer: Layer) -> bool:
    """Whether it may be the last layer of a network: it gives a stated number of values or channels."""
    return _SIZED.match(layer.kind) is not None or layer.kind in ("Conv", "Dense")


def is_backbone(layer: Layer) -> bool:
    return layer.kind in backbones() or layer.kind == "KerasLayer"


def activation_name(value: object) -> str:
    """ "relu" for `"relu"`, `tf.nn.relu`, `keras.activations.relu`, `LeakyReLU(0.2)` -> "leaky_relu"."""
    if isinstance(value, str):
        return value.lower()
    if isinstance(value, Call | Reference):
        return _ACTIVATION_NAMES.get(value.name, value.name.lower())
    if value is None or value is Unknown.ANY:
        return ""
    return ""


_ACTIVATION_NAMES = {
    "LeakyReLU": "leaky_relu",
    "PReLU": "prelu",
    "ReLU": "relu",
    "ELU": "elu",
    "SELU": "selu",
    "GELU": "gelu",
    "SiLU": "swish",
    "Swish": "swish",
    "silu": "swish",
    "Softmax": "softmax",
    "LogSoftmax": "softmax",
    "log_softmax": "softmax",
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
    "Mish": "mish",
    "Softplus": "softplus",
    "Hardswish": "hard_swish",
}
ACTIVATIONS = frozenset(_ACTIVATION_NAMES.values()) | {"linear", "exponential", "hard_sigmoid", "softsign"}


def activation_of_layer(layer: Layer) -> str:
    """What a layer that is nothing but an activation applies: `Activation("relu")`, `nn.ReLU()`; "" for others."""
    if layer.kind == "Activation":
        return activation_name(layer.call.argument(0, "activation"))
    return _ACTIVATION_NAMES.get(layer.kind, "")
