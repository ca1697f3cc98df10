"""NumPy files: arrays by name and shape, which of them are inputs and which the targets."""

from __future__ import annotations

import os
import posixpath
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy_format

from pipeline.data_description.description import DataDescription
from pipeline.data_description.tables.excel import DAMAGED_ZIP
from pipeline.data_description.tables.targets import TargetChoice
from pipeline.data_description.wording import counted, listed, pixels, shown_name
from pipeline.errors import DLCodeGenError
from pipeline.request.data_contract import DataContract, DataInput, DataKind, DataTarget, TargetKind

_TARGET_NAME = re.compile(
    r"(y|t|label|labels|target|targets|class|classes|mask|masks)([_-].*)?|.*[_-](y|labels?|targets?)"
)
_TEST_NAME = re.compile(r".*[_-]?test.*")
_VALIDATION_NAME = re.compile(r".*[_-]?(val|valid|validation|dev)([_-].*)?")
_MOST_BYTES = 64 << 20
"""A target larger than this is not read: its classes are not counted."""
_MOST_CLASSES = 1000
_MOST_LABELS = 64
"""Different values of a mask at most."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ArrayFacts:
    """An array in a file."""

    path: str
    name: str
    shape: tuple[int, ...]
    dtype: Any
    classes: int | None = None
    """Of an array of whole numbers or of one-hot rows, where it was read."""

    @property
    def low_name(self) -> str:
        return self.name.lower()


def describe_arrays(root: str, paths: Sequence[str], asked: Sequence[str]) -> DataDescription:
    """Arrays of `.npz` and `.npy` files as inputs and targets by their names; the first axis is the examples'."""
    arrays: list[ArrayFacts] = []
    damaged, notes = [], []
    for path in paths:
        try:
            arrays += _arrays_in(os.path.join(root, path), path)
        except (OSError, ValueError, TypeError, *DAMAGED_ZIP) as error:
            pickled = "pickled objects" in str(error)
            damaged.append(
                f"{shown_name(path)}: {'holds pickled objects, which are not read' if pickled else 'damaged'}"
            )
    if not arrays:
        raise DLCodeGenError(f"{'; '.join(damaged)}; save plain arrays with numpy.savez")
    choice = _targets(arrays, asked)
    parts = [
        array for array in arrays if _TEST_NAME.fullmatch(array.low_name) or _VALIDATION_NAME.fullmatch(array.low_name)
    ]
    main = [array for array in arrays if array not in parts] or arrays
    targets = [array for array in main if array.name in choice.names]
    inputs = [array for array in main if array not in targets and array.shape]
    if targets:
        rows = targets[0].shape[:1]
        left_out = [array.name for array in inputs if array.shape[:1] != rows]
        inputs = [array for array in inputs if array.shape[:1] == rows]
        if left_out:
            notes.append(f"arrays of another length than the target were left out: {listed(left_out)}")
    elif len({array.shape[0] for array in inputs}) > 1:
        notes.append("the arrays have different lengths; which are inputs cannot be told")
        return DataDescription(attributes=_plain_words(arrays), notes=tuple(notes), damaged=tuple(damaged))
    if not inputs:
        return DataDescription(attributes=_plain_words(arrays), notes=("no array is an input",), damaged=tuple(damaged))
    if choice.note:
        notes.append(choice.note)
    test = [array for array in parts if _TEST_NAME.fullmatch(array.low_name)]
    labelled = any(_TARGET_NAME.fullmatch(array.low_name) for array in test)
    described = [_input(array) for array in inputs]
    contract_targets = tuple(_target(array) for array in targets)
    words = [f"{_in_words(array)} in array {shown_name(array.name)}" for array in inputs]
    answer = "; ".join(_target_in_words(target) for target in contract_targets) or "target: not known"
    names = ", ".join(shown_name(posixpath.basename(path)) for path in dict.fromkeys(array.path for array in main))
    attributes = f"NumPy file {names}: {' and '.join(words)}; {answer}."
    if parts:
        attributes += f" Also there: {listed([array.name for array in parts])}."
    return DataDescription(
        attributes=attributes,
        contract=DataContract(
            inputs=tuple(described),
            targets=contract_targets,
            examples=inputs[0].shape[0],
            validation=next((array.name for array in parts if array not in test), ""),
            held_out=test[0].name if test and labelled else "",
            unlabelled=test[0].name if test and not labelled else "",
        ),
        target_rule=choice.rule,
        notes=tuple(notes),
        damaged=tuple(damaged),
    )


def _arrays_in(file: str, path: str) -> list[ArrayFacts]:
    if path.lower().endswith(".npy"):
        with open(file, "rb") as stream:
            name = posixpath.splitext(posixpath.basename(path))[0]
            return [_array(stream, path, name, os.path.getsize(file))]
    arrays = []
    with zipfile.ZipFile(file) as archive:
        for entry in archive.infolist():
            if entry.filename.endswith(".npy"):
                with archive.open(entry) as member:
                    arrays.append(_array(member, path, entry.filename.removesuffix(".npy"), entry.file_size))
    return arrays


def _array(stream: IO[bytes], path: str, name: str, size: int) -> ArrayFacts:
    """The head of an array; of a target also the number of classes."""
    version = npy_format.read_magic(stream)  # type: ignore[no-untyped-call]
    read_head: Any = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
    shape, fortran, dtype = read_head(stream)
    if dtype.hasobject:
        raise ValueError("pickled objects")
    classes = None
    axes = range(1, 5) if "mask" in name.lower() else range(1, 3)
    if _TARGET_NAME.fullmatch(name.lower()) and size <= _MOST_BYTES and dtype.kind in "iub" and len(shape) in axes:
        count = int(np.prod(shape))
        data = stream.read(count * dtype.itemsize)
        if len(data) < count * dtype.itemsize:
            raise ValueError("cut off")
        classes = _class_count(np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C"))
    return ArrayFacts(path=path, name=name, shape=tuple(shape), dtype=dtype, classes=classes)


def _class_count(values: Any) -> int | None:
    if values.ndim > 2:
        count = max(len(np.unique(values)), 2)
        return count if count <= _MOST_LABELS else None
    if values.ndim == 2 and values.shape[1] > 1:
        one_hot = bool(np.all(values.sum(axis=1) == 1) and values.min() >= 0)
        return int(values.shape[1]) if one_hot else None
    count = len(np.unique(values))
    return count if 2 <= count <= min(_MOST_CLASSES, values.size / 2) else None


def _targets(arrays: Sequence[ArrayFacts], asked: Sequence[str]) -> TargetChoice:
    names = [array.name for array in arrays]
    if asked:
        missing = [name for name in asked if name not in names]
        if missing:
            raise DLCodeGenError(f"no array {missing[0]!r} for the target; there are {listed(names)}")
        return TargetChoice(names=tuple(asked), rule="as asked for")
    named = [array.name for array in arrays if _TARGET_NAME.fullmatch(array.low_name)]
    if named and len(named) < len(names):
        return TargetChoice(names=tuple(named), rule="its name")
    return TargetChoice(note="which array is the target cannot be told; name it with --target NAME")


def _kind(array: ArrayFacts) -> DataKind:
    shape = array.shape
    if len(shape) == 4 and shape[-1] in (1, 3, 4):
        return "image"
    if len(shape) == 3 and array.dtype == np.uint8 and min(shape[1:]) >= 8:
        return "image"
    if len(shape) == 2:
        return "table"
    return "array"


def _input(array: ArrayFacts) -> DataInput:
    return DataInput(name=array.name, kind=_kind(array), path=array.path, layout="arrays", shape=array.shape[1:])


def _in_words(array: ArrayFacts) -> str:
    count, shape = array.shape[0], array.shape[1:]
    if _kind(array) == "image":
        mode = {1: "grayscale", 3: "RGB", 4: "RGBA"}[shape[2]] if len(shape) == 3 else "grayscale"
        return f"{count:,} {mode} images of {pixels(shape[0], shape[1])}"
    if len(shape) == 1:
        return f"{count:,} rows of {counted(shape[0], 'feature')}"
    if not shape:
        return f"{count:,} values"
    return f"{count:,} examples of shape (batch_size, {', '.join(map(str, shape))})"


def _target(array: ArrayFacts) -> DataTarget:
    shape = array.shape[1:]
    if array.classes is not None and len(shape) > 1:
        return DataTarget(name=array.name, kind="mask", path=array.path, shape=shape[:2], classes=array.classes)
    if array.classes is not None:
        return DataTarget(name=array.name, kind="class", path=array.path, classes=array.classes)
    kind: TargetKind = "number" if shape in ((), (1,)) else "numbers" if len(shape) == 1 else "image"
    return DataTarget(name=array.name, kind=kind, path=array.path, shape=shape)


def _target_in_words(target: DataTarget) -> str:
    if target.classes is not None:
        return f"target {shown_name(target.name)}: {counted(target.classes, 'class', 'classes')}"
    size = f" of shape {target.shape}" if target.shape else ""
    return f"target {shown_name(target.name)}: {target.kind}{size}"


def _plain_words(arrays: Sequence[ArrayFacts]) -> str:
    shown = [f"{shown_name(array.name)} of shape {array.shape} ({array.dtype})" for array in arrays[:20]]
    return f"NumPy arrays: {'; '.join(shown)}."
