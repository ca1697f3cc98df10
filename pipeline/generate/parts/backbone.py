"""Another known network in the place of a sample's, with its own preparation of images."""

from __future__ import annotations

import ast
import re

from pipeline.generate.parts.script import Script, name_of
from pipeline.keras.facts import backbones
from pipeline.request.constraints import Constraint

_MODULES = (
    (r"resnet\d+v2", "resnet_v2"),
    (r"resnet\d+", "resnet"),
    (r"vgg16", "vgg16"),
    (r"vgg19", "vgg19"),
    (r"inceptionv3", "inception_v3"),
    (r"inceptionresnetv2", "inception_resnet_v2"),
    (r"xception", "xception"),
    (r"densenet\d+", "densenet"),
    (r"mobilenet", "mobilenet"),
    (r"mobilenetv2", "mobilenet_v2"),
    (r"mobilenetv3\w+", "mobilenet_v3"),
    (r"efficientnetb\d", "efficientnet"),
    (r"efficientnetv2\w+", "efficientnet_v2"),
    (r"nasnet\w+", "nasnet"),
    (r"convnext\w+", "convnext"),
)
"""The module of keras.applications that holds a network's `preprocess_input`, by the network's name in lower case."""


def backbone(script: Script, constraint: Constraint) -> Script | None:
    """The asked network in the place of the only one that is there.

    Each prepares images in its own way (VGG takes means off, MobileNetV2 scales to -1..1, EfficientNet rescales by
    itself), so that one which is prepared for in other words stays, unless the two are of one line.
    """
    known = {name.lower(): name for name in backbones()}
    wanted = known.get(constraint.value)
    present = {name_of(call) for call in script.calls(*backbones())}
    if wanted is None or len(present) != 1:
        return None
    (current,) = present
    old, new = _module_of(current), _module_of(wanted)
    prepares = "preprocess_input" in script.source
    if not old or not new or not (prepares or old == new):
        return None
    for function in reversed([node for node in script.tree.body if isinstance(node, ast.FunctionDef)]):
        docstring = function.body[0]
        if "preprocess_input" in ast.unparse(function) and isinstance(docstring, ast.Expr):
            script = script.replaced(docstring.value, f'"""Images as those that {wanted} was trained on."""')
    source = re.sub(rf"\b{current}\b", wanted, script.source)
    # ResNet50 has a module of its own name too.
    return Script(re.sub(rf"\bapplications\.(?:{old}|{current.lower()})\.", f"applications.{new}.", source))


def _module_of(name: str) -> str:
    for pattern, module in _MODULES:
        if re.fullmatch(pattern, name.lower()):
            return module
    return ""
