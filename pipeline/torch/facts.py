"""The facts of api.json, read once. Names are dotted and begin with `torch`: "torch.nn.Conv2d"."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipeline.keras.facts import Signature

_IMPORT = re.compile(r"^\s*(?:import|from)\s+torch\b", re.MULTILINE)


def imports_torch(source: str) -> bool:
    """Whether a line of the source imports PyTorch."""
    return _IMPORT.search(source) is not None


@lru_cache(maxsize=1)
def _api() -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((Path(__file__).parent / "api.json").read_text(encoding="utf-8"))
    return facts


def versions() -> dict[str, str]:
    """The version of torch that the facts were read from."""
    return dict(_api()["versions"])


@lru_cache(maxsize=1024)
def signature(name: str) -> Signature | None:
    """The signature of a public callable; None where there is none of that name, or none that Python can see."""
    text = _api()["calls"].get(name)
    if text is None:
        return None
    return Signature.parse(text)


@lru_cache(maxsize=1)
def modules() -> dict[str, frozenset[str]]:
    """The public names of the modules that are known in full."""
    return {path: frozenset(names) for path, names in _api()["names"].items()}


@lru_cache(maxsize=8192)
def is_module(path: str) -> bool:
    """Whether calling the name gives a module of a network: "torch.nn.Conv2d", and no container of others or loss."""
    parent, _, name = path.rpartition(".")
    if parent != "torch.nn" or not name[:1].isupper() or name not in modules()["torch.nn"]:
        return False
    return name not in CONTAINERS and not is_loss(path)


@lru_cache(maxsize=8192)
def is_loss(path: str) -> bool:
    """Whether the name is a loss, module or function: "torch.nn.BCELoss", "torch.nn.functional.mse_loss"."""
    parent, _, name = path.rpartition(".")
    if parent == "torch.nn":
        return name.endswith("Loss")
    return parent == "torch.nn.functional" and (name.endswith("_loss") or name in _LOSS_FUNCTIONS)


@lru_cache(maxsize=8192)
def is_optimizer(path: str) -> bool:
    """Whether the name is a class of `torch.optim`."""
    parent, _, name = path.rpartition(".")
    return parent == "torch.optim" and name[:1].isupper() and name != "Optimizer"


@lru_cache(maxsize=8192)
def is_schedule(path: str) -> bool:
    """Whether the name is a class of `torch.optim.lr_scheduler`."""
    parent, _, name = path.rpartition(".")
    return parent == "torch.optim.lr_scheduler" and name[:1].isupper()


_TORCHVISION = re.compile(r"torchvision\.models\.(\w+\.)*(?!get_model|list_models|\w*_Weights)(\w+)")
_NAMED_FIRST = frozenset({"timm.create_model", "torch.hub.load", "torchvision.models.get_model"})
_CLASSES = re.compile(
    r"(segmentation_models_pytorch|efficientnet_pytorch)\.(\w+\.)*([A-Z]\w+)(\.from_(name|pretrained))?"
)
_TRANSFORMERS = re.compile(r"(transformers|sentence_transformers)\.(\w+\.)*([A-Z]\w+)\.from_(pretrained|config)")
_NO_NETWORK = re.compile(r"Tokenizer|Processor|Config|FeatureExtractor|^TF|^Flax|Dataset|Weights|Loss")


@lru_cache(maxsize=8192)
def ready_made(path: str) -> str:
    """What a call of the name loads as a network, with its weights: "resnet18" for `torchvision.models.resnet18`, a
    class of Transformers for its `from_pretrained`; `timm.create_model` stands for the name it is given; "" for any
    other call."""
    if path in _NAMED_FIRST:
        return path
    for pattern in (_TORCHVISION, _CLASSES, _TRANSFORMERS):
        if match := pattern.fullmatch(path):
            name = match[2] if pattern is _TORCHVISION else match[3]
            return "" if _NO_NETWORK.search(name) else name
    return ""


CONTAINERS = frozenset({"Module", "Sequential", "ModuleList", "ModuleDict", "Parameter", "ParameterList"})
"""Classes of torch.nn that hold others."""

_LOSS_FUNCTIONS = frozenset({"cross_entropy", "binary_cross_entropy", "binary_cross_entropy_with_logits", "kl_div"})
