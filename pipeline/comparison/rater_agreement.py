"""How far raters agree, and how far their ratings go with an automatic metric.

Krippendorff's alpha takes any number of raters and missing ratings; Cohen's kappa with quadratic weights takes two.
Both are 1 for perfect agreement and 0 for what chance would give; raters who contradict each other are below 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations
from statistics import fmean
from typing import Any, Literal

from scipy.stats import kendalltau, spearmanr

Scale = Literal["nominal", "ordinal", "interval"]
Ratings = Mapping[Any, Mapping[str, float]]
"""For each unit the ratings it got, by rater."""


def krippendorff_alpha(ratings: Ratings, scale: Scale = "ordinal") -> float | None:
    """Krippendorff, Computing Krippendorff's Alpha-Reliability (2011). None where no unit has two ratings, or all
    ratings are equal, so that there is nothing to agree on."""
    coincidences: Counter[tuple[float, float]] = Counter()
    for unit in ratings.values():
        values = list(unit.values())
        for pair in permutations(values, 2):
            coincidences[pair] += 1 / (len(values) - 1)  # type: ignore[assignment]
    totals: Counter[float] = Counter()
    for (value, _), count in coincidences.items():
        totals[value] += count
    everything = sum(totals.values())
    observed = sum(count * _distance(*pair, totals, scale) for pair, count in coincidences.items())
    expected = sum(
        totals[one] * totals[other] * _distance(one, other, totals, scale) for one in totals for other in totals
    )
    return 1 - (everything - 1) * observed / expected if expected else None


def weighted_kappa(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Cohen's kappa of two raters with quadratic weights (Cohen, Psychological Bulletin 70, 1968); equal places are
    equal units. None where chance leaves nothing to disagree on."""
    if len(first) != len(second):
        raise ValueError("both raters must have rated the same units")
    observed = fmean((one - other) ** 2 for one, other in zip(first, second, strict=True)) if first else 0.0
    expected = fmean((one - other) ** 2 for one in first for other in second) if first else 0.0
    return 1 - observed / expected if expected else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Agreement:
    """Raters' agreement on an aspect: units with two ratings or more, alpha on both scales, and the mean weighted kappa
    of all pairs of raters with units in common."""

    aspect: str
    raters: int
    units: int
    ratings: int
    alpha_ordinal: float | None
    alpha_interval: float | None
    mean_weighted_kappa: float | None
    pairs: int


def agreement(aspect: str, ratings: Ratings) -> Agreement:
    raters = sorted({rater for unit in ratings.values() for rater in unit})
    kappas = []
    for one, other in combinations(raters, 2):
        both = [(unit[one], unit[other]) for unit in ratings.values() if one in unit and other in unit]
        kappa = weighted_kappa([first for first, _ in both], [second for _, second in both])
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
    """How an aspect's mean ratings go with an automatic measure over `outputs`; None where either is constant."""

    aspect: str
    measure: str
    outputs: int
    spearman: float | None
    spearman_p: float | None
    kendall: float | None
    kendall_p: float | None


def correlation(aspect: str, measure: str, ratings: Sequence[float], values: Sequence[float]) -> Correlation:
    varies = len(set(ratings)) > 1 and len(set(values)) > 1
    rank = spearmanr(ratings, values) if varies else None
    order = kendalltau(ratings, values) if varies else None
    return Correlation(
        aspect=aspect,
        measure=measure,
        outputs=len(ratings),
        spearman=float(rank.statistic) if rank is not None else None,
        spearman_p=float(rank.pvalue) if rank is not None else None,
        kendall=float(order.statistic) if order is not None else None,
        kendall_p=float(order.pvalue) if order is not None else None,
    )


def _distance(one: float, other: float, totals: Mapping[float, float], scale: Scale) -> float:
    """The squared difference of two values on a scale."""
    if scale == "nominal":
        return float(one != other)
    if scale == "interval":
        return (one - other) ** 2
    low, high = min(one, other), max(one, other)
    between = sum(count for value, count in totals.items() if low <= value <= high)
    return float((between - (totals[one] + totals[other]) / 2) ** 2)
