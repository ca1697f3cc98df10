"""Whether a difference between two methods is more than noise: both were measured on the same
items.

Everything is repeatable from a seed. `first` and `second` are paired: equal positions belong to
equal items.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

_BLOCK = 1_000_000  # numbers drawn at a time, so that memory does not grow with the number of resamples

BOOTSTRAP_RESAMPLES = 10_000
"""Samples drawn for an interval; manifests name it."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with the ends of its confidence interval."""

    estimate: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        return self.low > 0 or self.high < 0


def wilson(hits: int, items: int) -> Interval:
    """A share with its 95 % interval (Wilson, J. American Statistical Association 22, 1927); nan of none."""
    from scipy.stats import binomtest  # here, since it takes long to import and most comparisons do without

    if not items:
        return Interval(math.nan, math.nan, math.nan)
    found = binomtest(hits, items).proportion_ci(method="wilson")
    return Interval(hits / items, float(found.low), float(found.high))


def paired_bootstrap(
    first: Sequence[float],
    second: Sequence[float],
    *,
    resamples: int = BOOTSTRAP_RESAMPLES,
    confidence: float = 0.95,
    seed: int = 0,
) -> Interval:
    """The mean of `first - second` with its percentile bootstrap interval, items drawn with
    replacement.

    Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13; for systems compared
    on one test set: Koehn, Statistical Significance Tests for Machine Translation Evaluation (EMNLP
    2004).
    """
    differences = _differences(first, second)
    count = len(differences)
    draw = np.random.default_rng(seed)
    blocks = []
    for size in _blocks(resamples, count):
        items = draw.integers(count, size=(size, count))
        blocks.append(differences[items].mean(axis=1))
    means = np.concatenate(blocks)
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(float(differences.mean()), float(low), float(high))


def paired_permutation_test(
    first: Sequence[float], second: Sequence[float], *, rounds: int = 10_000, seed: int = 0
) -> float:
    """The two-sided p-value of the mean difference if each item's two values could as well be
    exchanged.

    Exact where all exchanges are no more than `rounds` (Fisher, The Design of Experiments, 1935,
    section 21); else random ones, the observed one counted among them, so that p is never 0
    (Phipson and Smyth, 2010, Statistical Applications in Genetics and Molecular Biology 9:39).
    """
    differences = _differences(first, second)
    count = len(differences)
    observed = abs(differences.sum())
    # Sums of equal numbers in another order differ by rounding; they count as equal.
    reached = observed - 1e-9 * max(1.0, np.abs(differences).sum())
    if 2**count <= rounds:
        signs = np.array(list(product((-1.0, 1.0), repeat=count)))
        return float((np.abs(signs @ differences) >= reached).mean())
    draw = np.random.default_rng(seed)
    extreme = 0
    for size in _blocks(rounds, count):
        signs = draw.integers(2, size=(size, count)) * 2.0 - 1.0
        extreme += int((np.abs(signs @ differences) >= reached).sum())
    return (extreme + 1) / (rounds + 1)


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values of a family of tests, adjusted so that one of them below alpha errs with
    probability at most alpha (Holm, Scandinavian Journal of Statistics 6, 1979)."""
    count = len(p_values)
    adjusted = [0.0] * count
    highest = 0.0
    by_p_value = sorted(range(count), key=lambda number: p_values[number])
    for rank, number in enumerate(by_p_value):
        # A p-value is never adjusted below a smaller one.
        highest = max(highest, min(1.0, (count - rank) * p_values[number]))
        adjusted[number] = highest
    return adjusted


def mean_and_standard_error(values: Sequence[float]) -> tuple[float, float]:
    """The mean over runs (seeds), and its standard error, NaN for a single run: s / sqrt(n), where
    s is the standard deviation with n - 1."""
    if not values:
        raise ValueError("no values to take a mean of")
    mean = math.fsum(values) / len(values)
    if len(values) == 1:
        return mean, math.nan
    variance = math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)
    return mean, math.sqrt(variance / len(values))


def _differences(first: Sequence[float], second: Sequence[float]) -> npt.NDArray[np.float64]:
    differences = np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)
    if len(first) != len(second) or not len(first) or not np.isfinite(differences).all():
        raise ValueError("paired values must be as many on both sides, at least one, and finite")
    return differences


def _blocks(rounds: int, width: int) -> list[int]:
    """Sizes that add up to `rounds`, each of at most _BLOCK numbers."""
    size = max(1, _BLOCK // width)
    blocks = [size] * (rounds // size)
    rest = rounds % size
    if rest:
        blocks.append(rest)
    return blocks
