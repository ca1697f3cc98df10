"""A real network's layers, and a plan's, under the same names."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pipeline.execution.observation import ObservedLayer, ObservedNetwork
from pipeline.keras.facts import backbones
from pipeline.measures.conformance import layer_classes
from pipeline.measures.delivery.findings import plain
from pipeline.measures.delivery.layers import keras_kind

_BACKBONES = {plain(name): name for name in backbones()}

_WITH_PARAMETERS = ("Dense", "Conv", "LSTM", "GRU", "SimpleRNN", "Embedding", "Normalization", "MultiHeadAttention")
"""What a module of PyTorch always is: activations, pooling and flattening may be functions there, and are not seen."""

_INPUTS = ("Input", "InputLayer", "Normalization", "Rescaling", "TextVectorization", "StringLookup")
"""Layers that adapt the data: part of the preprocessing, unless a plan lists them."""

_MANY_LAYERS = 60
"""A network of more layers than this over a plan that names a known network has that network's layers unfolded."""


def planned_kinds(entries: Sequence[str], framework: str) -> list[str]:
    """The layer classes that a plan names, in order."""
    kinds: list[str] = []
    for entry in entries:
        kinds += [keras_kind(name) for name in layer_classes(entry)]
    kinds = [kind for kind in kinds if kind not in ("Input", "InputLayer")]
    if framework == "torch":
        kinds = [kind for kind in kinds if _has_parameters(kind)]
    return kinds


def kinds_of(network: ObservedNetwork, planned: Sequence[str]) -> list[str] | None:
    """The network's layer classes that a plan could name; None where those of a known network stand among them."""
    if len(network.layers) > _MANY_LAYERS and any(kind in backbones() for kind in planned):
        return None
    kinds: list[str] = []
    for layer in network.layers:
        kind = _kind(layer)
        if network.framework == "torch":
            if layer.parameters and _has_parameters(kind):
                kinds.append(kind)
        elif kind in planned or not (kind in _INPUTS or kind.startswith("Random") or _is_operation(kind)):
            kinds.append(kind)
    return kinds


def sized(network: ObservedNetwork, prefix: str, *names: str) -> list[float]:
    """A setting of all layers whose class begins with the prefix, by the first of its names that is there."""
    values: list[float] = []
    for layer in network.layers:
        if not _kind(layer).startswith(prefix):
            continue
        for name in names:
            value = layer.settings.get(name)
            if isinstance(value, tuple) and value and len(set(value)) == 1:
                value = value[0]
            if isinstance(value, int | float) and not isinstance(value, bool):
                values.append(value)
                break
    return values


def says_same(observed: float, wanted: float) -> bool:
    """To within a thousandth."""
    return math.isclose(observed, wanted, rel_tol=1e-3)


def _kind(layer: ObservedLayer) -> str:
    kind = keras_kind(layer.kind)
    if kind in ("Functional", "Model", "Sequential"):
        return _BACKBONES.get(plain(layer.name), kind)
    return kind


def _has_parameters(kind: str) -> bool:
    return any(kind.startswith(name) or kind.endswith(name) for name in _WITH_PARAMETERS)


def _is_operation(kind: str) -> bool:
    """Whether it is no layer but an operation on tensors, which Keras keeps in the graph of a model: `GetItem`."""
    return kind in _OPERATIONS


_OPERATIONS = frozenset(
    "TFOpLambda SlicingOpLambda GetItem NotEqual Equal Cast Squeeze ExpandDims Transpose Mean Sum Max Min Matmul "
    "Divide TrueDivide Power Sqrt Square Absolute Stack Split Shape Any All Greater Less Where Exp Log Negative".split()
)
