"""The framework, and how it is used."""

from __future__ import annotations

import ast

from pipeline.analysis.keras_names import is_loss, is_optimizer
from pipeline.analysis.values import Class
from pipeline.measures.delivery.code import Check, Code
from pipeline.measures.delivery.findings import (
    Finding,
    met,
    missing,
    unknown,
)
from pipeline.measures.delivery.layers import layers_of
from pipeline.request.constraints import Constraint
from pipeline.torch.facts import is_loss as is_torch_loss
from pipeline.torch.facts import is_module as is_torch_module
from pipeline.torch.facts import is_optimizer as is_torch_optimizer

_FRAMEWORK_PACKAGES = {
    "tensorflow": ("tensorflow", "keras", "tf_keras"),
    "pytorch": ("torch", "pytorch_lightning", "lightning", "torchvision"),
    "jax": ("jax", "flax", "optax"),
}


def mixed_frameworks(code: Code) -> str:
    """What belongs to two frameworks, in words: the network to one, and its loss, optimizer or loop to another that the
    network knows nothing of. "" where all hold together; so do two networks, each trained by its own framework, and
    Keras 3 on PyTorch."""
    if any(text.value == "KERAS_BACKEND" for text in code.texts):
        return ""
    parts: dict[str, dict[str, int | None]] = {"network": {}, "loss": {}, "optimizer": {}, "training loop": {}}
    for layer in layers_of(code.calls):
        framework = {"keras": "tensorflow", "torch": "pytorch"}.get(layer.library)
        if layer.library == "torch" and not is_torch_module(layer.call.path):
            continue  # a loss, or what holds other modules
        if framework is not None and layer.kind not in ("Input", *_PREPARING):
            parts["network"].setdefault(framework, layer.line)
    for call in code.calls:
        if is_torch_loss(call.path):
            parts["loss"].setdefault("pytorch", call.line)
        elif is_loss(call.path):
            parts["loss"].setdefault("tensorflow", call.line)
        elif is_torch_optimizer(call.path):
            parts["optimizer"].setdefault("pytorch", call.line)
        elif is_optimizer(call.path) and not call.path.startswith("torch"):
            parts["optimizer"].setdefault("tensorflow", call.line)
        elif call.name == "backward" and call.path == "backward":
            parts["training loop"].setdefault("pytorch", call.line)
        elif call.name == "compile" and {"optimizer", "loss"} & call.keywords.keys():
            parts["training loop"].setdefault("tensorflow", call.line)
    network = parts["network"]
    for what, found in parts.items():
        if network and found and not network.keys() & found.keys():
            ours, theirs = next(iter(network)), next(iter(found))
            return (
                f"the network is {_IN_WORDS[ours]} (line {network[ours]}) and its {what} {_IN_WORDS[theirs]} "
                f"(line {found[theirs]})"
            )
    return ""


_PREPARING = ("TextVectorization", "StringLookup", "IntegerLookup", "Normalization", "Rescaling", "Resizing")
"""Layers of Keras that prepare data for any framework."""

_IN_WORDS = {"tensorflow": "Keras'", "pytorch": "PyTorch's"}


def _framework(constraint: Constraint, code: Code) -> Finding:
    there = code.framework
    line = next((code.imports[name] for name in _FRAMEWORK_PACKAGES.get(there, ()) if name in code.imports), None)
    if constraint.value not in _FRAMEWORK_PACKAGES:
        return unknown(f"no check for {constraint.value}")
    if there == constraint.value:
        return met(line)
    return missing(f"written in {there}" if there else "no framework of neural networks is imported", line)


def _api(constraint: Constraint, code: Code) -> Finding:
    line: int | None = None
    if constraint.value == "functional":
        if code.framework == "pytorch":
            return unknown("PyTorch has no functional API")
        calls = [
            call for call in code.calls_named("Model|Functional") if len(call.args) > 1 or "outputs" in call.keywords
        ]
        line = calls[0].line if calls else None
    elif constraint.value == "sequential":
        calls = code.calls_named("Sequential")
        line = calls[0].line if calls else None
    elif constraint.value == "subclassing":
        line = next((node.lineno for node in code.nodes_of(ast.ClassDef) if _is_model(node, code)), None)
    elif constraint.value == "custom_loop":
        calls = code.calls_named("GradientTape|backward|train_on_batch|value_and_grad|apply_gradients|grad")
        line = calls[0].line if calls else None
    else:
        return unknown(f"no check for {constraint.value}")
    if line is not None:
        return met(line)
    others = code.calls_named("Sequential|Model|fit")
    return missing(others[0].name if others else "otherwise", others[0].line if others else None)


def _is_model(node: ast.ClassDef, code: Code) -> bool:
    value = code.trace.names.get(node.name)
    return isinstance(value, Class) and (value.derives_from("Model") or value.derives_from("Module"))


FRAMEWORK: dict[str, Check] = {"framework": _framework, "api": _api}
