"""What happens between the layers: activations, normalization, pooling, connections that skip some."""

from __future__ import annotations

import re

from pipeline.measures.delivery.code import Check, Code
from pipeline.measures.delivery.findings import (
    Finding,
    Found,
    equal,
    listed,
    met,
    missing,
    one_of,
    unknown,
)
from pipeline.measures.delivery.layers import (
    activation_name,
    activation_of_layer,
)
from pipeline.measures.delivery.network.families import added
from pipeline.measures.delivery.network.known import (
    is_backbone_call,
    networks,
)
from pipeline.request.constraints import Constraint

_NORMALIZATIONS = {
    "batch": "BatchNormalization",
    "layer": "LayerNormalization",
    "group": "GroupNormalization",
    "instance": "InstanceNormalization",
}


_POOLINGS = {
    "max": r"MaxPooling\dD",
    "average": r"AveragePooling\dD",
    "global_average": r"GlobalAveragePooling\dD",
    "global_max": r"GlobalMaxPooling\dD",
}


_POOLING_WORDS = {"global_average": "avg", "global_max": "max"}


def _activations(code: Code) -> list[Found]:
    """Of all layers but the last ones, with those called as functions: `F.relu(x)`."""
    heads = set(map(id, code.heads))
    found: list[Found] = []
    for layer in code.all_layers:
        name = activation_of_layer(layer)
        if not name and id(layer) not in heads and not any(layer.call is head.call for head in code.heads):
            name = layer.activation
        if name:
            found.append(Found(name, layer.line))
    for call in code.calls:
        if re.search(r"(functional|tensorflow\.nn|activations|jax\.nn|flax\.linen|^torch)\.\w+$", call.path):
            found.append(Found(activation_name(call.name), call.line))
    return found


def _activation(constraint: Constraint, code: Code) -> Finding:
    wanted = "swish" if constraint.value == "silu" else constraint.value
    found = _activations(code)
    for item in found:
        if equal(item.value, wanted):
            return met(item.line)
    known = [item for item in found if item.value in _SHOWN_ACTIVATIONS]
    return missing(listed(known) or "no activation", known[0].line if known else None)


_SHOWN_ACTIVATIONS = frozenset(
    "relu gelu tanh sigmoid elu leaky_relu selu swish softmax linear prelu mish softplus".split()
)


def _output_activation(constraint: Constraint, code: Code) -> Finding:
    """The last layer's, or that of an activation after it; a loss on logits stands for its own."""
    if not code.heads:
        return missing("no output layer found")
    head = code.heads[-1]
    found = [Found(one.activation or "linear", one.line) for one in code.heads]
    after = code.layers[list(map(id, code.layers)).index(id(head)) :]
    for layer in after:
        if name := activation_of_layer(layer):
            found = [Found(name, layer.line)]
    for call in code.calls:
        name = call.name.lower()
        if code.torch is not None and name in ("sigmoid", "softmax"):  # of what the model gives, behind it
            found.append(Found(name, call.line))
        if call.keywords.get("from_logits") is True or name in ("crossentropyloss", "bcewithlogitsloss"):
            implied = "sigmoid" if "bce" in name or "binary" in name else "softmax"
            found.append(Found(implied, call.line))
    return one_of(found, constraint.value, missing("no activation", head.line))


def _normalization(constraint: Constraint, code: Code) -> Finding:
    wanted = _NORMALIZATIONS.get(constraint.value)
    if wanted is None:
        return unknown(f"no check for {constraint.value} normalization")
    for layer in code.all_layers:
        if layer.kind == wanted:
            return met(layer.line)
    others = [Found(layer.kind, layer.line) for layer in code.all_layers if layer.kind.endswith("Normalization")]
    return missing(listed(others) or "no normalization layer", others[0].line if others else None)


def _pooling(constraint: Constraint, code: Code) -> Finding:
    pattern = _POOLINGS.get(constraint.value)
    if pattern is None:
        return unknown(f"no check for {constraint.value} pooling")
    for layer in code.all_layers:
        if re.fullmatch(pattern, layer.kind):
            return met(layer.line)
        if is_backbone_call(layer.call) and layer.value("pooling") == _POOLING_WORDS.get(constraint.value, ""):
            return met(layer.line)
    for call in code.calls_named("(max|avg)_pool(ing)?(1d|2d)?|adaptive_(avg|max)_pool\\dd"):
        kind = ("global_" if "adaptive" in call.name else "") + ("max" if "max" in call.name else "average")
        if kind == constraint.value:
            return met(call.line)
    others = [Found(layer.kind, layer.line) for layer in code.all_layers if "Pooling" in layer.kind]
    return missing(listed(others) or "no pooling layer", others[0].line if others else None)


def _skip_connections(constraint: Constraint, code: Code) -> Finding:
    line = added(code)
    if line is None:
        kinds = [layer for layer in code.all_layers if layer.kind == "Concatenate"]
        up = [layer for layer in code.all_layers if re.match(r"UpSampling|Conv\dDTranspose", layer.kind)]
        line = kinds[0].line if kinds and up else None
    if line is None:
        line = next(
            (
                item.line
                for item in networks(code)
                if re.search("resnet|densenet|mobilenetv|efficientnet|xception|convnext", str(item.value))
            ),
            None,
        )
    return met(line) if line is not None else missing("a plain stack of layers")


CHECKS: dict[str, Check] = {
    "activation": _activation,
    "output_activation": _output_activation,
    "normalization": _normalization,
    "pooling": _pooling,
    "skip_connections": _skip_connections,
}
