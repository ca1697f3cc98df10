"""One table: its facts, the contract's inputs and targets, and the sentence that says them."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline.data_description.tables.column_groups import grid_side, with_clock, with_grids, with_time_parts
from pipeline.data_description.tables.columns import MOST_COLUMNS, ColumnFacts, facts_of
from pipeline.data_description.tables.reading import TableSample, extension_of, read_table
from pipeline.data_description.tables.targets import TargetChoice, combined, target_of
from pipeline.data_description.tables.text_format import WHITESPACE
from pipeline.data_description.wording import counted, listed, pixels, shown_name
from pipeline.request.data_contract import ColumnKind, DataInput, DataTarget, TableFormat

_KIND_WORDS: dict[ColumnKind, str] = {
    "number": "numeric",
    "category": "categorical",
    "flag": "with two values",
    "text": "of text",
    "date": "of dates",
    "path": "of file names",
}
_TEXT_NAMES = frozenset(
    "text review comment sentence title body message tweet content headline question answer description summary "
    "abstract article post document statement utterance prompt caption".split()
)
_TEXT_WORDS = 5.0
"""Mean words from which on a column of texts is read as language; shorter ones are names, addresses, tickets."""

_TOKEN_NAMES = frozenset("word words token tokens".split())
_TAG_NAMES = frozenset("tag tags ner ner_tag ner_tags pos label".split())
"""A table of words with a column of such a name is text, a word a row."""

_MOST_TAGS = 100
"""Different tags at most; what has more is a text."""

_ROWS_OF_TAGS = 2000
"""So many rows of a column of tags are looked at."""

_SEPARATORS = {"\t": "tabs", ";": "semicolons", "|": "vertical bars", WHITESPACE: "blanks"}
_SHORTEST_SERIES = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class TableView:
    """A table that was looked at."""

    sample: TableSample
    facts: tuple[ColumnFacts, ...]
    time: ColumnFacts | None = None
    """The column that tells the time of a row, where rows are steps of one time."""

    @property
    def path(self) -> str:
        return self.sample.path

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(fact.name for fact in self.facts)

    def fact(self, name: str) -> ColumnFacts:
        return next(fact for fact in self.facts if fact.name == name)


def view_table(file: str, path: str) -> TableView | None:
    """A look at a table; None where the file is a text. Raises DLCodeGenError for what cannot be read."""
    sample = read_table(file, path)
    return None if sample is None else view_of(sample)


def view_of(sample: TableSample) -> TableView:
    """What the cells of a table tell."""
    facts = tuple(with_clock(with_time_parts(with_grids(facts_of(sample))), sample))
    time = _time_of(sample, facts)
    if time is not None and time.kind == "date":
        facts = tuple(fact.as_role("time") if fact is time else fact for fact in facts)
        time = next(fact for fact in facts if fact.name == time.name)
    return TableView(sample=sample, facts=facts, time=time)


def _time_of(sample: TableSample, facts: Sequence[ColumnFacts]) -> ColumnFacts | None:
    """The column of time, where each row is a step of it."""
    if sample.rows < _SHORTEST_SERIES or not any(fact.kind == "number" and fact.role == "feature" for fact in facts):
        return None
    for fact in facts:
        steps = fact.steps
        if steps is None or not steps.step or steps.repeated or fact.column.missing:
            continue
        parts = [position for position, other in enumerate(facts) if other.role == "time"]
        if fact.role == "time" and not fact.unique and fact.kind != "date":
            moments = zip(*(sample.columns[position].to_pylist() for position in parts), strict=True)
            if len(set(moments)) < len(sample.columns[0]):
                continue
        return fact
    return None


def with_target_roles(view: TableView, choice: TargetChoice) -> TableView:
    """The view with the chosen columns as targets, and texts that are no language left out of the inputs."""
    facts = [fact.as_role("target") if fact.name in choice.names else fact for fact in view.facts]
    for name in _saying_the_same(view, choice):
        facts = [fact.as_role("unused") if fact.name == name else fact for fact in facts]
    features = [fact for fact in facts if fact.role == "feature"]
    names = [fact for fact in features if fact.kind == "text" and not is_language(fact)]
    if len(names) < len(features):
        facts = [fact.as_role("unused") if fact in names else fact for fact in facts]
    return replace(view, facts=tuple(facts))


def _saying_the_same(view: TableView, choice: TargetChoice) -> list[str]:
    """Columns that name the target's classes in another way, a value a class: as inputs they would give it away."""
    if len(choice.names) != 1 or len(view.fact(choice.names[0]).values) < 2:
        return []
    target = view.fact(choice.names[0])
    cells = dict(zip(view.names, view.sample.columns, strict=True))
    names = []
    for fact in view.facts:
        if fact.name == target.name or fact.role != "feature" or len(fact.values) != len(target.values):
            continue
        pairs = set(zip(cells[fact.name].to_pylist(), cells[target.name].to_pylist(), strict=True))
        if len(pairs) == len(target.values) and 5 * len(pairs) <= target.present:
            names.append(fact.name)
    return names


def is_language(fact: ColumnFacts) -> bool:
    """Whether a column of texts is to be read by a model of text."""
    return fact.kind == "text" and (fact.words >= _TEXT_WORDS or fact.name.lower() in _TEXT_NAMES)


def inputs_of(view: TableView) -> tuple[DataInput, ...]:
    """The model's inputs in a table: its texts each, and its other features together."""
    columns = tuple(fact.column for fact in view.facts)
    features = [fact for fact in view.facts if fact.role == "feature" and fact.kind != "path"]
    texts = [fact for fact in features if fact.kind == "text"]
    rest = [fact for fact in features if fact not in texts]
    inputs = [
        DataInput(
            name=fact.name, kind="text", path=view.path, layout="table", columns=columns, format=view.sample.format
        )
        for fact in texts
    ]
    if view.time is not None:
        # What is forecast is part of the past that is looked back at.
        series = rest + [fact for fact in view.facts if fact.role == "target" and fact.kind == "number"]
        shape = (None, len(series))
        rest_input = DataInput(
            name=_stem(view.path), kind="series", path=view.path, layout="table", shape=shape, columns=columns,
            format=view.sample.format,
        )  # fmt: skip
        return (*inputs, rest_input)
    if rest:
        rest_input = DataInput(
            name=_stem(view.path), kind="table", path=view.path, layout="table", shape=(len(rest),), columns=columns,
            format=view.sample.format,
        )  # fmt: skip
        inputs.append(rest_input)
    return tuple(inputs)


def targets_of(view: TableView, choice: TargetChoice) -> tuple[DataTarget, ...]:
    facts = [view.fact(name) for name in choice.names]
    series = view.time is not None
    targets = [target_of(fact, view.path, view.sample.class_names, series=series) for fact in facts]
    names = {name.lower() for name in view.names}
    if names & _TOKEN_NAMES and len(targets) == 1 and targets[0].name.lower() in _TAG_NAMES:
        return (replace(targets[0], kind="tags"),)
    if len(targets) == 1 and (tags := _tags_of_words(view, targets[0].name)):
        # A cell holds a tag for each word of the text beside it.
        return (replace(targets[0], kind="tags", shape=(None,), classes=len(tags), class_names=tags),)
    return combined(targets, facts, view.path)


def _tags_of_words(view: TableView, name: str) -> tuple[str, ...]:
    """The tags of a column whose cells have, between blanks, one for each word of a text of the same row; () of any
    other column."""
    cells = dict(zip(view.names, view.sample.columns, strict=True))
    tagged = [str(cell or "").split() for cell in cells[name].slice(0, _ROWS_OF_TAGS).to_pylist()]
    tags = {tag for row in tagged for tag in row}
    if not 2 <= len(tags) <= _MOST_TAGS or 2 * len(tagged) > sum(map(len, tagged)):
        return ()
    for fact in view.facts:
        if fact.name == name or fact.kind != "text":
            continue
        texts = [str(cell or "").split() for cell in cells[fact.name].slice(0, _ROWS_OF_TAGS).to_pylist()]
        if all(len(text) == len(row) for text, row in zip(texts, tagged, strict=True)):
            return tuple(sorted(tags))
    return ()


def _stem(path: str) -> str:
    name = posixpath.basename(path)
    return name[: len(name) - len("".join(extension_of(name)))]


def table_sentence(view: TableView) -> str:
    """The table in words: rows, columns by kind, missing values, and how the file is written. No target."""
    sample = view.sample
    features = [fact for fact in view.facts if fact.role == "feature"]
    about = "" if sample.exact else "about "
    files = "files" if "*" in view.path else "file"
    head = f"{sample.kind} {files} {shown_name(view.path)} with {about}{counted(sample.rows, 'row')}"
    if view.time is not None and view.time.steps is not None:
        gaps = ", with gaps" if view.time.steps.gaps else ""
        times = [fact.name for fact in view.facts if fact.role == "time"]
        column = "column" if len(times) == 1 else "columns"
        head = f"Time series: {head}, one per {view.time.steps.step} ({column} {listed(times)}{gaps})"
    if features:
        head += f" and {counted(len(features), 'input column')}: {_by_kind(features, named=sample.format.header)}"
    return head


def _by_kind(features: Sequence[ColumnFacts], *, named: bool) -> str:
    parts = []
    for kind, words in _KIND_WORDS.items():
        of_kind = [fact for fact in features if fact.kind == kind]
        if not of_kind:
            continue
        part = f"{len(of_kind):,} {words}"
        if named:
            part += f" ({listed([_with_values(fact) for fact in of_kind])})"
        parts.append(part)
    return ", ".join(parts)


def _with_values(fact: ColumnFacts) -> str:
    name = shown_name(fact.name)
    if fact.kind == "category" and fact.column.distinct is not None:
        return f"{name}: {counted(fact.column.distinct, 'value')}"
    if fact.kind == "text":
        return f"{name}: about {max(round(fact.words), 1)} words"
    return name


def column_remarks(view: TableView) -> list[str]:
    """Sentences about missing values, columns that are no input, and how the file is written."""
    remarks = []
    missing = [fact for fact in view.facts if 0 < fact.column.missing < 1]
    if missing:
        shares = [f"{shown_name(fact.name)} {_percent(fact.column.missing)}" for fact in missing]
        remarks.append(f"Missing values: {listed(shares)}")
    times = [fact.name for fact in view.facts if fact.role == "time"]
    if times and view.time is None:
        remarks.append(f"Time: {listed(times)}, repeated")
    for role, words in (("id", "Row names"), ("unused", "Not used")):
        names = [fact.name for fact in view.facts if fact.role == role]
        if names:
            remarks.append(f"{words}: {listed(names)}")
    if side := grid_side(view.facts):
        remarks.append(f"The columns may be the pixels of grayscale images of {pixels(side, side)}")
    if style := _style(view.sample.format, view.sample.kind):
        remarks.append(style)
    return remarks


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.01 else "below 1%"


def _style(style: TableFormat, kind: str) -> str:
    parts = []
    if not style.header:
        parts.append("no header line")
    if style.separator in _SEPARATORS and (style.separator != "\t" or kind != "TSV"):
        parts.append(f"separated by {_SEPARATORS[style.separator]}")
    if style.decimal == ",":
        parts.append("decimal commas")
    if style.thousands:
        parts.append("commas between thousands")
    if style.skipped_lines:
        parts.append(f"{counted(style.skipped_lines, 'line')} before the table")
    text = ", ".join(parts)
    return text[:1].upper() + text[1:]


def target_words(target: DataTarget, *, guessed: bool = False) -> str:
    """A target in words: "target species: 3 classes (a, b, c)"."""
    name = shown_name(target.name) + (" (a guess)" if guessed else "")
    if target.kind in ("class", "tags") and target.classes is not None:
        names = f" ({listed(target.class_names)})" if target.class_names else ""
        return f"target {name}: {counted(target.classes, 'class', 'classes')}{names}"
    if target.kind == "labels" and target.classes is not None:
        return f"target {name}: any number of {target.classes} labels ({listed(target.class_names)})"
    return f"target {name}: {target.kind}"


def view_remarks(view: TableView) -> list[str]:
    """Notes on cells that are not as the others of their column."""
    remarks = list(view.sample.notes)
    if len(view.facts) > MOST_COLUMNS:
        remarks.append(f"{len(view.facts) - MOST_COLUMNS:,} columns between the first and last were not looked at")
    if view.sample.rows < 5 and len(view.facts) > 20 * view.sample.rows:
        remarks.append(f"{view.path} is far wider than long: perhaps its rows are columns")
    for fact in view.facts:
        if fact.odd:
            noun = counted(fact.odd, "different value")
            remarks.append(f"{noun} of column {shown_name(fact.name)} in {view.path}: no {fact.kind}")
        if fact.kind == "date" and fact.role == "feature" and fact.steps is not None and fact.steps.repeated:
            remarks.append(f"dates in column {shown_name(fact.name)} repeat: several series, or several rows of a date")
    return remarks
