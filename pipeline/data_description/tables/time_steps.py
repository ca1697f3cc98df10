"""Dates in the cells of a table, and whether they go on in equal steps."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

LOOKED_AT = 5000
"""Dates of a column that are compared with the next."""

_TIMES = (
    *("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f"),
    *("T%H", "T%H:%M", "T%H:%M:%S", "T%H:%M:%S.%f"),
    *(" %I:%M:%S %p", " %I:%M %p"),
)
_DAYS = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%y",
    "%m/%d/%y", "%d/%m/%y", "%d-%b-%Y", "%d-%b-%y", "%d %b %Y", "%d %B %Y", "%b-%d-%Y", "%Y%m%d",
    "%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%B %d %Y",
)  # fmt: skip
_MONTHS = ("%Y-%m", "%Y/%m", "%b-%y", "%b-%Y", "%b %Y", "%B %Y", "%m/%Y", "%YM%m", "%Y M%m", "%Y %b", "%Y %B", "%Y-%b")
_FORMATS = (*(day + time for day in _DAYS for time in _TIMES), *_MONTHS)

LOOKS_LIKE_DATE = (
    r"^(\d{4}[-/.]\d{1,2}([-/.]\d{1,2})?|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2})|\d{4}[- ]?[QqM]\d{1,2}"
    r"|\d{1,2}/\d{4}|\d{4}[- ][A-Za-z]{3,9}|[A-Za-z]{3}-\d{1,2}-\d{4}"
    r"|(\d{1,2}[- ])?[A-Za-z]{3,9}[- ](\d{1,2},? )?(\d{4}|\d{2}))"
    r"(T\d{2}|[ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AaPp][Mm])?(Z|[+-]\d{2}:?\d{2})?)?$"
)
"""A pattern (RE2) that dates fit; `dates_of` then decides."""

_STEPS = (
    ("second", timedelta(seconds=1)),
    ("minute", timedelta(minutes=1)),
    ("hour", timedelta(hours=1)),
    ("day", timedelta(days=1)),
    ("week", timedelta(days=7)),
)
_CALENDAR_STEPS = (("month", 28, 31), ("quarter", 90, 92), ("year", 365, 366))


@dataclass(frozen=True, kw_only=True, slots=True)
class TimeSteps:
    """How the dates of a column follow each other."""

    step: str
    """"day", "15 minutes", "quarter"; "" where most are unlike the others."""
    gaps: bool
    """Whether some steps are longer than the usual one: weekends, missing rows."""
    repeated: bool
    """Whether dates come more than once: several series, or several examples, in one table."""
    ordered: bool


def dates_of(values: Sequence[str]) -> list[datetime] | None:
    """The dates that texts give, all in one format; None where they are none.

    Of formats that fit all texts the first counts: day before month, where nothing tells.
    """
    texts = [_without_zone(value) for value in values]
    quarters = [re.fullmatch(r"(\d{4})[- ]?[Qq]([1-4])", text) for text in texts]
    if texts and all(quarters):
        return [datetime(int(match[1]), 3 * int(match[2]) - 2, 1) for match in quarters if match]
    for form in _FORMATS:
        try:
            return [datetime.strptime(text, form) for text in texts] if texts else None
        except ValueError:
            continue
    return None


def _without_zone(text: str) -> str:
    return re.sub(r"(?<=:\d\d)(\.\d+)?(Z|[+-]\d{2}:?\d{2})$", "", text) if ":" in text else text


def steps_of(dates: Sequence[datetime]) -> TimeSteps:
    """The steps between dates in the order of the rows, the latest first or the earliest."""
    moments = list(dates[:LOOKED_AT])
    if len(moments) > 1 and moments[0] > moments[-1]:
        moments.reverse()
    differences = [later - earlier for earlier, later in pairwise(moments)]
    ordered = all(difference >= timedelta() for difference in differences)
    repeated = len(set(moments)) < len(moments)
    if len(differences) < 3 or not ordered or repeated:
        return TimeSteps(step="", gaps=False, repeated=repeated, ordered=ordered)
    for name, least, most in _CALENDAR_STEPS:
        fitting = sum(least <= difference.days <= most for difference in differences)
        if fitting >= 0.9 * len(differences):
            return TimeSteps(step=name, gaps=fitting < len(differences), repeated=False, ordered=True)
    usual, count = Counter(differences).most_common(1)[0]
    # Working days: four steps of five are of a day.
    if count < 0.6 * len(differences):
        return TimeSteps(step="", gaps=False, repeated=False, ordered=True)
    return TimeSteps(step=_step_name(usual), gaps=count < len(differences), repeated=False, ordered=True)


def _step_name(step: timedelta) -> str:
    for name, unit in reversed(_STEPS):
        if step >= unit and step % unit == timedelta():
            times = step // unit
            return name if times == 1 else f"{times} {name}s"
    return f"{step.total_seconds():g} seconds"
