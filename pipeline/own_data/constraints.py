"""What data ask for by themselves, beside the request: their files, target, classes and sizes, as constraints."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from pipeline.own_data.target_kinds import rates_items
from pipeline.request.constraints import Aspect, Constraint
from pipeline.request.data_contract import DataContract, DataInput, DataTarget, TargetKind

MOST_CLASSES = 50
"""Classes of data with more are counted, and not each named: a constraint for each would drown the others."""

LONGEST_SIDE = 320
"""Pixels a side up to which the size of images is asked for; larger ones are scaled down, as far as the plan says."""

_PROBLEMS: dict[TargetKind, str] = {
    "class": "classification",
    "labels": "classification",
    "number": "regression",
    "numbers": "regression",
    "mask": "segmentation",
    "boxes": "detection",
    "tags": "tagging",
}

Value = tuple[Aspect, str, str]
"""Aspect, name and value of a constraint."""


def constraints_of(contract: DataContract, words: str) -> tuple[Constraint, ...]:
    """The constraints of data whose description is `words`, each where the description says its value, or at the whole
    of it where it says that in other words."""
    constraints: list[Constraint] = []
    for aspect, name, value in dict.fromkeys(_values(contract)):
        start = words.find(value)
        end = start + len(value) if start >= 0 else len(words)
        constraints.append(
            Constraint(aspect=aspect, name=name, value=value, start=max(start, 0), end=end, source="data")
        )
    return tuple(constraints)


def _values(contract: DataContract) -> Iterator[Value]:
    yield from _problem(contract)
    for data_input in contract.inputs:
        yield "data", "kind", data_input.kind
        yield from _places(data_input)
        yield from _sizes(data_input)
    for target in contract.targets:
        yield from _of_target(target)


def _problem(contract: DataContract) -> Iterator[Value]:
    if rates_items(contract):
        yield "task", "problem", "recommendation"
        return
    series = any(data_input.kind == "series" and data_input.layout == "table" for data_input in contract.inputs)
    for target in contract.targets:
        if series and target.kind in ("number", "numbers"):
            yield "task", "problem", "forecasting"
        elif target.kind in _PROBLEMS:
            yield "task", "problem", _PROBLEMS[target.kind]


def _places(data_input: DataInput) -> Iterator[Value]:
    if "*" not in data_input.path and "{" not in data_input.path:
        yield "files", "file", data_input.path
        return
    # The folder above the first name that is open: `photos/{class}/*` is read in `photos`.
    fixed = data_input.path.split("{")[0].split("*")[0]
    folder = posixpath.dirname(fixed)
    if folder:
        yield "files", "folder", folder


def _sizes(data_input: DataInput) -> Iterator[Value]:
    shape = data_input.shape
    if data_input.kind == "image" and len(shape) == 3:
        names: tuple[str, ...] = ("height", "width", "channels")
        if max(shape[0] or 0, shape[1] or 0) > LONGEST_SIDE:
            shape = (None, None, shape[2])
    elif data_input.kind == "table" and len(shape) == 1:
        names = ("features",)
    elif data_input.kind in ("series", "array") and len(shape) == 2:
        names = ("length", "features")
    else:
        return
    for name, size in zip(names, shape, strict=True):
        if size is not None:
            yield "size", name, str(size)


def _of_target(target: DataTarget) -> Iterator[Value]:
    if target.name and target.kind not in ("mask", "image", "boxes") and target.path:
        yield "files", "target", target.name
    if target.classes is not None:
        yield "classes", "count", str(target.classes)
    if target.class_names and len(target.class_names) <= MOST_CLASSES:
        for name in target.class_names:
            yield "classes", "name", name.lower()
