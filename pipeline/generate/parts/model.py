"""Parts of the model: dropout, penalties on weights, activations, and images that change at random while it learns."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from pipeline.generate.parts.script import Script, keyword_of, name_of
from pipeline.request.constraints import Constraint
from pipeline.syntax import walk
from pipeline.torch.facts import imports_torch

_AUGMENTATIONS = {
    "flip": 'layers.RandomFlip("horizontal")',
    "rotation": "layers.RandomRotation(0.1)",
    "zoom": "layers.RandomZoom(0.1)",
    "shift": "layers.RandomTranslation(0.1, 0.1)",
    "contrast": "layers.RandomContrast(0.1)",
    "brightness": "layers.RandomBrightness(0.1)",
    "noise": "layers.GaussianNoise(0.05)",
    "crop": "layers.ZeroPadding2D(4), layers.RandomCrop(IMAGE_HEIGHT, IMAGE_WIDTH)",
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
    """Behind the input of a model that gives classes or numbers of an image, or behind the changes that it has already:
    what is drawn per pixel would have to change along with it."""
    wanted = ("flip", "rotation", "zoom") if constraint.value == "true" else (constraint.value,)
    if any(name not in _AUGMENTATIONS for name in wanted):
        return None
    if "crop" in wanted and (script.assigned("IMAGE_HEIGHT") is None or script.assigned("IMAGE_WIDTH") is None):
        return None
    added = [layer for name in wanted for layer in _AUGMENTATIONS[name].split("), ")]
    added = [layer if layer.endswith(")") else f"{layer})" for layer in added]
    for model in script.calls("Sequential"):
        elements = model.args[0] if model.args else None
        if not isinstance(elements, ast.List) or not elements.elts or not _is_image_input(elements.elts[0]):
            continue
        last = elements.elts[-1] if len(elements.elts) > 1 else _last_added(script)
        if not isinstance(last, ast.Call) or name_of(last) != "Dense":
            continue
        if len(elements.elts) == 1:
            return script.replaced(elements, f"[{', '.join([script.text(elements.elts[0]), *added])}]")
        first = elements.elts[1]
        between = f",\n{' ' * first.col_offset}"
        return script.replaced(first, between.join([*added, script.text(first)]))
    return _augmented_further(script, added)


def _last_added(script: Script) -> ast.expr | None:
    """The last layer that `model.add` puts on a stack."""
    calls = [call for call in script.calls("add") if call.args]
    return calls[-1].args[0] if calls else None


def _augmented_further(script: Script, added: Sequence[str]) -> Script | None:
    """Behind the last random change of a functional model: `x = layers.RandomFlip("horizontal")(inputs)`."""
    statements: list[ast.Assign] = []
    for node in ast.walk(script.tree):
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
            continue
        layer = node.value.func
        if (
            isinstance(layer, ast.Call)
            and name_of(layer).startswith("Random")
            and isinstance(node.targets[0], ast.Name)
        ):
            statements.append(node)
    if not statements:
        return None
    last = max(statements, key=lambda statement: statement.lineno)
    name = ast.unparse(last.targets[0])
    return script.with_lines_after(last, "\n".join(f"{name} = {layer}({name})" for layer in added))


def _is_image_input(node: ast.expr) -> bool:
    if not isinstance(node, ast.Call) or name_of(node) != "Input":
        return False
    shape = keyword_of(node, "shape") or (node.args[0] if node.args else None)
    return isinstance(shape, ast.Tuple) and len(shape.elts) == 3


def _without_layer(script: Script, call: ast.Call) -> Script | None:
    """Without a layer that stands in a list, or passes one tensor on: `x = layers.Dropout(0.2)(x)`."""
    for node in walk(script.tree):
        if isinstance(node, ast.List) and call in node.elts:
            return script.without_element(node, call)
        if isinstance(node, ast.Call) and node.func is call and len(node.args) == 1:
            return script.replaced(node, script.text(node.args[0]))
    return None


_IN_TORCH = {
    "relu": "ReLU",
    "swish": "SiLU",
    "silu": "SiLU",
    "gelu": "GELU",
    "elu": "ELU",
    "selu": "SELU",
    "mish": "Mish",
    "tanh": "Tanh",
}
_HIDDEN = frozenset(_IN_TORCH) - {"tanh"}
"""Activations that no output has; what gates and outputs are made with stays."""

_LAYERS = ("Dense", "Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose", "SeparableConv2D")


def activation(script: Script, constraint: Constraint) -> Script | None:
    """Every hidden layer with the asked activation; None for one that is no layer's plain name."""
    if constraint.value not in _IN_TORCH:
        return None
    if imports_torch(script.source):
        others = "|".join(sorted({_IN_TORCH[name] for name in _HIDDEN}))
        return Script(re.sub(rf"\bnn\.(?:{others})\(\)", f"nn.{_IN_TORCH[constraint.value]}()", script.source))
    for call in reversed(script.calls(*_LAYERS)):
        stated = keyword_of(call, "activation")
        if isinstance(stated, ast.Constant) and stated.value in _HIDDEN:
            script = script.replaced(stated, f'"{constraint.value}"')
    return script
