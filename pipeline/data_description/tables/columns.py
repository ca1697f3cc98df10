"""What the columns of a table hold: kind, role, missing values, different values."""

from __future__ import annotations

import math
import re
from collections import Counter
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

_GRID = 32
"""From so many columns on, columns that differ by a number only are one thing: pixels, readings, embeddings."""

_MOSTLY = 0.95
"""Share of the values that have to be of a kind; the others are reported."""

FILE_ENDINGS = "jpe?g|png|bmp|gif|tiff?|webp|wav|mp3|flac|ogg|m4a|mp4|avi|mov|mkv|txt|npy|npz|nii(\\.gz)?|dcm|pdf"
_FLAGS = ({"true", "false"}, {"yes", "no"}, {"y", "n"}, {"t", "f"}, {"0", "1"}, {"0.0", "1.0"}, {"on", "off"})
_ID_NAME = re.compile(
    r"(.*[_ .-])?(id|ids|idx|index|uuid|guid)|key|rownames|row|nr|no|number|obs|observation|[a-z0-9_]*I[dD]", re.ASCII
)
_CODE_NAME = re.compile(r"(.*[_ ])?(zip|zip_?code|zipcode|postal_?code|postcode|plz|code)", re.IGNORECASE)
_YEAR_NAME = re.compile(r"(.*[_ ])?(year|yr|yyyy)", re.IGNORECASE)
_DATE_NAME = re.compile(r".*(date|time|day|month|timestamp).*", re.IGNORECASE)
_STEP_NAME = re.compile(r"timestamp|time|time_?step|step|t|tick|frame", re.IGNORECASE)
_YEAR_PARTS = re.compile(r"quarter|qtr|month|mon|day|week|hour|minute", re.IGNORECASE)


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
    return tuple(_with_time_parts(_with_grids(facts, sample)))


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
    return all(_number(value).is_integer() for value in values.slice(0, MOST_VALUES).to_pylist())


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
        if (codes or _CODE_NAME.fullmatch(name)) and distinct < present:
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
    if name.startswith("Unnamed: ") or _ID_NAME.fullmatch(name) or _ID_NAME.fullmatch(name.lower()):
        return kind != "number" or whole
    if kind == "category" and len(values) >= 5:
        return True  # names of the rows
    if kind != "number" or not whole or position or len(values) < 5:
        return False
    numbers = values.slice(0, 1000).to_pylist()
    return _number(numbers[0]) in (0, 1) and all(
        _number(later) == _number(earlier) + 1 for earlier, later in pairwise(numbers)
    )


def _number(text: str) -> float:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return float("nan")


def _in_order(values: list[str]) -> tuple[str, ...]:
    """Numbers by their size, other values by the alphabet."""
    if all(re.fullmatch(r"[+-]?\d+([.,]\d+)?", value) for value in values):
        return tuple(sorted(values, key=lambda value: (_number(value), value)))
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


def grid_side(facts: Sequence[ColumnFacts]) -> int | None:
    """The side of the square images whose pixels a table's columns may be; None where they cannot be."""
    numbers = [fact for fact in facts if fact.kind == "number" and fact.role == "feature"]
    side = math.isqrt(len(numbers))
    if side < 8 or side * side != len(numbers) or not all(fact.whole for fact in numbers):
        return None
    return side if all(fact.distinct_at_most(256) for fact in numbers) else None


def _with_grids(facts: list[ColumnFacts], sample: TableSample) -> list[ColumnFacts]:
    """Of columns whose names differ by a number (pixel0, pixel1), constant ones and flags are numbers like all."""
    stems = Counter(re.sub(r"\d+", "", name) for name in sample.names)
    stem, count = stems.most_common(1)[0]
    if count < _GRID or count < 0.9 * len(facts):
        return facts
    return [
        replace(fact, column=replace(fact.column, kind="number", role="feature"))
        if re.sub(r"\d+", "", fact.name) == stem and (fact.kind == "flag" or (fact.role == "unused" and fact.whole))
        else fact
        for fact in facts
    ]


def _with_time_parts(facts: list[ColumnFacts]) -> list[ColumnFacts]:
    """Years, with quarters or months beside them, tell the time of a row where they count up."""
    for position, fact in enumerate(facts):
        if fact.role == "id" and fact.whole and _STEP_NAME.fullmatch(fact.name):
            steps = TimeSteps(step="step", gaps=False, repeated=False, ordered=True)
            facts[position] = replace(fact.as_role("time"), steps=steps)
            break
        named = _YEAR_NAME.fullmatch(fact.name) or (fact.role == "id" and fact.name.startswith("Unnamed: "))
        if not named or not fact.whole or not fact.values:
            continue
        years = [_number(value) for value in fact.values]
        if not all(1500 <= year <= 2200 and year.is_integer() for year in years):
            continue
        parts = [other for other in facts if _YEAR_PARTS.fullmatch(other.name) and other.whole]
        if not fact.unique:
            facts[position] = fact.as_role("time")
            for other in parts:
                facts[facts.index(other)] = other.as_role("time")
            step = parts[-1].name.lower() if parts else ""
            repeated = TimeSteps(step=step, gaps=False, repeated=not parts, ordered=True)
            facts[position] = replace(facts[position], steps=repeated)
            break
        gaps = years[-1] - years[0] + 1 > len(years)
        steps = TimeSteps(step="year", gaps=gaps, repeated=False, ordered=True)
        column = replace(fact.column, role="time")
        facts[position] = replace(fact, column=column, steps=steps)
        break
    return facts
