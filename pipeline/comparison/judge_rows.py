"""What judgements add up to: means with their spread, differences on the same items, and how far a judge is steady."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import TypeVar

from pipeline.comparison.code_rows import ALL, CLEAN
from pipeline.comparison.comparisons import Comparison, comparison_rows
from pipeline.comparison.statistics import mean_and_standard_error, paired_bootstrap
from pipeline.comparison.verdict import paired_differences
from pipeline.measures.judge import ASPECTS
from pipeline.measures.outputs import Name

NO_CODE, MACHINERY_FAILED = "no code", "the machinery failed"
"""Why a judge was not asked: the method gave no code, which has 0 points; or that was not the method's doing."""

EVEN = 50.0
"""Percent: both methods are preferred equally often."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """One judgement of one output: scores by aspect, 0 to 10, None where the judge failed (`failure`) or the machinery
    did. `own_family`: the judge and the writer are of one family. `cut`: only the start of the project was judged.
    `unasked`: "", NO_CODE or MACHINERY_FAILED."""

    table: str
    model: str
    method: str
    item: str
    sample: int
    judge: str
    own_family: bool
    cut: bool = False
    compliance: float | None = None
    usefulness: float | None = None
    idiomaticity: float | None = None
    reason: str = ""
    failure: str = ""
    unasked: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Preference:
    """One comparison of a method's output with `against`'s: by aspect 1 where the method's is better, 0 where the other
    is, 0.5 for a tie; None where the judge failed. `first`: whose project was called A. `own_family`: "" or the sides
    that are of the judge's family."""

    table: str
    model: str
    method: str
    against: str
    item: str
    sample: int
    first: str
    judge: str
    own_family: str
    compliance: float | None = None
    usefulness: float | None = None
    idiomaticity: float | None = None
    reason: str = ""
    failure: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgedRow:
    """A method's mean score in an aspect over `judged` of a subset's `asked` items (each the mean of its samples), with
    its standard error over the items and its 95 % bootstrap interval, and `sample_spread`: the mean standard deviation
    of an item's samples, which is the judge's own noise. `without_code` items are judged with 0; those where the
    machinery failed, and those of which no answer of the judge could be read, are not judged. `failures`: answers that
    could not be had or read."""

    table: str
    model: str
    method: str
    aspect: str
    subset: str
    judge: str
    own_family: bool
    asked: int
    judged: int
    without_code: int
    machinery_failures: int
    mean: float | None
    standard_error: float | None
    low: float | None
    high: float | None
    sample_spread: float | None
    failures: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PreferenceRow:
    """How often a method was preferred to `against`, ties half, in percent, with its 95 % bootstrap interval over the
    items and the p-value of a permutation test against 50 %, corrected by Holm over all rows. `steady`: share of
    item and sample in which both orders gave the same answer; `first_place`: how often the first project won, in
    percent, where one did."""

    table: str
    model: str
    method: str
    against: str
    aspect: str
    subset: str
    judge: str
    own_family: str
    items: int
    preferred: float
    low: float
    high: float
    p: float
    p_holm: float
    steady: float | None
    first_place: float | None
    verdict: str


def judged_rows(judgements: Sequence[Judgement], contaminated: Collection[str] = ()) -> Iterator[JudgedRow]:
    for subset, chosen in _subsets(judgements, contaminated):
        for name, group in _by_name(chosen).items():
            for aspect in ASPECTS:
                yield _judged_row(name, subset, aspect, group)


def _judged_row(name: Name, subset: str, aspect: str, group: Sequence[Judgement]) -> JudgedRow:
    scores = _by_item(group, aspect)
    means = [fmean(values) for values in scores.values()]
    mean, error = mean_and_standard_error(means) if means else (math.nan, math.nan)
    interval = paired_bootstrap(means, [0.0] * len(means)) if len(means) > 1 else None
    spreads = [stdev(values) for values in scores.values() if len(values) > 1]
    return JudgedRow(
        **name._asdict(),
        aspect=aspect,
        subset=subset,
        judge=group[0].judge,
        own_family=any(item.own_family for item in group),
        asked=len({item.item for item in group}),
        judged=len(means),
        without_code=sum(item.unasked == NO_CODE for item in group),
        machinery_failures=sum(item.unasked == MACHINERY_FAILED for item in group),
        mean=_number(mean),
        standard_error=_number(error),
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        sample_spread=fmean(spreads) if spreads else None,
        failures=sum(bool(item.failure) for item in group),
    )


def judged_comparisons(
    judgements: Sequence[Judgement], ours: Name, contaminated: Collection[str] = ()
) -> Iterator[Comparison]:
    """Each method's mean scores against `ours` on the same items."""
    for subset, chosen in _subsets(judgements, contaminated):
        groups = _by_name(chosen)
        for aspect in ASPECTS:
            mine = {item: fmean(values) for item, values in _by_item(groups.get(ours, []), aspect).items()}
            found = {}
            for name, group in groups.items():
                theirs = {item: fmean(values) for item, values in _by_item(group, aspect).items()}
                both = [item for item in mine if item in theirs]
                if name != ours and both:
                    found[name] = [theirs[item] for item in both], [mine[item] for item in both]
            yield from comparison_rows(found, ours, aspect, "", subset)


def preference_rows(preferences: Sequence[Preference], contaminated: Collection[str] = ()) -> Iterator[PreferenceRow]:
    for subset, chosen in _subsets(preferences, contaminated):
        yield from _preference_rows(chosen, subset)


def _preference_rows(preferences: Sequence[Preference], subset: str) -> Iterator[PreferenceRow]:
    cells = []
    for name, group in _by_name(preferences).items():
        for aspect in ASPECTS:
            scores = _by_item(group, aspect)
            if scores:
                cells.append((name, aspect, group, [100 * fmean(values) for values in scores.values()]))
    differences = paired_differences([(values, [EVEN] * len(values)) for _, _, _, values in cells])
    for (name, aspect, group, values), difference in zip(cells, differences, strict=True):
        interval = difference.interval
        yield PreferenceRow(
            **name._asdict(),
            against=group[0].against,
            aspect=aspect,
            subset=subset,
            judge=group[0].judge,
            own_family=group[0].own_family,
            items=len(values),
            preferred=EVEN + interval.estimate,
            low=EVEN + interval.low,
            high=EVEN + interval.high,
            p=difference.p,
            p_holm=difference.p_holm,
            steady=_steady(group, aspect),
            first_place=_first_place(group, aspect),
            verdict=difference.verdict(positive="better", negative="worse"),
        )


_Answer = TypeVar("_Answer", Judgement, Preference)


def _subsets(answers: Sequence[_Answer], contaminated: Collection[str]) -> Iterator[tuple[str, Sequence[_Answer]]]:
    """All answers, and where those are fewer, the ones about items that are not contaminated, if there are any."""
    yield ALL, answers
    clean = [answer for answer in answers if answer.item not in contaminated]
    if 0 < len(clean) < len(answers):
        yield CLEAN, clean


def _steady(group: Sequence[Preference], aspect: str) -> float | None:
    answers: dict[tuple[str, int], set[float]] = defaultdict(set)
    orders: dict[tuple[str, int], int] = defaultdict(int)
    for item in group:
        if (value := getattr(item, aspect)) is not None:
            answers[item.item, item.sample].add(value)
            orders[item.item, item.sample] += 1
    both = [key for key, count in orders.items() if count == 2]
    return fmean(len(answers[key]) == 1 for key in both) if both else None


def _first_place(group: Sequence[Preference], aspect: str) -> float | None:
    decided = [(item, value) for item in group if (value := getattr(item, aspect)) in (0.0, 1.0)]
    wins = [(item.first == item.method) == (value == 1.0) for item, value in decided]
    return 100 * fmean(wins) if wins else None


def _by_name(rows: Sequence[_Answer]) -> dict[Name, list[_Answer]]:
    found: dict[Name, list[_Answer]] = {}
    for row in rows:
        found.setdefault(Name(row.table, row.model, row.method), []).append(row)
    return found


def _by_item(rows: Sequence[Judgement] | Sequence[Preference], aspect: str) -> Mapping[str, list[float]]:
    found: dict[str, list[float]] = {}
    for row in rows:
        if (value := getattr(row, aspect)) is not None:
            found.setdefault(row.item, []).append(float(value))
    return found


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
