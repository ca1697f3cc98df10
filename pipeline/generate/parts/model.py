"""Parts of the model: dropout, penalties on weights, and images that are changed at random while it learns."""

from __future__ import annotations

import ast

from pipeline.generate.parts.script import Script, keyword_of, name_of
from pipeline.request.constraints import Constraint

_AUGMENTATIONS = {
    "flip": 'layers.RandomFlip("horizontal")',
    "rotation": "layers.RandomRotation(0.1)",
    "zoom": "layers.RandomZoom(0.1)",
    "shift": "layers.RandomTranslation(0.1, 0.1)",
    "contrast": "layers.RandomContrast(0.1)",
    "brightness": "layers.RandomBrightness(0.1)",
    "noise": "layers.GaussianNoise(0.05)",
}

_WITH_WEIGHTS = ("Dense", "Conv1D", "Conv2D", "Conv3D", "SeparableConv2D", "LSTM", "GRU")

_DROPOUTS = ("Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "AlphaDropout", "GaussianDropout")


def dropout(script: Script, constraint: Constraint) -> Script | None:
    """None at all where it is forbidden; else its rate, in every layer that has one."""
    if not constraint.negated:
        for call in reversed(script.calls(*_DROPOUTS)):  # an edit leaves the places before it as they are
            rate = call.args[0] if call.args else keyword_of(call, "rate")
            if rate is not None and constraint.number is not None:
                script = script.replaced(rate, constraint.value)
        return script
    while calls := script.calls(*_DROPOUTS):
        without = _without_layer(script, calls[0])
        if without is None:
            return None
        script = without
    return script


def penalty(script: Script, constraint: Constraint) -> Script | None:
    """L1 or L2 on the weights of all layers but the last."""
    strength = "0.0001" if constraint.value == "true" else constraint.value
    value = f"keras.regularizers.{constraint.name.upper()}({strength})"
    for call in reversed(script.calls(*_WITH_WEIGHTS)[:-1]):
        if keyword_of(call, "kernel_regularizer") is None:
            script = script.with_keyword(call, "kernel_regularizer", value)
    return script


def augmentation(script: Script, constraint: Constraint) -> Script | None:
    """Behind the input of a `Sequential` that gives classes or numbers of an image: what is drawn per pixel would have
    to change along with it."""
    wanted = ("flip", "rotation", "zoom") if constraint.value == "true" else (constraint.value,)
    if any(name not in _AUGMENTATIONS for name in wanted):
        return None
    for model in script.calls("Sequential"):
        elements = model.args[0] if model.args else None
        if not isinstance(elements, ast.List) or len(elements.elts) < 2 or not _is_image_input(elements.elts[0]):
            continue
        last = elements.elts[-1]
        if not isinstance(last, ast.Call) or name_of(last) != "Dense":
            continue
        added = ", ".join(_AUGMENTATIONS[name] for name in wanted)
        first = elements.elts[1]
        return script.replaced(first, f"{added}, {script.text(first)}")
    return None


def _is_image_input(node: ast.expr) -> bool:
    if not isinstance(node, ast.Call) or name_of(node) != "Input":
        return False
    shape = keyword_of(node, "shape") or (node.args[0] if node.args else None)
    return isinstance(shape, ast.Tuple) and len(shape.elts) == 3


def _without_layer(script: Script, call: ast.Call) -> Script | None:
    """Without a layer that stands in a list, or passes one tensor on: `x = layers.Dropout(0.2)(x)`."""
    for node in ast.walk(script.tree):
        if isinstance(node, ast.List) and call in node.elts:
            return script.without_element(node, call)
        if isinstance(node, ast.Call) and node.func is call and len(node.args) == 1:
            return script.replaced(node, script.text(node.args[0]))
    return None
