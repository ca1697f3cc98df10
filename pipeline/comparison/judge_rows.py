"""What judgements add up to: means with their spread, differences on the same
items, and how far a judge is steady."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import TypeVar

from pipeline.comparison.code_rows import ALL, CLEAN
from pipeline.comparison.comparisons import Comparison, comparison_rows
from pipeline.comparison.statistics import mean_and_standard_error, paired_bootstrap
from pipeline.comparison.verdict import Pairing, paired_differences, paired_values
from pipeline.measures.judge import ASPECTS
from pipeline.measures.outputs import MethodName

NO_CODE, MACHINERY_FAILED = "no code", "the machinery failed"
"""Why a judge was not asked: the method gave no code, which has 0 points; or that
was not the method's doing."""

EVEN = 50.0
"""Percent: both methods are preferred equally often."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """One judgement of one output. An aspect's score is 0 to 10, and None where the
    judge or the machinery failed."""

    table: str
    model: str
    method: str
    item: str
    sample: int
    """Which of the repeated questions this answers, from 0."""
    judge: str
    own_family: bool
    """The judge and the writer are models of one family."""
    cut: bool = False
    """Only the start of the project was judged."""
    compliance: float | None = None
    usefulness: float | None = None
    idiomaticity: float | None = None
    reason: str = ""
    failure: str = ""
    """Why the judge gave no answer, or none that could be read."""
    unasked: str = ""
    """"", NO_CODE or MACHINERY_FAILED."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Preference:
    """One comparison of a method's output with `against`'s. An aspect is 1 where the method's is
    better, 0 where the other is, 0.5 for a tie, and None where the judge failed."""

    table: str
    model: str
    method: str
    against: str
    item: str
    sample: int
    first: str
    """The method whose project was shown first, as A."""
    judge: str
    own_family: str
    """The sides that are of the judge's family, joined by "and"; "" for none."""
    compliance: float | None = None
    usefulness: float | None = None
    idiomaticity: float | None = None
    reason: str = ""
    failure: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgedRow:
    """A method's mean score in an aspect over a subset's items, each the mean of its samples."""

    table: str
    model: str
    method: str
    aspect: str
    subset: str
    judge: str
    own_family: bool
    asked: int
    judged: int
    """Items with a score: all but those where the machinery failed, or no answer of
    the judge could be read."""
    without_code: int
    """Items that are judged with 0."""
    machinery_failures: int
    mean: float | None
    standard_error: float | None
    """Over the items."""
    low: float | None
    """The lower end of the mean's 95 % bootstrap interval."""
    high: float | None
    sample_spread: float | None
    """The mean standard deviation of an item's samples, which is the judge's own noise."""
    failures: int
    """Answers that could not be had or read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PreferenceRow:
    """How often a method was preferred to `against` in an aspect."""

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
    """In percent, ties half."""
    low: float
    """The lower end of the 95 % bootstrap interval of `preferred` over the items."""
    high: float
    p: float
    """The p-value of a permutation test against 50 %."""
    p_holm: float
    """`p` after Holm's correction over all rows of the subset."""
    steady: float | None
    """The share of items and samples for which both orders gave the same answer."""
    first_place: float | None
    """How often the first project won, in percent, where one did."""
    verdict: str
    """`better`, `worse` or `within noise` (`pipeline.comparison.verdict`)."""


def judged_rows(judgements: Sequence[Judgement], contaminated: Collection[str] = ()) -> Iterator[JudgedRow]:
    """A row for each subset, method and aspect. `contaminated`: ids of the items
    that are not in the clean subset."""
    for subset, answers in _subsets(judgements, contaminated):
        for name, group in _by_method(answers).items():
            for aspect in ASPECTS:
                yield _judged_row(name, subset, aspect, group)


def _judged_row(name: MethodName, subset: str, aspect: str, group: Sequence[Judgement]) -> JudgedRow:
    means = []
    spreads = []
    for samples in _samples_by_item(group, aspect).values():
        means.append(fmean(samples))
        if len(samples) > 1:
            spreads.append(stdev(samples))
    mean = error = math.nan
    if means:
        mean, error = mean_and_standard_error(means)
    interval = None
    if len(means) > 1:
        # Against zeros the bootstrap of differences is that of the scores themselves.
        interval = paired_bootstrap(means, [0.0] * len(means))
    unasked = Counter(judgement.unasked for judgement in group)
    return JudgedRow(
        **name._asdict(),
        aspect=aspect,
        subset=subset,
        judge=group[0].judge,
        own_family=any(judgement.own_family for judgement in group),
        asked=len({judgement.item for judgement in group}),
        judged=len(means),
        without_code=unasked[NO_CODE],
        machinery_failures=unasked[MACHINERY_FAILED],
        mean=_unless_nan(mean),
        standard_error=_unless_nan(error),
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        sample_spread=fmean(spreads) if spreads else None,
        failures=sum(bool(judgement.failure) for judgement in group),
    )


def judged_comparisons(
    judgements: Sequence[Judgement], ours: MethodName, contaminated: Collection[str] = ()
) -> Iterator[Comparison]:
    """Each method's mean scores against those of `ours` on the same items."""
    for subset, answers in _subsets(judgements, contaminated):
        groups = _by_method(answers)
        for aspect in ASPECTS:
            our_means = _mean_by_item(groups.get(ours, []), aspect)
            pairings: dict[MethodName, Pairing] = {}
            for name, group in groups.items():
                ours_on_them, values = paired_values(our_means, _mean_by_item(group, aspect))
                if name != ours and values:
                    pairings[name] = values, ours_on_them
            yield from comparison_rows(pairings, ours, aspect, "", subset)


@dataclass(frozen=True, slots=True)
class _Cell:
    """A method's preferences in an aspect; `shares` are percent, one an item."""

    name: MethodName
    aspect: str
    group: Sequence[Preference]
    shares: Sequence[float]


def preference_rows(preferences: Sequence[Preference], contaminated: Collection[str] = ()) -> Iterator[PreferenceRow]:
    """A row for each subset, method and aspect in which the judge gave an answer."""
    for subset, answers in _subsets(preferences, contaminated):
        cells = list(_cells(answers))
        # A preference is tested like a difference of two methods, the other one always at 50 %.
        against_even: list[Pairing] = [(cell.shares, [EVEN] * len(cell.shares)) for cell in cells]
        differences = paired_differences(against_even)
        for cell, difference in zip(cells, differences, strict=True):
            interval, group = difference.interval, cell.group
            yield PreferenceRow(
                **cell.name._asdict(),
                against=group[0].against,
                aspect=cell.aspect,
                subset=subset,
                judge=group[0].judge,
                own_family=group[0].own_family,
                items=len(cell.shares),
                preferred=EVEN + interval.estimate,
                low=EVEN + interval.low,
                high=EVEN + interval.high,
                p=difference.p,
                p_holm=difference.p_holm,
                steady=_steady(group, cell.aspect),
                first_place=_first_place(group, cell.aspect),
                verdict=difference.verdict(positive="better", negative="worse"),
            )


def _cells(preferences: Sequence[Preference]) -> Iterator[_Cell]:
    for name, group in _by_method(preferences).items():
        for aspect in ASPECTS:
            shares = [100 * mean for mean in _mean_by_item(group, aspect).values()]
            if shares:
                yield _Cell(name, aspect, group, shares)


_Answer = TypeVar("_Answer", Judgement, Preference)


def _subsets(answers: Sequence[_Answer], contaminated: Collection[str]) -> Iterator[tuple[str, Sequence[_Answer]]]:
    """All answers, and where those are fewer, the ones about items that are not
    contaminated, if there are any."""
    yield ALL, answers
    clean = [answer for answer in answers if answer.item not in contaminated]
    if 0 < len(clean) < len(answers):
        yield CLEAN, clean


def _steady(group: Sequence[Preference], aspect: str) -> float | None:
    """The share of the questions asked in both orders that were answered alike;
    None where there is none."""
    answers: dict[tuple[str, int], list[float]] = {}
    for preference in group:
        value = getattr(preference, aspect)
        if value is not None:
            answers.setdefault((preference.item, preference.sample), []).append(value)
    in_both_orders = [values for values in answers.values() if len(values) == 2]
    if not in_both_orders:
        return None
    return fmean(first == second for first, second in in_both_orders)


def _first_place(group: Sequence[Preference], aspect: str) -> float | None:
    """How often the project that was shown first won, in percent; None where no project did."""
    first_won = []
    for preference in group:
        value = getattr(preference, aspect)
        if value in (0.0, 1.0):
            method_won = value == 1.0
            method_first = preference.first == preference.method
            # Either the method was first and won, or the other one was first and won.
            first_won.append(method_won == method_first)
    if not first_won:
        return None
    return 100 * fmean(first_won)


def _by_method(answers: Sequence[_Answer]) -> dict[MethodName, list[_Answer]]:
    groups: dict[MethodName, list[_Answer]] = {}
    for answer in answers:
        groups.setdefault(MethodName.of(answer), []).append(answer)
    return groups


def _mean_by_item(answers: Sequence[Judgement] | Sequence[Preference], aspect: str) -> dict[str, float]:
    samples = _samples_by_item(answers, aspect)
    return {item: fmean(values) for item, values in samples.items()}


def _samples_by_item(answers: Sequence[Judgement] | Sequence[Preference], aspect: str) -> Mapping[str, list[float]]:
    samples: dict[str, list[float]] = {}
    for answer in answers:
        value = getattr(answer, aspect)
        if value is not None:
            samples.setdefault(answer.item, []).append(float(value))
    return samples


def _unless_nan(value: float) -> float | None:
    if math.isnan(value):
        return None
    return value
