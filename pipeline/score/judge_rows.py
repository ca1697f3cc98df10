"""What judgements add up to: means with their spread, differences on the same items, and how far a judge is steady."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from pipeline.score.comparisons import Comparison, tested
from pipeline.score.judge import ASPECTS
from pipeline.score.outputs import Name
from pipeline.score.statistics import holm, mean_and_standard_error, paired_bootstrap, paired_permutation_test


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """One judgement of one output: scores by aspect, 0 to 10, None where the judge failed (`failure`). `own_family`:
    the judge and the writer are of one family. `cut`: only the start of the project was judged."""

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


@dataclass(frozen=True, kw_only=True, slots=True)
class Preference:
    """One comparison of a method's output with `against`'s: by aspect 1 where the method's is better, 0 where the other
    is, 0.5 for a tie; None where the judge failed. `own_family`: "" or the sides that are of the judge's family."""

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
    failure: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgedRow:
    """A method's mean score in an aspect over `judged` of `asked` items (each the mean of its samples), its standard
    error over the items, and `sample_spread`: the mean standard deviation of an item's samples, which is the judge's
    own noise."""

    table: str
    model: str
    method: str
    aspect: str
    judge: str
    own_family: bool
    asked: int
    judged: int
    mean: float | None
    standard_error: float | None
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


def judged_rows(judgements: Sequence[Judgement]) -> Iterator[JudgedRow]:
    for name, group in _by_name(judgements).items():
        for aspect in ASPECTS:
            scores = _by_item(group, aspect)
            means = [fmean(values) for values in scores.values()]
            mean, error = mean_and_standard_error(means) if means else (math.nan, math.nan)
            spreads = [stdev(values) for values in scores.values() if len(values) > 1]
            yield JudgedRow(
                **name._asdict(),
                aspect=aspect,
                judge=group[0].judge,
                own_family=any(item.own_family for item in group),
                asked=len({item.item for item in group}),
                judged=len(means),
                mean=_number(mean),
                standard_error=_number(error),
                sample_spread=fmean(spreads) if spreads else None,
                failures=sum(bool(item.failure) for item in group),
            )


def judged_comparisons(judgements: Sequence[Judgement], ours: Name) -> Iterator[Comparison]:
    """Each method's mean scores against `ours` on the same items."""
    groups = _by_name(judgements)
    for aspect in ASPECTS:
        mine = {item: fmean(values) for item, values in _by_item(groups.get(ours, []), aspect).items()}
        found = {}
        for name, group in groups.items():
            theirs = {item: fmean(values) for item, values in _by_item(group, aspect).items()}
            both = [item for item in mine if item in theirs]
            if name != ours and both:
                found[name] = [theirs[item] for item in both], [mine[item] for item in both]
        yield from tested(found, ours, aspect, "", "all")


def preference_rows(preferences: Sequence[Preference]) -> Iterator[PreferenceRow]:
    cells = []
    for name, group in _by_name(preferences).items():
        for aspect in ASPECTS:
            scores = _by_item(group, aspect)
            if scores:
                cells.append((name, aspect, group, [100 * fmean(values) for values in scores.values()]))
    even = [[50.0] * len(values) for _, _, _, values in cells]
    p_values = [paired_permutation_test(values, half) for (_, _, _, values), half in zip(cells, even, strict=True)]
    for (name, aspect, group, values), half, p, adjusted in zip(cells, even, p_values, holm(p_values), strict=True):
        interval = paired_bootstrap(values, half)
        noise = not interval.excludes_zero or adjusted >= 0.05
        yield PreferenceRow(
            **name._asdict(),
            against=group[0].against,
            aspect=aspect,
            judge=group[0].judge,
            own_family=group[0].own_family,
            items=len(values),
            preferred=50 + interval.estimate,
            low=50 + interval.low,
            high=50 + interval.high,
            p=p,
            p_holm=adjusted,
            steady=_steady(group, aspect),
            first_place=_first_place(group, aspect),
            verdict="within noise" if noise else ("better" if interval.estimate > 0 else "worse"),
        )


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


def _by_name(rows: Sequence[Judgement] | Sequence[Preference]) -> dict[Name, list]:  # type: ignore[type-arg]
    found: dict[Name, list] = {}  # type: ignore[type-arg]
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
