"""Whether methods differ by more than chance: one verdict for every table of differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pipeline.comparison.statistics import Interval, holm, paired_bootstrap, paired_permutation_test

SIGNIFICANT = 0.05
WITHIN_NOISE = "within noise"

_Item = TypeVar("_Item")

Pairing = tuple[Sequence[float], Sequence[float]]
"""A method's values and those of the method it is compared with; equal positions
belong to equal items."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """How far a method is from another on the same items, and how sure that is."""

    interval: Interval
    """The mean difference with its 95 % paired bootstrap interval."""
    p: float
    """The p-value of a paired permutation test."""
    p_holm: float
    """`p` after Holm's correction over all the pairings that were tested in one call."""

    @property
    def within_noise(self) -> bool:
        """True unless the interval excludes zero and the corrected p is below SIGNIFICANT."""
        return not self.interval.excludes_zero or self.p_holm >= SIGNIFICANT

    def verdict(self, *, positive: str, negative: str) -> str:
        """What a table says of it: WITHIN_NOISE, else one of the two words, by the
        sign of the mean difference."""
        if self.within_noise:
            return WITHIN_NOISE
        if self.interval.estimate > 0:
            return positive
        return negative


def paired_values(first: Mapping[_Item, float], second: Mapping[_Item, float]) -> tuple[list[float], list[float]]:
    """The values of the items that both have, in the order of `first`: the
    bootstrap's draws depend on the order."""
    shared = [item for item in first if item in second]
    return [first[item] for item in shared], [second[item] for item in shared]


def paired_differences(pairings: Sequence[Pairing]) -> list[Difference]:
    """The difference of each pairing, in their order. The call is one family of tests for Holm's
    correction, so it is given the pairings of one table."""
    p_values = [paired_permutation_test(first, second) for first, second in pairings]
    adjusted = holm(p_values)
    differences = []
    for (first, second), p, p_holm in zip(pairings, p_values, adjusted, strict=True):
        differences.append(Difference(interval=paired_bootstrap(first, second), p=p, p_holm=p_holm))
    return differences
