"""Columns that belong together: pixels and readings of one row, and the parts of its time."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from pipeline.data_description.tables.columns import ColumnFacts, number_of
from pipeline.data_description.tables.reading import TableSample
from pipeline.data_description.tables.time_steps import LOOKED_AT, TimeSteps, dates_of, steps_of

_GRID = 32
"""From so many columns on, columns that differ by a number only are one thing: pixels, readings, embeddings."""

_YEAR_NAME = re.compile(r"(.*[_ ])?(year|yr|yyyy)", re.IGNORECASE)
_STEP_NAME = re.compile(r"timestamp|time|time_?step|step|t|tick|frame", re.IGNORECASE)
_YEAR_PARTS = re.compile(r"quarter|qtr|month|mon|day|week|hour|minute", re.IGNORECASE)
_CLOCK_NAME = re.compile(r"time|hour|clock|tod", re.IGNORECASE)


def grid_side(facts: Sequence[ColumnFacts]) -> int | None:
    """The side of the square images whose pixels a table's columns may be; None where they cannot be."""
    numbers = [fact for fact in facts if fact.kind == "number" and fact.role == "feature"]
    side = math.isqrt(len(numbers))
    if side < 8 or side * side != len(numbers) or not all(fact.whole for fact in numbers):
        return None
    return side if all(fact.distinct_at_most(256) for fact in numbers) else None


def with_grids(facts: Sequence[ColumnFacts]) -> list[ColumnFacts]:
    """Of columns whose names differ by a number (pixel0, pixel1), constant ones and flags are numbers like all."""
    stems = Counter(re.sub(r"\d+", "", name) for name in (fact.name for fact in facts))
    stem, count = stems.most_common(1)[0]
    if count < _GRID or count < 0.9 * len(facts):
        return list(facts)
    return [
        replace(fact, column=replace(fact.column, kind="number", role="feature"))
        if re.sub(r"\d+", "", fact.name) == stem and (fact.kind == "flag" or (fact.role == "unused" and fact.whole))
        else fact
        for fact in facts
    ]


def with_time_parts(facts: Sequence[ColumnFacts]) -> list[ColumnFacts]:
    """Years, with quarters or months beside them, tell the time of a row where they count up."""
    facts = list(facts)
    for position, fact in enumerate(facts):
        if fact.role == "id" and fact.whole and _STEP_NAME.fullmatch(fact.name):
            steps = TimeSteps(step="step", gaps=False, repeated=False, ordered=True)
            facts[position] = replace(fact.as_role("time"), steps=steps)
            break
        named = _YEAR_NAME.fullmatch(fact.name) or (fact.role == "id" and fact.name.startswith("Unnamed: "))
        if not named or not fact.whole or not fact.values:
            continue
        years = [number_of(value) for value in fact.values]
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


def with_clock(facts: Sequence[ColumnFacts], sample: TableSample) -> list[ColumnFacts]:
    """A date and a time of day in columns of their own tell the time of a row together."""
    facts = list(facts)
    dates = [number for number, fact in enumerate(facts) if fact.steps is not None and fact.steps.repeated]
    clocks = [number for number, fact in enumerate(facts) if _CLOCK_NAME.fullmatch(fact.name) and fact.role != "time"]
    if not dates or not clocks or facts[dates[0]].kind != "date":
        return facts
    date, clock = dates[0], clocks[0]
    days, times = (sample.columns[number].slice(0, LOOKED_AT).to_pylist() for number in (date, clock))
    texts = [f"{day} {_clock(time)}" for day, time in zip(days, times, strict=True) if day and time]
    moments = dates_of(texts)
    if moments is None:
        return facts
    facts[date] = replace(facts[date].as_role("time"), steps=steps_of(moments))
    facts[clock] = facts[clock].as_role("time")
    return facts


def _clock(text: str) -> str:
    """A time of day as HH:MM or HH:MM:SS: "18.00.00" -> "18:00:00", "7" -> "7:00"."""
    text = text.replace(".", ":")
    return text if ":" in text else f"{text}:00"
