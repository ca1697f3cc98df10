"""Tables that belong together: one of its own, train and test, a sample submission, inputs and targets apart."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import pyarrow as pa

from pipeline.data_description.description import DataDescription
from pipeline.data_description.tables.reading import extension_of
from pipeline.data_description.tables.table import (
    TableView,
    column_remarks,
    inputs_of,
    table_sentence,
    target_words,
    targets_of,
    view_of,
    view_remarks,
    view_table,
    with_target_roles,
)
from pipeline.data_description.tables.targets import TargetChoice, choose_targets, target_of
from pipeline.data_description.wording import counted, listed, shown_name
from pipeline.errors import DLCodeGenError
from pipeline.request.data_contract import DataContract, WrittenFile

Part = Literal["train", "validation", "test", "submission", ""]

MOST_TABLES = 40
"""So many tables of a folder are looked at."""

_PARTS: tuple[tuple[Part, str], ...] = (
    ("submission", r".*submission.*|sample_?sub.*"),
    ("train", r"(.*[_. -])?(train|training)([_. -].*)?"),
    ("validation", r"(.*[_. -])?(val|valid|validation|dev)([_. -].*)?"),
    ("test", r"(.*[_. -])?(test|testing)([_. -].*)?"),
)
_TARGETS_APART = re.compile(r"(.*[_. -])?(y|target|targets|label|labels)([_. -].*)?", re.IGNORECASE)


def part_of(name: str) -> Part:
    """Which part of the data a file or folder is by its name; "" for none."""
    stem = posixpath.basename(name).split(".")[0].lower()
    return next((part for part, pattern in _PARTS if re.fullmatch(pattern, stem)), "")


@dataclass(kw_only=True, slots=True)
class Tables:
    """The tables of a folder that could be read, and the others."""

    views: list[TableView] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def view_tables(root: str, paths: Sequence[str]) -> Tables:
    """A look at each table of a folder; files whose lines are no rows are left out."""
    tables = Tables()
    for path in paths[:MOST_TABLES]:
        try:
            view = view_table(posixpath.join(root, path), path)
        except DLCodeGenError as error:
            tables.damaged.append(str(error))
            continue
        if view is not None:
            tables.views.append(view)
    if len(paths) > MOST_TABLES:
        tables.notes.append(f"{len(paths) - MOST_TABLES:,} more tables were not looked at")
    return tables


def describe_tables(tables: Tables, asked: Sequence[str]) -> DataDescription:
    """Tables that belong together as one description; of others each is named, and there is no contract."""
    views = tables.views
    parts = {part: [view for view in views if part_of(view.path) == part] for part, _ in _PARTS}
    others = [view for view in views if not part_of(view.path)]
    mains = parts["train"] or others
    mains = _joined(mains)
    apart = _inputs_and_targets(mains)
    if apart is not None:
        description = _described_apart(*apart, asked, parts["test"])
    elif len(mains) == 1:
        description = describe_one(mains[0], asked, parts)
    elif not mains and len(views) == 1:
        description = describe_one(views[0], asked, {})
    elif (pair := _known_and_new(views)) is not None:
        description = describe_one(pair[0], asked, {"test": [pair[1]]})
    else:
        description = _several(views)
    ignored = others if parts["train"] and len(mains) == 1 else []
    notes = [*description.notes, *tables.notes]
    if ignored:
        notes.append(f"also there, and not taken in: {listed([view.path for view in ignored])}")
    return DataDescription(
        attributes=description.attributes,
        contract=description.contract,
        target_rule=description.target_rule,
        notes=tuple(notes),
        damaged=tuple(tables.damaged),
    )


def describe_one(view: TableView, asked: Sequence[str], parts: dict[Part, list[TableView]]) -> DataDescription:
    """A table with the tables beside it that are parts of the same data."""
    test = next(iter(parts.get("test", [])), None)
    validation = next(iter(parts.get("validation", [])), None)
    submission = next(iter(parts.get("submission", [])), None)
    lacking = [fact.name for fact in view.facts if fact.name not in test.names] if test is not None else []
    choice = choose_targets(
        view.facts,
        asked,
        lacking=lacking,
        submitted=submission.names if submission is not None else (),
        series=view.time is not None,
        class_names=view.sample.class_names,
        table=view.path,
    )
    view = with_target_roles(view, choice)
    targets = targets_of(view, choice)
    words = "; ".join(target_words(target, guessed=choice.guessed) for target in targets) or "target: not known"
    sentences = [f"{table_sentence(view)}; {words}", *column_remarks(view)]
    labelled = test is not None and bool(targets) and not set(choice.names) & set(lacking)
    if test is not None:
        state = "with targets" if labelled else "without target" if targets else "of the test"
        sentences.append(f"{shown_name(test.path)} has {counted(test.sample.rows, 'row')} {state}")
    if validation is not None:
        sentences.append(f"{shown_name(validation.path)} has {counted(validation.sample.rows, 'row')} for validation")
    writes: tuple[WrittenFile, ...] = ()
    if submission is not None:
        writes = (WrittenFile(path="submission.csv", holds="predictions", columns=submission.names),)
        sentences.append(f"Predictions are wanted in the columns {listed(submission.names)}")
    contract = DataContract(
        inputs=inputs_of(view),
        targets=targets,
        writes=writes,
        examples=view.sample.rows if view.sample.exact else None,
        validation=validation.path if validation is not None else "",
        held_out=test.path if test is not None and labelled else "",
        unlabelled=test.path if test is not None and targets and not labelled else "",
    )
    return DataDescription(
        attributes=". ".join(sentences) + ".",
        contract=contract,
        target_rule=choice.rule,
        notes=(*([choice.note] if choice.note else []), *view_remarks(view)),
    )


def _joined(views: Sequence[TableView]) -> list[TableView]:
    """Tables with the same named columns are one, in several files: a month each, or the parts of a Parquet folder."""
    samples = [view.sample for view in views]
    if len(samples) < 2 or not all(sample.format == samples[0].format for sample in samples):
        return list(views)
    if any(sample.names != samples[0].names for sample in samples) or not samples[0].format.header:
        return list(views)
    folder = posixpath.commonpath([posixpath.dirname(sample.path) for sample in samples])
    deep = any(posixpath.dirname(sample.path) != folder for sample in samples)
    ending = "".join(extension_of(samples[0].path))
    whole = replace(
        samples[0],
        path=posixpath.join(folder, f"{'**/' if deep else ''}*{ending}"),
        columns=tuple(pa.concat_arrays(parts) for parts in zip(*(sample.columns for sample in samples), strict=True)),
        rows=sum(sample.rows for sample in samples),
        exact=all(sample.exact for sample in samples),
        whole=all(sample.whole for sample in samples),
        notes=(f"{len(samples)} files with the same columns, taken as one table", *samples[0].notes),
    )
    return [view_of(whole)]


def _inputs_and_targets(views: Sequence[TableView]) -> tuple[TableView, TableView] | None:
    """Two tables of which one holds the inputs and the other, by its name, the targets of as many rows."""
    if len(views) != 2:
        return None
    first, second = views
    if _holds_targets(first) == _holds_targets(second):
        return None
    if first.sample.rows != second.sample.rows:
        return None
    return (second, first) if _holds_targets(first) else (first, second)


def _known_and_new(views: Sequence[TableView]) -> tuple[TableView, TableView] | None:
    """Of two tables the one with answers and the one that lacks them: `history.csv` and `future.csv`.

    A list of users beside their ratings lacks columns as well; but there, what the two share repeats in the ratings.
    """
    if len(views) != 2 or not all(view.sample.format.header for view in views):
        return None
    new, known = sorted(views, key=lambda view: len(view.names))
    if not set(new.names) < set(known.names):
        return None
    if len(new.names) == 1 and not known.fact(new.names[0]).unique:
        return None
    return known, new


def _holds_targets(view: TableView) -> bool:
    return _TARGETS_APART.fullmatch(posixpath.basename(view.path)) is not None


def _described_apart(
    features: TableView, answers: TableView, asked: Sequence[str], tests: Sequence[TableView]
) -> DataDescription:
    wanted = tuple(fact.name for fact in answers.facts if fact.role not in ("id", "unused"))
    if asked:
        wanted = choose_targets(answers.facts, asked, table=answers.path).names
    view = with_target_roles(features, TargetChoice())
    targets = tuple(target_of(answers.fact(name), answers.path) for name in wanted)
    words = "; ".join(target_words(target) for target in targets)
    sentences = [f"{table_sentence(view)}; {words} (in {shown_name(answers.path)}, row by row)", *column_remarks(view)]
    test = next((table.path for table in tests if not _holds_targets(table)), "")
    labelled = any(_holds_targets(table) for table in tests)
    if test:
        sentences.append(f"{shown_name(test)} has {'rows with targets' if labelled else 'rows without targets'}")
    contract = DataContract(
        inputs=inputs_of(view),
        targets=targets,
        examples=view.sample.rows,
        held_out=test if labelled else "",
        unlabelled="" if labelled else test,
    )
    return DataDescription(
        attributes=". ".join(sentences) + ".",
        contract=contract,
        target_rule="a table of targets with as many rows",
        notes=(*view_remarks(features), *view_remarks(answers)),
    )


def _several(views: Sequence[TableView]) -> DataDescription:
    lines = [f"{table_sentence(with_target_roles(view, TargetChoice()))}" for view in views[:MOST_TABLES]]
    return DataDescription(
        attributes=f"{counted(len(views), 'table')}. " + ". ".join(lines) + ".",
        notes=("which tables belong together cannot be told; describe one of them, or name them train and test",),
    )
