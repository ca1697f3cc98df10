"""What a PyTorch notebook states (`pipeline.analysis.torch_code` reads it), in the form of a Keras one's facts."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import NamedTuple

from pipeline.analysis.extract import CodeFacts
from pipeline.analysis.torch_code.reading import TorchCode, read_torch
from pipeline.analysis.values import Call
from pipeline.measures.delivery.layers import is_sized, layers_of
from pipeline.measures.torch_facts import torch_facts

Shape = tuple[int | None, ...]

_RECURRENT = frozenset({"GRU", "LSTM", "RNN"})
_CLASSES = ("num_classes", "num_labels")
_RESIZES = ("Resize", "RandomResizedCrop", "CenterCrop", "RandomCrop")


class TorchPlan(NamedTuple):
    """The facts of a PyTorch notebook."""

    facts: CodeFacts
    """With layers as the code writes them."""
    compared: CodeFacts
    """With layers by Keras' names, by which the task is told."""
    units: int | None
    """Of the output."""
    defaults: frozenset[str]
    """Settings in which the code is silent and PyTorch's default stands."""


def read_torch_plan(tree: ast.Module) -> TorchPlan | None:
    """The facts; None for a program that is none of PyTorch."""
    code = read_torch(tree)
    compared = torch_facts(tree)
    if code is None or compared is None:
        return None
    frameworks = ("torch", "transformers") if _is_of_transformers(code) else ("torch",)
    shape = _input_shape(code, tree)
    compared = replace(compared, input_shape=shape, frameworks=frameworks)
    facts = replace(
        compared,
        layers=code.layers,
        unread=dict(code.unread),
    )
    return TorchPlan(facts, compared, _units(code), code.defaults)


def _is_of_transformers(code: TorchCode) -> bool:
    return any(module.path.startswith("transformers") for module in code.modules)


def _input_shape(code: TorchCode, tree: ast.Module) -> Shape | None:
    """What the first layer with weights takes in: columns, series, or pictures of the size they are brought to."""
    for module in code.modules:
        size = module.argument(0, "in_features", "in_channels", "input_size")
        known = size if isinstance(size, int) else None
        if module.name == "Linear":
            return (known,)
        if module.name in _RECURRENT:
            return (None, known)
        if module.name == "Conv1d":
            return (None, known)
        if module.name == "Conv2d":
            return (*(_image_size(tree) or (None, None)), known)
        if module.path.startswith(("torchvision", "timm")):
            size_of_image = _image_size(tree)
            return (*size_of_image, 3) if size_of_image else None
        if module.name == "Embedding":
            return None
    return None


def _image_size(tree: ast.Module) -> tuple[int, int] | None:
    """Height and width that a transform of torchvision brings pictures to; the last one that is stated."""
    found: tuple[int, int] | None = None
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name not in _RESIZES:
            continue
        try:
            size = ast.literal_eval(node.args[0])
        except (ValueError, TypeError, SyntaxError, RecursionError):
            continue
        if isinstance(size, int):
            found = (size, size)
        elif isinstance(size, list | tuple) and len(size) == 2 and all(isinstance(side, int) for side in size):
            found = (size[0], size[1])
    return found


def _units(code: TorchCode) -> int | None:
    """Of the last layer that has any, or the classes that a ready-made network is given."""
    for module in reversed(code.modules):
        if (classes := _classes(module)) is not None:
            return classes
        sized = [layer for layer in layers_of([module]) if is_sized(layer)]
        if sized:
            return sized[0].size if isinstance(sized[0].size, int) else None
    return None


def _classes(module: Call) -> int | None:
    for name in _CLASSES:
        value = module.keywords.get(name)
        if isinstance(value, int):
            return value
    return None
