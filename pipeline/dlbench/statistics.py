"""Shares with their intervals, and whether two ways of asking differ: pass@k, clustered bootstrap, McNemar."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from pipeline.comparison.statistics import BOOTSTRAP_RESAMPLES, Interval


def pass_at_k(samples: int, correct: int, k: int) -> float:
    """The unbiased estimate that one of k draws is right, where `correct` of `samples` were (Chen et al., Evaluating
    large language models trained on code, 2021, equation 1). Raises ValueError where there are fewer samples than k."""
    if not 0 <= correct <= samples or k < 1:
        raise ValueError(f"{correct} of {samples} samples and k={k} make no share")
    if k > samples:
        raise ValueError(f"pass@{k} needs at least {k} samples a task; there are {samples}")
    if samples - correct < k:
        return 1.0
    # As a product: the binomial coefficients themselves grow beyond any float.
    return 1.0 - math.prod(1.0 - k / number for number in range(samples - correct + 1, samples + 1))


def clustered_mean(
    values: Sequence[float], clusters: Sequence[Hashable], *, resamples: int = BOOTSTRAP_RESAMPLES, seed: int = 0
) -> Interval:
    """The mean with its 95 % percentile bootstrap interval, whole clusters drawn with replacement: tasks of one
    repository succeed and fail together. For a difference, `values` are the differences of pairs. With one cluster
    there is nothing to draw from, and single values are drawn."""
    if not values or len(values) != len(clusters):
        raise ValueError("values and clusters must be as many, at least one")
    groups: dict[Hashable, list[float]] = {}
    for value, cluster in zip(values, clusters, strict=True):
        groups.setdefault(cluster, []).append(value)
    members = list(groups.values()) if len(groups) > 1 else [[value] for value in values]
    sums = np.array([sum(member) for member in members])
    sizes = np.array([len(member) for member in members])
    draw = np.random.default_rng(seed)
    chosen = draw.integers(len(members), size=(resamples, len(members)))
    means = sums[chosen].sum(axis=1) / sizes[chosen].sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return Interval(float(np.mean(values)), float(low), float(high))


@dataclass(frozen=True, slots=True)
class McNemar:
    """How two ways differ on tasks that one of them solves and the other does not."""

    first_only: int
    second_only: int

    p: float
    """Two-sided and exact (McNemar, Psychometrika 12, 1947); 1 where they never differ."""


def mcnemar(first: Sequence[bool], second: Sequence[bool]) -> McNemar:
    """Of paired outcomes. Raises ValueError where they are not as many."""
    if len(first) != len(second):
        raise ValueError("paired outcomes must be as many on both sides")
    first_only = sum(one and not other for one, other in zip(first, second, strict=True))
    second_only = sum(other and not one for one, other in zip(first, second, strict=True))
    discordant = first_only + second_only
    p = float(binomtest(first_only, discordant).pvalue) if discordant else 1.0
    return McNemar(first_only, second_only, p)
