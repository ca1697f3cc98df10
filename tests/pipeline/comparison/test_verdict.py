"""When a difference is more than noise, and what Holm's correction takes together."""

from __future__ import annotations

import pytest

from pipeline.comparison.statistics import Interval, paired_bootstrap, paired_permutation_test
from pipeline.comparison.verdict import WITHIN_NOISE, Difference, paired_differences


def difference(low: float, high: float, p_holm: float) -> Difference:
    return Difference(interval=Interval((low + high) / 2, low, high), p=p_holm, p_holm=p_holm)


@pytest.mark.parametrize(
    ("low", "high", "p_holm", "verdict"),
    [
        (0.5, 2.0, 0.01, "more"),
        (-2.0, -0.5, 0.01, "less"),
        (-0.5, 2.0, 0.01, WITHIN_NOISE),  # the interval holds zero
        (0.0, 2.0, 0.01, WITHIN_NOISE),
        (0.5, 2.0, 0.05, WITHIN_NOISE),  # p must be below, not at, 0.05
    ],
)
def test_a_difference_needs_both_the_interval_and_the_corrected_p(
    low: float, high: float, p_holm: float, verdict: str
) -> None:
    assert difference(low, high, p_holm).verdict(positive="more", negative="less") == verdict


def test_each_pairing_has_its_own_interval_and_all_share_one_correction() -> None:
    better = [float(number + 2) for number in range(12)], [float(number) for number in range(12)]
    equal = [1.0, 2.0, 3.0, 4.0], [2.0, 1.0, 4.0, 3.0]
    first, second = paired_differences([better, equal])
    assert (first.interval, second.interval) == (paired_bootstrap(*better), paired_bootstrap(*equal))
    assert (first.p, second.p) == (paired_permutation_test(*better), paired_permutation_test(*equal))
    assert (first.p_holm, second.p_holm) == (2 * first.p, second.p)
    assert not first.within_noise
    assert second.within_noise


def test_a_family_may_be_too_large_for_a_small_p() -> None:
    """Of six items the smallest p is 2 of 64 exchanges: alone that is significant, beside a second test it is not."""
    pairing = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [0.0] * 6
    assert not paired_differences([pairing])[0].within_noise
    assert paired_differences([pairing, pairing])[0].within_noise


def test_no_pairing_gives_no_difference() -> None:
    assert paired_differences([]) == []
