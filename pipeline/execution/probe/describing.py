"""A network in a few plain values: its layers with their own settings, its parameters, its shapes."""

from __future__ import annotations

from typing import Any, Dict, List

_MOST_LAYERS = 400

# Settings that a plan or a request speaks of, by the frameworks' own names.
_SETTINGS = (
    "units filters kernel_size strides rate activation pool_size input_dim output_dim num_heads key_dim "
    "return_sequences padding in_features out_features in_channels out_channels stride p num_embeddings embedding_dim "
    "hidden_size num_layers bidirectional embed_dim dropout recurrent_dropout size scale_factor"
).split()


def keras_network(model: Any) -> Dict[str, Any]:
    """Of a Keras model of any version. Layers inside a nested model are its own affair: that is one layer here."""
    layers: List[Dict[str, Any]] = []
    for layer in list(model.layers)[:_MOST_LAYERS]:
        layers.append(_keras_layer(layer))
    return {
        "framework": "keras",
        "kind": type(model).__name__,
        "name": str(model.name),
        "layers": layers,
        "parameters": keras_parameters(model),
        "trainable": keras_parameters(model, "trainable_weights"),
        "input_shape": _shape(model, "input_shape"),
        "output_shape": _shape(model, "output_shape"),
    }


def _keras_layer(layer: Any) -> Dict[str, Any]:
    kind = type(layer).__name__
    inner = getattr(layer, "forward_layer", None) or getattr(layer, "layer", None)
    settings = _settings(layer)
    if inner is not None and kind in ("Bidirectional", "TimeDistributed"):
        settings = {**_settings(inner), "layer": type(inner).__name__}
    return {
        "kind": kind,
        "name": str(getattr(layer, "name", "")),
        "parameters": keras_parameters(layer),
        "settings": settings,
    }


def keras_parameters(layer: Any, weights: str = "weights") -> int:
    """How many numbers the weights of a layer or model have; 0 before it is built, where Keras 2 raises."""
    total = 0
    try:
        for weight in getattr(layer, weights):
            size = 1
            for axis in weight.shape:
                size *= int(axis)
            total += size
    except ValueError:
        return 0
    return total


def _shape(model: Any, name: str) -> str:
    try:
        return str(getattr(model, name))[:200]
    except Exception:  # a model that was never called has none, and says so in many ways
        return ""


def torch_network(module: Any) -> Dict[str, Any]:
    """Of a PyTorch module: those below it without children of their own, in the order they were made."""
    layers: List[Dict[str, Any]] = []
    for name, part in module.named_modules():
        if next(part.children(), None) is None and len(layers) < _MOST_LAYERS:
            own = sum(one.numel() for one in part.parameters(recurse=False))
            layers.append({"kind": type(part).__name__, "name": name, "parameters": own, "settings": _settings(part)})
    parameters = list(module.parameters())
    return {
        "framework": "torch",
        "kind": type(module).__name__,
        "name": "",
        "layers": layers,
        "parameters": sum(one.numel() for one in parameters),
        "trainable": sum(one.numel() for one in parameters if one.requires_grad),
        "input_shape": "",
        "output_shape": "",
    }


def _settings(layer: Any) -> Dict[str, Any]:
    values: Dict[str, Any] = {}
    for name in _SETTINGS:
        value = getattr(layer, name, None)
        if callable(value):
            value = getattr(value, "__name__", type(value).__name__)
        if isinstance(value, (list, tuple)) and len(value) <= 4 and all(isinstance(one, (int, float)) for one in value):
            values[name] = list(value)
        elif isinstance(value, (bool, int, float, str)):
            values[name] = value
    return values
