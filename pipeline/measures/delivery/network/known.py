"""Known networks: which ones are used, with which weights, frozen or trained further."""

from __future__ import annotations

import ast
import re
from typing import TypeGuard

from pipeline.analysis.values import Call, Unknown
from pipeline.measures.delivery.code import Check, Code
from pipeline.measures.delivery.findings import (
    AT_RUN_TIME,
    Finding,
    Found,
    listed,
    met,
    missing,
    one_of,
    plain,
    unknown,
)
from pipeline.measures.delivery.layers import (
    Layer,
    is_backbone,
)
from pipeline.request.constraints import Constraint

_MODEL_LIBRARIES = re.compile(r"transformers\.|keras_hub\.|keras_nlp\.|keras_cv\.")


_WRITTEN_OUT = re.compile(
    r"(wide)?resnet\d+|vgg\d+|mobilenet(v\d)?|efficientnet(b\d)?|densenet\d+|alexnet|lenet\d*|convnext\w*|inceptionv\d"
)
"""Known networks that a project may have as a class or function of its own, by their plain names in full."""


def first_line(code: Code) -> int | None:
    return code.layers[0].line if code.layers else None


def layers_there(code: Code) -> str:
    names = [
        Found(layer.kind, layer.line) for layer in code.layers if layer.kind not in ("Input", "Dropout", "Flatten")
    ]
    return listed(names) or "no layers found"


def networks(code: Code) -> list[Found]:
    """The known networks that are used, by their plain names: `resnet50`, `bertbaseuncased`."""
    found: list[Found] = []
    for call in code.calls:
        of_torchvision = call.path.startswith("torchvision.models.")
        if of_torchvision or (call.layer is not None and is_backbone_call(call)):
            found.append(Found(plain(call.name), call.line))
        elif call.name in ("from_pretrained", "from_preset", "create_model", "load", "KerasLayer", "pipeline", "YOLO"):
            found += _by_text(call)
        elif code.torch is not None and call.path == call.name and _WRITTEN_OUT.fullmatch(plain(call.name)):
            found.append(Found(plain(call.name), call.line))  # a class or function of the project
        elif _MODEL_LIBRARIES.match(call.path) and "Tokenizer" not in call.path and "Config" not in call.path:
            found.append(Found(plain(call.name), call.line))
    return found


def is_backbone_call(call: Call) -> bool:
    return is_backbone(Layer(call.name, call, "keras"))


def _by_text(call: Call) -> list[Found]:
    """The name given to `from_pretrained("bert-base-uncased")`, `hub.KerasLayer("https://.../yamnet/1")`."""
    if call.name == "load" and not re.match(r"(tensorflow_hub|torch)\.hub|tensorflow_hub|hub", call.path):
        return []
    texts = [value for value in (*call.args, *call.keywords.values()) if isinstance(value, str)]
    if isinstance(call.owner, Call | None) and "Tokenizer" in call.path:
        return []
    return [Found(plain(text), call.line) for text in texts if text.strip()]


def named_network(code: Code, name: str) -> int | None:
    for network in networks(code):
        if name in str(network.value):
            return network.line
    return None


def backbone(constraint: Constraint, code: Code) -> Finding:
    """A known network by its name, in full: ResNet50 is not ResNet50V2, DistilBERT no BERT."""
    wanted = plain(constraint.value)
    there = networks(code)
    for network in there:
        if _is_network(str(network.value), wanted):
            return met(network.line)
    for text in code.texts:  # `sm.Unet("resnet34")`, a path of weights
        if plain(str(text.value)) == wanted:
            return met(text.line)
    if there:
        return missing(listed(there), there[0].line)
    return missing(f"no known network: {layers_there(code)}", first_line(code))


def _is_network(name: str, wanted: str) -> bool:
    start = name.find(wanted)
    if start < 0:
        return False
    before, after = name[:start], name[start + len(wanted) :]
    if re.search(r"distil$|ro$|al$|camem$|mobile$|tiny$|deb$|sci$|bio$|fin$", before) and wanted == "bert":
        return False
    if wanted[-1:].isdigit() and after[:1].isdigit():  # vgg1 is no vgg16
        return False
    return re.match(r"v\d|x\d", after) is None


def _weights_of(call: Call) -> object:
    """What a known network's weights are: a name or file, None for random ones, ANY for what is not known."""
    for keyword in ("weights", "pretrained", "encoder_weights"):
        if keyword in call.keywords:
            value = call.keywords[keyword]
            return value if value not in (False, "None") else None
    if re.match(r"torchvision\.|timm\.", call.path):
        return call.args[-1] is True or None if call.args else None
    return "imagenet"  # the default of keras.applications, of a hub and of `from_pretrained`


def _weights(constraint: Constraint, code: Code) -> Finding:
    """`pretrained` or `scratch`, by what known networks and embeddings are given."""
    pretrained: int | None = None
    undecided = False
    there = {item.line for item in networks(code)}
    for call in code.calls:
        name = call.name
        if call.line in there and (is_backbone_call(call) or name in _LOADERS or re.match(r"torchvision\.", call.path)):
            weights = _weights_of(call)
            undecided = undecided or weights is Unknown.ANY
            if weights is not None and weights is not Unknown.ANY and pretrained is None:
                pretrained = call.line
        elif name == "Embedding" and isinstance(call.keywords.get("weights"), list):
            pretrained = pretrained or call.line
    if pretrained is None:
        line = code.word(r"embedding_matrix|pretrained_(weights|embedding)")
        pretrained = line
    if pretrained is None and undecided:
        return unknown(AT_RUN_TIME)
    if constraint.value == "pretrained":
        return met(pretrained) if pretrained is not None else missing("trained from scratch", _network_line(code))
    if constraint.value == "scratch":
        if pretrained is not None:
            return missing("pretrained weights", pretrained)
        return met(_network_line(code)) if code.layers else missing("no network found")
    return unknown(f"no check for weights {constraint.value}")


_LOADERS = frozenset({"from_pretrained", "from_preset", "create_model", "load", "KerasLayer", "pipeline", "YOLO"})


def _network_line(code: Code) -> int | None:
    there = networks(code)
    if there:
        return there[0].line
    return code.layers[0].line if code.layers else None


def _trainable(code: Code, value: bool) -> int | None:
    """The line where weights are set to be trained, or not to be."""
    for setting in code.settings:
        if setting.name in ("trainable", "requires_grad") and setting.value is value:
            return setting.line
    for call in code.calls:
        if call.name == "requires_grad_" and (call.args[:1] == (value,) or (value and not call.args)):
            return call.line
        if call.keywords.get("trainable") is value and (call.layer is not None or call.name == "KerasLayer"):
            return call.line
    return None


def frozen_line(code: Code) -> int | None:
    """Where weights are first set not to be trained."""
    return _trainable(code, False)


def _frozen(constraint: Constraint, code: Code) -> Finding:
    line = frozen_line(code)
    if line is not None and (networks(code) or code.word("embedding|base|encoder|backbone|extractor")):
        return met(line)
    if not networks(code):
        return missing("no known network to freeze", _network_line(code))
    return missing("all its layers are trained", _network_line(code))


def _fine_tuned(constraint: Constraint, code: Code) -> Finding:
    """Trained further: never frozen, or set free again."""
    if not networks(code):
        return missing("no known network to fine-tune", _network_line(code))
    line = _trainable(code, True)
    if line is not None:
        return met(line)
    frozen = _trainable(code, False)
    if frozen is None:
        return met(_network_line(code))
    partly = [loop.node for loop in code.loops if _is_part(loop.node.iter)]
    if partly:
        return met(partly[0].lineno)
    for setting in code.settings:  # `layer.trainable = layer.name.startswith("block7")`
        if setting.name == "trainable" and not isinstance(setting.value, bool):
            return met(setting.line)
    return missing("the network is frozen", frozen)


def _is_part(node: ast.AST) -> TypeGuard[ast.Subscript]:
    """`base.layers[-30:]`"""
    if not isinstance(node, ast.Subscript) or not isinstance(node.slice, ast.Slice):
        return False
    return isinstance(node.value, ast.Attribute) and node.value.attr == "layers"


def _fine_tuned_layers(constraint: Constraint, code: Code) -> Finding:
    found = code.values(r"fine_?tuned?_(at|from|layers)|unfreeze_\w+|(n|num)_(trainable|unfrozen|unfreeze)\w*")
    for node in code.nodes_of(ast.Subscript):
        if _is_part(node):
            bounds = [node.slice.lower, node.slice.upper] if isinstance(node.slice, ast.Slice) else []
            for bound in bounds:
                if isinstance(bound, ast.UnaryOp):
                    bound = bound.operand
                if isinstance(bound, ast.Constant):
                    found.append(Found(bound.value, node.lineno))
    if not networks(code):
        return missing("no known network to fine-tune", _network_line(code))
    return one_of(found, constraint.value, missing("no layers are set free by number", _network_line(code)))


CHECKS: dict[str, Check] = {
    "backbone": backbone,
    "weights": _weights,
    "frozen": _frozen,
    "fine_tuned": _fine_tuned,
    "fine_tuned_layers": _fine_tuned_layers,
}
