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
from pipeline.data_description.tables.folder import part_of
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
    apart = _in_test_files(arrays)
    arrays = [array for array in arrays if array not in apart]
    lacking = _lacking(arrays, apart)
    if lacking and not asked:
        choice = TargetChoice(names=tuple(array.name for array in lacking), rule="the test's file lacks it")
    else:
        choice = _targets(arrays, asked)
    arrays = [_with_classes(root, array) if array.name in choice.names else array for array in arrays]
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
    held_out, unlabelled = "", ""
    if test:
        held_out, unlabelled = (test[0].name, "") if labelled else ("", test[0].name)
    if apart:
        test_file = apart[0].path
        has_targets = any(array.name in choice.names for array in apart)
        held_out, unlabelled = (test_file, "") if has_targets else ("", test_file)
        state = "with" if has_targets else "without"
        attributes += f" {shown_name(test_file)} has {apart[0].shape[0]:,} examples {state} targets."
    return DataDescription(
        attributes=attributes,
        contract=DataContract(
            inputs=tuple(described),
            targets=contract_targets,
            examples=inputs[0].shape[0],
            validation=next((array.name for array in parts if array not in test), ""),
            held_out=held_out,
            unlabelled=unlabelled,
        ),
        target_rule=choice.rule,
        notes=tuple(notes),
        damaged=tuple(damaged),
    )


def _in_test_files(arrays: Sequence[ArrayFacts]) -> list[ArrayFacts]:
    """The arrays of a `test.npz` beside another file that has arrays of the same names."""
    others = {array.name for array in arrays if part_of(array.path) != "test"}
    return [
        array
        for array in arrays
        if array.path.endswith(".npz") and part_of(array.path) == "test" and array.shape and array.name in others
    ]


def _lacking(arrays: Sequence[ArrayFacts], apart: Sequence[ArrayFacts]) -> list[ArrayFacts]:
    """What the test's file does not have of the file whose arrays it has, with a value for each example."""
    names = {array.name for array in apart}
    inputs = [array for array in arrays if array.name in names]
    if not inputs:
        return []
    beside = [array for array in arrays if array.path == inputs[0].path and array.name not in names]
    return [array for array in beside if array.shape[:1] == inputs[0].shape[:1]]


def _with_classes(root: str, array: ArrayFacts) -> ArrayFacts:
    """The target with its classes counted, whatever its name is."""
    if array.classes is not None:
        return array
    found = _arrays_in(os.path.join(root, array.path), array.path, target=array.name)
    return next(again for again in found if again.name == array.name)


def _arrays_in(file: str, path: str, target: str = "") -> list[ArrayFacts]:
    """The arrays of a file; of the `target`, and of those that are named as one, the classes are counted."""
    if path.lower().endswith(".npy"):
        with open(file, "rb") as stream:
            name = posixpath.splitext(posixpath.basename(path))[0]
            return [_array(stream, path, name, os.path.getsize(file), is_target=name == target)]
    arrays = []
    with zipfile.ZipFile(file) as archive:
        for entry in archive.infolist():
            if entry.filename.endswith(".npy"):
                with archive.open(entry) as member:
                    name = entry.filename.removesuffix(".npy")
                    arrays.append(_array(member, path, name, entry.file_size, is_target=name == target))
    return arrays


def _array(stream: IO[bytes], path: str, name: str, size: int, *, is_target: bool) -> ArrayFacts:
    """The head of an array; of a target also the number of classes."""
    version = npy_format.read_magic(stream)  # type: ignore[no-untyped-call]
    read_head: Any = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
    shape, fortran, dtype = read_head(stream)
    if dtype.hasobject:
        raise ValueError("pickled objects")
    classes = None
    axes = range(1, 5) if "mask" in name.lower() else range(1, 3)
    is_target = is_target or _TARGET_NAME.fullmatch(name.lower()) is not None
    holds_classes = dtype.kind in "iub" or (dtype.kind in "US" and len(shape) == 1)  # names of classes have one axis
    if is_target and holds_classes and size <= _MOST_BYTES and len(shape) in axes:
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
