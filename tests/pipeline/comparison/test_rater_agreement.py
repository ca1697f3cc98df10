"""Agreement on published worked examples, and correlations."""

from __future__ import annotations

import pytest

from pipeline.comparison.rater_agreement import Ratings, agreement, correlation, krippendorff_alpha, weighted_kappa

# Krippendorff (2011), section C: four observers, twelve units, missing data.
OBSERVERS = {
    "A": [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    "B": [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    "C": [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    "D": [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
}
UNITS: Ratings = {
    unit: {name: float(value) for name, values in OBSERVERS.items() if (value := values[unit]) is not None}
    for unit in range(12)
}


def test_alpha_is_that_of_krippendorffs_example() -> None:
    assert krippendorff_alpha(UNITS, "nominal") == pytest.approx(0.743, abs=0.0005)
    assert krippendorff_alpha(UNITS, "ordinal") == pytest.approx(0.815, abs=0.0005)
    assert krippendorff_alpha(UNITS, "interval") == pytest.approx(0.849, abs=0.0005)


def test_alpha_at_its_ends() -> None:
    assert krippendorff_alpha({1: {"a": 3, "b": 3}, 2: {"a": 7, "b": 7}}) == 1.0
    assert krippendorff_alpha({1: {"a": 0, "b": 10}, 2: {"a": 10, "b": 0}}, "interval") == pytest.approx(-0.5)
    assert krippendorff_alpha({1: {"a": 3, "b": 3}, 2: {"a": 3, "b": 3}}) is None
    assert krippendorff_alpha({1: {"a": 3}, 2: {"b": 4}}) is None
    assert krippendorff_alpha({}) is None


def test_weighted_kappa_by_hand() -> None:
    # Observed squared differences 0, 0, 1, 1: mean 1/2. Expected over all 16 pairs of the two: 5/2.
    assert weighted_kappa([1, 2, 3, 4], [1, 2, 4, 3]) == pytest.approx(1 - 0.5 / 2.5)
    assert weighted_kappa([1, 2], [1, 2]) == 1.0
    assert weighted_kappa([5, 5], [5, 5]) is None
    assert weighted_kappa([], []) is None


def test_weighted_kappa_is_scikit_learns() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    first, second = [0, 3, 5, 5, 8, 10, 2, 7], [1, 3, 4, 6, 8, 9, 5, 7]
    assert weighted_kappa(first, second) == pytest.approx(
        metrics.cohen_kappa_score(first, second, weights="quadratic", labels=list(range(11)))
    )


def test_agreement_counts_what_it_is_over() -> None:
    found = agreement("compliance", UNITS)
    assert (found.raters, found.units, found.ratings, found.pairs) == (4, 11, 41, 6)
    assert found.mean_weighted_kappa is not None
    assert 0.5 < found.mean_weighted_kappa < 1


def test_correlations() -> None:
    found = correlation("usefulness", "CodeBLEU", [1, 2, 3, 4, 5], [10, 20, 30, 50, 40])
    assert found.spearman == pytest.approx(0.9)  # 1 - 6 * 2 / (5 * 24)
    assert found.kendall == pytest.approx(0.8)  # 9 pairs agree, 1 does not
    assert correlation("usefulness", "CodeBLEU", [1, 1], [2, 3]).spearman is None
