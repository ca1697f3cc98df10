from __future__ import annotations

import math
from itertools import product

import pytest

from pipeline.comparison.statistics import holm, mean_and_standard_error, paired_bootstrap, paired_permutation_test

FIRST = [78.0, 24.0, 64.0, 45.0, 64.0, 52.0, 30.0, 50.0, 64.0, 50.0, 78.0, 22.0]
SECOND = [78.0, 24.0, 62.0, 48.0, 68.0, 56.0, 25.0, 44.0, 50.0, 40.0, 60.0, 30.0]
DIFFERENCES = [one - other for one, other in zip(FIRST, SECOND, strict=True)]
SIGNS = list(product((-1, 1), repeat=12))


def test_many_items_give_the_normal_interval() -> None:
    """By the central limit theorem the ends are 1.96 standard errors away; here n = 1,200."""
    first, second = FIRST * 100, SECOND * 100
    found = paired_bootstrap(first, second)
    mean = sum(DIFFERENCES) / 12
    error = math.sqrt(sum((value - mean) ** 2 for value in DIFFERENCES) / 12 / 1200)
    assert found.estimate == pytest.approx(mean)
    assert (found.low, found.high) == pytest.approx((mean - 1.96 * error, mean + 1.96 * error), abs=0.02)
    assert found.excludes_zero


def test_no_difference_includes_zero() -> None:
    found = paired_bootstrap([1, 2, 3, 4], [2, 1, 4, 3])
    assert (found.estimate, found.excludes_zero) == (0, False)
    same = paired_bootstrap([5.0], [5.0])
    assert (same.low, same.high, same.excludes_zero) == (0, 0, False)


def test_a_wider_confidence_is_a_wider_interval() -> None:
    narrow, wide = (paired_bootstrap(FIRST, SECOND, confidence=level) for level in (0.5, 0.99))
    assert wide.low < narrow.low < narrow.high < wide.high


def test_a_seed_repeats_the_result() -> None:
    assert paired_bootstrap(FIRST, SECOND, seed=3) == paired_bootstrap(FIRST, SECOND, seed=3)
    assert paired_bootstrap(FIRST, SECOND, seed=3) != paired_bootstrap(FIRST, SECOND, seed=4)
    assert paired_permutation_test(FIRST, SECOND, seed=3) == paired_permutation_test(FIRST, SECOND, seed=3)


def test_all_exchanges_by_hand() -> None:
    # Differences 1, 2, 3: of the eight sums +-1+-2+-3, two are 6 or -6.
    assert paired_permutation_test([1, 2, 3], [0, 0, 0]) == pytest.approx(2 / 8)
    assert paired_permutation_test([1, 0], [0, 1]) == 1


def test_random_exchanges_agree_with_all_of_them() -> None:
    sums = [abs(sum(sign * value for sign, value in zip(signs, DIFFERENCES, strict=True))) for signs in SIGNS]
    expected = sum(value >= abs(sum(DIFFERENCES)) for value in sums) / len(sums)
    assert paired_permutation_test(FIRST, SECOND) == pytest.approx(expected)  # 2 ** 12 exchanges: all of them
    assert paired_permutation_test(FIRST, SECOND, rounds=4_000) == pytest.approx(expected, abs=0.03)


def test_p_is_never_zero() -> None:
    assert paired_permutation_test([1.0] * 100, [0.0] * 100, rounds=99) == pytest.approx(1 / 100)


def test_holm_by_hand() -> None:
    # Sorted .01 .02 .03 .04: 4 x .01, 3 x .02, 2 x .03, then never below the one before.
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1, 1]
    assert holm([]) == []


def test_mean_and_standard_error_by_hand() -> None:
    mean, error = mean_and_standard_error([2, 4, 4, 6])
    assert mean == 4
    assert error == pytest.approx(math.sqrt(8 / 3) / 2)
    assert math.isnan(mean_and_standard_error([3])[1])
    with pytest.raises(ValueError, match="no values"):
        mean_and_standard_error([])


@pytest.mark.parametrize("pair", [([], []), ([1.0], [1.0, 2.0]), ([math.nan], [1.0])])
def test_values_that_are_not_paired_are_refused(pair: tuple[list[float], list[float]]) -> None:
    with pytest.raises(ValueError, match="paired values"):
        paired_bootstrap(*pair)
    with pytest.raises(ValueError, match="paired values"):
        paired_permutation_test(*pair)
