"""The framework, and how it is used."""

from __future__ import annotations

import ast

from pipeline.analysis.values import Class
from pipeline.measures.delivery.code import Check, Code
from pipeline.measures.delivery.findings import (
    Finding,
    met,
    missing,
    unknown,
)
from pipeline.request.constraints import Constraint

_FRAMEWORK_PACKAGES = {
    "tensorflow": ("tensorflow", "keras", "tf_keras"),
    "pytorch": ("torch", "pytorch_lightning", "lightning", "torchvision"),
    "jax": ("jax", "flax", "optax"),
}


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
