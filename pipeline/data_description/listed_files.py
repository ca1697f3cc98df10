"""Files that a table lists: images or recordings in a folder, their targets and other inputs in the table."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline.data_description.description import DataDescription
from pipeline.data_description.listing import FileKind, Folder, sampled
from pipeline.data_description.media_files import media_facts
from pipeline.data_description.tables.folder import Tables, part_of
from pipeline.data_description.tables.table import (
    TableView,
    column_remarks,
    inputs_of,
    target_words,
    targets_of,
    view_remarks,
    with_target_roles,
)
from pipeline.data_description.tables.targets import TargetChoice, choose_targets
from pipeline.data_description.wording import counted, listed, shown_name
from pipeline.request.data_contract import DataContract, DataInput, WrittenFile

_CELLS_TRIED = 300
_MATCHING = 0.8
"""Share of the cells tried that have to be names of files."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _FileColumn:
    """A column whose cells are names of files."""

    view: TableView
    name: str
    path: str
    """Of the files, with `*` for a cell."""
    paths: tuple[str, ...]
    """The files that were found."""
    rows: int
    """Rows with a file: several may name the same."""
    missing: int
    """Rows without one."""


def describe_listed(
    root: str, base: Folder, kind: FileKind, tables: Tables, asked: Sequence[str]
) -> DataDescription | None:
    """The description of files that a table of the folder lists; None where no table does."""
    mains = [view for view in tables.views if part_of(view.path) in ("train", "")]
    columns = [column for view in mains if (column := _file_column(view, base, kind)) is not None]
    if not columns:
        return None
    # Of several tables that list the files, the one with the most columns has their targets.
    found = max(columns, key=lambda column: len(column.view.names))
    submission = next((view for view in tables.views if part_of(view.path) == "submission"), None)
    test = next((view for view in tables.views if part_of(view.path) == "test"), None)
    view = _as_path(found.view, found.name)
    lacking = [name for name in view.names if name not in test.names] if test is not None else []
    choice = choose_targets(
        view.facts,
        asked,
        lacking=lacking,
        submitted=submission.names if submission is not None else (),
        table=view.path,
    )
    if not choice.names or choice.guessed:
        choice = _by_what_is_left(view) or choice
    view = with_target_roles(view, choice)
    facts = media_facts(root, kind, found.paths)
    file_input = DataInput(
        name=facts.kind,
        kind=facts.kind,
        path=found.path,
        layout="listed_files",
        shape=facts.shape,
        columns=tuple(fact.column for fact in view.facts if fact.name == found.name),
        format=view.sample.format,
    )
    targets = targets_of(view, choice)
    others = inputs_of(view)
    place = f"column {shown_name(found.name)} of {view.path}"
    words = f"{len(found.paths):,} {facts.words or kind + ' files'}, listed in {place}"
    if others:
        features = [fact.name for fact in view.facts if fact.role == "feature" and fact.kind != "path"]
        words += f" with {counted(len(features), 'further input column')} ({listed(features)})"
    answers = "; ".join(target_words(target, guessed=choice.guessed) for target in targets) or "target: not known"
    sentences = [f"{words}; {answers}", *column_remarks(view)]
    notes = [*([choice.note] if choice.note else []), *view_remarks(view), *facts.notes]
    if found.missing:
        notes.append(f"{counted(found.missing, 'row')} of {view.path} without a file")
    unlabelled = test.path if test is not None and choice.names else _test_folder(base, kind)
    if unlabelled:
        sentences.append(f"Without targets: {unlabelled}")
    writes: tuple[WrittenFile, ...] = ()
    if submission is not None:
        writes = (WrittenFile(path="submission.csv", holds="predictions", columns=submission.names),)
        sentences.append(f"Predictions are wanted in the columns {listed(submission.names)}")
    return DataDescription(
        attributes=". ".join(sentences) + ".",
        contract=DataContract(
            inputs=(file_input, *others),
            targets=targets,
            writes=writes,
            examples=found.rows,
            unlabelled=unlabelled,
        ),
        target_rule=choice.rule,
        notes=tuple(notes),
        damaged=(*tables.damaged, *facts.damaged),
    )


def _by_what_is_left(view: TableView) -> TargetChoice | None:
    """The target by what stands beside the file names: one column, or nothing but columns of two values."""
    left = [fact for fact in view.facts if fact.role == "feature" and fact.kind != "path"]
    if len(left) == 1:
        return TargetChoice(names=(left[0].name,), rule="the only column beside the file names")
    if len(left) > 2 and all(fact.kind == "flag" for fact in left):
        return TargetChoice(
            names=tuple(fact.name for fact in left),
            rule="a guess: all columns beside the file names have two values",
            guessed=True,
            note="that all columns are labels is a guess; --target NAME names another",
        )
    return None


def _test_folder(base: Folder, kind: FileKind) -> str:
    return next((folder.path for folder in base.folders if part_of(folder.name) == "test" and folder.count(kind)), "")


def _as_path(view: TableView, name: str) -> TableView:
    """The view with a column as names of files, whatever its cells looked like."""
    facts = [
        replace(fact, column=replace(fact.column, kind="path", role="feature")) if fact.name == name else fact
        for fact in view.facts
    ]
    return replace(view, facts=tuple(facts))


def _file_column(view: TableView, base: Folder, kind: FileKind) -> _FileColumn | None:
    """The first column of a table whose cells are names of files of a kind, with or without folder and ending."""
    paths = base.all_paths(kind)
    offset = len(base.path) + 1 if base.path else 0
    trains = [path for path in paths if part_of(path[offset:].split("/")[0]) != "test"]
    keys = {
        "path": {path[offset:]: path for path in paths},
        "below": {path[offset:].partition("/")[2]: path for path in trains},
        "name": {posixpath.basename(path): path for path in trains},
        "stem": {posixpath.splitext(posixpath.basename(path))[0]: path for path in trains},
    }
    for fact, cells in zip(view.facts, view.sample.columns, strict=True):
        if fact.kind in ("date", "flag") or (fact.kind == "number" and not fact.whole):
            continue
        values = [str(cell).replace(os.sep, "/").removeprefix("./") for cell in cells.to_pylist() if cell]
        tried = sampled(values, _CELLS_TRIED)
        for how, known in keys.items():
            if tried and sum(value in known for value in tried) >= _MATCHING * len(tried):
                found = list(dict.fromkeys(known[value] for value in values if value in known))
                pattern = _pattern(found, how, base)
                rows = sum(value in known for value in values)
                missing = len(values) - rows
                return _FileColumn(
                    view=view, name=fact.name, path=pattern, paths=tuple(found), rows=rows, missing=missing
                )
    return None


def _pattern(found: Sequence[str], how: str, base: Folder) -> str:
    if how == "path":
        return base.place("*")
    if how == "below":
        folders = {path[len(base.path) :].lstrip("/").partition("/")[0] for path in found}
        return base.place(f"{folders.pop() if len(folders) == 1 else '*'}/*")
    folder = posixpath.commonpath([posixpath.dirname(path) for path in found])
    deep = "" if all(posixpath.dirname(path) == folder for path in found) else "**/"
    endings = {posixpath.splitext(path)[1] for path in found}
    ending = endings.pop() if how == "stem" and len(endings) == 1 else ".*" if how == "stem" else ""
    return posixpath.join(folder, f"{deep}*{ending}")
