"""What the columns of a table hold: kind, role, missing values, different values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.data_description.tables.reading import TableSample
from pipeline.data_description.tables.time_steps import LOOKED_AT, LOOKS_LIKE_DATE, TimeSteps, dates_of, steps_of
from pipeline.request.data_contract import Column, ColumnKind, ColumnRole

MISSING = ("", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None", "<NA>", "#N/A", "?", "-", ".", "-nan")
"""Cells that stand for no value."""

FEW = 20
"""So many different whole numbers at most are taken for classes."""

MOST_VALUES = 1000
"""So many different values at most are kept, to be names of classes."""

MOST_COLUMNS = 2000
"""Of a wider table, the first and last columns are looked at; those between are taken for numbers."""

_MOSTLY = 0.95
"""Share of the values that have to be of a kind; the others are reported."""

FILE_ENDINGS = "jpe?g|png|bmp|gif|tiff?|webp|wav|mp3|flac|ogg|m4a|mp4|avi|mov|mkv|txt|npy|npz|nii(\\.gz)?|dcm|pdf"
_FLAGS = (
    {"true", "false"},
    {"yes", "no"},
    {"y", "n"},
    {"t", "f"},
    {"0", "1"},
    {"0.0", "1.0"},
    {"-1", "1"},
    {"on", "off"},
)
ID_NAME = re.compile(
    r"(.*[_ .-])?(id|ids|idx|index|uuid|guid|nr|nummer)|key|rownames|row|no|number|obs|observation|[a-z0-9_]*I[dD]",
    re.ASCII,
)
_CODE_NAME = re.compile(r"(.*[_ ])?(zip|zip_?code|zipcode|postal_?code|postcode|plz|code)", re.IGNORECASE)
_DATE_NAME = re.compile(r".*(date|time|day|month|timestamp).*", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class ColumnFacts:
    """A column and what is known beyond the contract."""

    column: Column
    whole: bool = False
    """All numbers are whole."""
    present: int = 0
    """Values that were looked at."""
    unique: bool = False
    values: tuple[str, ...] = ()
    """The different values in order; empty where there are more than MOST_VALUES."""
    words: float = 0.0
    """Mean number of words of a text."""
    odd: int = 0
    """Different values that are not of the column's kind."""
    joined_by: str = ""
    """What separates several labels within a cell; "" where cells hold one value."""
    steps: TimeSteps | None = None
    """Of a column of dates."""

    @property
    def name(self) -> str:
        return self.column.name

    @property
    def kind(self) -> ColumnKind:
        return self.column.kind

    @property
    def role(self) -> ColumnRole:
        return self.column.role

    def distinct_at_most(self, most: int) -> bool:
        return self.column.distinct is not None and self.column.distinct <= most

    def as_role(self, role: ColumnRole) -> ColumnFacts:
        return replace(self, column=replace(self.column, role=role))


def facts_of(sample: TableSample) -> tuple[ColumnFacts, ...]:
    """The facts of every column, in the order of the file."""
    names = _unique_names(sample.names)
    facts = []
    for position, (name, cells) in enumerate(zip(names, sample.columns, strict=True)):
        if MOST_COLUMNS // 2 <= position < len(names) - MOST_COLUMNS // 2:
            facts.append(ColumnFacts(column=Column(name=name, kind="number")))
        else:
            facts.append(_facts(position, name, cells, sample))
    return tuple(facts)


def _unique_names(names: Sequence[str]) -> list[str]:
    """The names as pandas reads them: repeated ones numbered, empty ones `Unnamed: 0`."""
    seen: dict[str, int] = {}
    unique = []
    for position, name in enumerate(names):
        name = name or f"Unnamed: {position}"
        count = seen.get(name, 0)
        seen[name] = count + 1
        unique.append(f"{name}.{count}" if count else name)
    return unique


def _facts(position: int, name: str, cells: pa.Array, sample: TableSample) -> ColumnFacts:
    absent = pc.or_(pc.fill_null(pc.is_in(cells, value_set=pa.array(MISSING)), True), pc.is_null(cells))
    present = cells.filter(pc.invert(absent))
    missing = 1 - len(present) / max(len(cells), 1)
    if not len(present):
        return ColumnFacts(column=Column(name=name, kind="text", role="unused", missing=1.0, distinct=0))
    counts = present.value_counts()
    values, times = counts.field("values"), counts.field("counts")
    distinct = len(values)
    unique = distinct == len(present)
    numbers = _numbers(values, sample)
    kind, odd = _kind(name, values, times, len(present), sample, numbers)
    whole = kind in ("number", "flag") and _all_whole(values, numbers)
    role: ColumnRole = "unused" if distinct == 1 and len(present) > 1 else "feature"
    if _is_id(position, name, kind, values, unique=unique and not missing, whole=whole):
        role = "id"
    column = Column(
        name=name,
        kind=kind,
        role=role,
        missing=round(missing, 4),
        # A number that repeats nothing in the sample says nothing about the file.
        distinct=distinct if sample.whole or distinct < 0.1 * len(present) else None,
    )
    return ColumnFacts(
        column=column,
        whole=whole,
        present=len(present),
        unique=unique,
        values=_in_order(values.to_pylist()) if distinct <= MOST_VALUES and (whole or kind != "number") else (),
        words=_mean_words(values) if kind in ("text", "category") else 0.0,
        odd=odd,
        joined_by=_joined_by(values, len(present)) if kind in ("text", "category") else "",
        steps=_steps(present) if kind == "date" else None,
    )


def _numbers(values: Any, sample: TableSample) -> Any:
    """The values as an array of numbers; None where one is no number, or is written in another way than Python's."""
    if sample.format.decimal != "." or sample.format.thousands:
        return None
    try:
        return values.cast(pa.float64())
    except pa.ArrowInvalid:
        return None


def _all_whole(values: Any, numbers: Any) -> bool:
    if numbers is not None:
        return bool(pc.all(pc.equal(pc.floor(numbers), numbers)).as_py())
    return all(number_of(value).is_integer() for value in values.slice(0, MOST_VALUES).to_pylist())


def _matches(values: Any, pattern: str) -> Any:
    return pc.match_substring_regex(values, pattern, ignore_case=True)


def number_pattern(decimal: str, thousands: str) -> str:
    """The pattern (RE2) of numbers in a file of this style."""
    point = "," if decimal == "," else r"\."
    grouped = r"|\d{1,3}(\.\d{3})+" if decimal == "," else r"|\d{1,3}(,\d{3})+" if thousands else ""
    return rf"^[+-]?((\d+{grouped})({point}\d*)?|{point}\d+)(e[+-]?\d+)?$|^[+-]?inf(inity)?$"


def _kind(
    name: str, values: Any, times: Any, present: int, sample: TableSample, numbers: Any
) -> tuple[ColumnKind, int]:
    """The kind, and how many different values are not of it."""
    distinct = len(values)
    lowered = {str(value).lower() for value in values.to_pylist()} if distinct <= 2 else set()
    if lowered and any(lowered == flags for flags in _FLAGS):
        return "flag", 0

    def share(pattern: str) -> tuple[float, int]:
        fits = _matches(values, pattern)
        return (pc.sum(times.filter(fits)).as_py() or 0) / present, distinct - (pc.sum(fits).as_py() or 0)

    numeric, odd = 1.0, 0
    if numbers is None:
        numeric, odd = share(number_pattern(sample.format.decimal, sample.format.thousands))
    if numeric >= _MOSTLY:
        if _DATE_NAME.fullmatch(name) and share(r"^(19|20)\d{2}(0[1-9]|1[0-2])([0-2]\d|3[01])$")[0] >= _MOSTLY:
            return "date", 0
        # 01234 is a code: a number has no zeros before it.
        codes = any(len(text) > 1 and text[0] == "0" and text.isdecimal() for text in values.slice(0, 1000).to_pylist())
        # What has the name of an id and repeats tells which user or item a row is about.
        named = _CODE_NAME.fullmatch(name) or ID_NAME.fullmatch(name) or ID_NAME.fullmatch(name.lower())
        if (codes or named) and distinct < present:
            return "category", 0
        return "number", odd
    dated, odd = share(LOOKS_LIKE_DATE)
    if dated >= _MOSTLY and dates_of(values.slice(0, 50).to_pylist()) is not None:
        return "date", odd
    if share(rf"^[^\n]{{0,300}}\.({FILE_ENDINGS})$")[0] >= _MOSTLY:
        return "path", 0
    words = _mean_words(values)
    if distinct < present and distinct <= max(FEW, 0.5 * present) and words <= 4:
        return "category", 0
    if words < 1.5 and not (distinct == present and pc.mean(pc.utf8_length(values)).as_py() > 40):
        return "category", 0
    return "text", 0


def _mean_words(values: Any) -> float:
    looked_at = values.slice(0, 2000)
    return float(pc.mean(pc.count_substring_regex(looked_at, r"\S+")).as_py())


def _is_id(position: int, name: str, kind: ColumnKind, values: Any, *, unique: bool, whole: bool) -> bool:
    if not unique or kind in ("date", "path", "flag"):
        return False
    if name.startswith("Unnamed: ") or ID_NAME.fullmatch(name) or ID_NAME.fullmatch(name.lower()):
        return kind != "number" or whole
    if kind == "category" and len(values) >= 5:
        return True  # names of the rows
    if kind != "number" or not whole or position or len(values) < 5:
        return False
    numbers = values.slice(0, 1000).to_pylist()
    return number_of(numbers[0]) in (0, 1) and all(
        number_of(later) == number_of(earlier) + 1 for earlier, later in pairwise(numbers)
    )


def number_of(text: str) -> float:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return float("nan")


def _in_order(values: list[str]) -> tuple[str, ...]:
    """Numbers by their size, other values by the alphabet."""
    if all(re.fullmatch(r"[+-]?\d+([.,]\d+)?", value) for value in values):
        return tuple(sorted(values, key=lambda value: (number_of(value), value)))
    return tuple(sorted(values))


def _joined_by(values: Any, present: int) -> str:
    """The sign between several labels in a cell, where few labels make up many different cells."""
    texts = [str(value) for value in values.slice(0, 2000).to_pylist()]
    for sign in ("|", ";", ","):
        several = [text for text in texts if sign in text]
        labels = {label.strip() for text in texts for label in text.split(sign)}
        if len(several) >= 0.3 * len(texts) and 2 <= len(labels) <= 0.5 * present:
            short = all(len(label.split()) <= 3 and label for label in labels)
            if short and len(labels) <= max(FEW, 2 * len(texts) ** 0.5):
                return sign
    return ""


def _steps(present: pa.Array) -> TimeSteps | None:
    dates = dates_of(present.slice(0, LOOKED_AT).to_pylist())
    return steps_of(dates) if dates else None
