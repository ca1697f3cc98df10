"""How far raters agree, and how far their ratings go with an automatic metric.

Krippendorff's alpha takes any number of raters and missing ratings; Cohen's kappa with quadratic
weights takes two. Both are 1 for perfect agreement and 0 for what chance would give; raters who
contradict each other are below 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, permutations, product
from statistics import fmean
from typing import Any, Literal

from scipy.stats import kendalltau, spearmanr

Scale = Literal["nominal", "ordinal", "interval"]
Ratings = Mapping[Any, Mapping[str, float]]
"""For each unit the ratings it got, by rater."""


def krippendorff_alpha(ratings: Ratings, scale: Scale = "ordinal") -> float | None:
    """Krippendorff, Computing Krippendorff's Alpha-Reliability (2011). None where no unit has two
    ratings, or all ratings are equal, so that there is nothing to agree on."""
    # How often two raters gave a unit this pair of values. Each rating of a unit weighs 1, however
    # many there are.
    coincidences: Counter[tuple[float, float]] = Counter()
    for unit in ratings.values():
        values = list(unit.values())
        for pair in permutations(values, 2):
            coincidences[pair] += 1 / (len(values) - 1)  # type: ignore[assignment]
    totals: Counter[float] = Counter()
    for (value, _), count in coincidences.items():
        totals[value] += count
    observed = 0.0
    for (one, other), count in coincidences.items():
        observed += count * _distance(one, other, totals, scale)
    # What raters who drew their values from all ratings, whatever the unit, would disagree by.
    expected = 0.0
    for one, other in product(totals, repeat=2):
        expected += totals[one] * totals[other] * _distance(one, other, totals, scale)
    if not expected:
        return None
    return 1 - (sum(totals.values()) - 1) * observed / expected


def weighted_kappa(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Cohen's kappa of two raters with quadratic weights (Cohen, Psychological Bulletin 70, 1968);
    equal positions are equal units. None where chance leaves nothing to disagree on."""
    if len(first) != len(second):
        raise ValueError("both raters must have rated the same units")
    if not first:
        return None
    observed = fmean((one - other) ** 2 for one, other in zip(first, second, strict=True))
    expected = fmean((one - other) ** 2 for one, other in product(first, second))
    if not expected:
        return None
    return 1 - observed / expected


@dataclass(frozen=True, kw_only=True, slots=True)
class Agreement:
    """How far raters agree on an aspect."""

    aspect: str
    raters: int
    units: int
    """Units with two ratings or more."""
    ratings: int
    alpha_ordinal: float | None
    alpha_interval: float | None
    mean_weighted_kappa: float | None
    """Over `pairs`."""
    pairs: int
    """Pairs of raters with units in common that leave something to disagree on."""


def agreement(aspect: str, ratings: Ratings) -> Agreement:
    """The agreement on an aspect of all raters, and of all pairs of them."""
    raters: set[str] = set()
    for unit in ratings.values():
        raters |= set(unit)
    kappas = []
    for one, other in combinations(sorted(raters), 2):
        of_both = [unit for unit in ratings.values() if one in unit and other in unit]
        kappa = weighted_kappa([unit[one] for unit in of_both], [unit[other] for unit in of_both])
        if kappa is not None:
            kappas.append(kappa)
    return Agreement(
        aspect=aspect,
        raters=len(raters),
        units=sum(len(unit) > 1 for unit in ratings.values()),
        ratings=sum(map(len, ratings.values())),
        alpha_ordinal=krippendorff_alpha(ratings, "ordinal"),
        alpha_interval=krippendorff_alpha(ratings, "interval"),
        mean_weighted_kappa=fmean(kappas) if kappas else None,
        pairs=len(kappas),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Correlation:
    """How an aspect's mean ratings go with an automatic measure, over `outputs`;
    None where either is constant."""

    aspect: str
    measure: str
    outputs: int
    spearman: float | None
    spearman_p: float | None
    kendall: float | None
    kendall_p: float | None


def correlation(aspect: str, measure: str, ratings: Sequence[float], values: Sequence[float]) -> Correlation:
    """The rank correlations of two lists; equal positions are equal outputs."""
    constant = Correlation(
        aspect=aspect,
        measure=measure,
        outputs=len(ratings),
        spearman=None,
        spearman_p=None,
        kendall=None,
        kendall_p=None,
    )
    if len(set(ratings)) < 2 or len(set(values)) < 2:
        return constant  # a list of equal values has no ranks; scipy would warn and give NaN
    spearman, kendall = spearmanr(ratings, values), kendalltau(ratings, values)
    return replace(
        constant,
        spearman=float(spearman.statistic),
        spearman_p=float(spearman.pvalue),
        kendall=float(kendall.statistic),
        kendall_p=float(kendall.pvalue),
    )


def _distance(one: float, other: float, totals: Mapping[float, float], scale: Scale) -> float:
    """The squared difference of two values on a scale."""
    if scale == "nominal":
        return float(one != other)
    if scale == "interval":
        return (one - other) ** 2
    # Ordinal: how many ratings lie between the two, the ends counted half.
    low, high = min(one, other), max(one, other)
    between = sum(count for value, count in totals.items() if low <= value <= high)
    return float((between - (totals[one] + totals[other]) / 2) ** 2)
