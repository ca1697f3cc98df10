"""Weights over known plans, and leaving rows out of them."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.planners.hybrid import ridge


@pytest.fixture(scope="module")
def kernel() -> np.ndarray:
    vectors = np.random.default_rng(1).normal(size=(30, 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors @ vectors.T).astype(np.float32)


@pytest.fixture(scope="module")
def scores() -> np.ndarray:
    return np.random.default_rng(2).normal(size=(24, 3)).astype(np.float32)


def test_rows_left_out_afterwards_count_as_if_they_had_never_been_there(kernel: np.ndarray, scores: np.ndarray) -> None:
    known, query, out = kernel[:24, :24], kernel[25, :24], np.array([3, 4, 11])
    kept = np.setdiff1d(np.arange(24), out)
    table = ridge.inverse(known, 0.5) @ scores
    refitted = query[kept] @ ridge.inverse(known[np.ix_(kept, kept)], 0.5) @ scores[kept]
    assert ridge.without_rows(query, ridge.inverse(known, 0.5), out) @ table == pytest.approx(refitted, abs=1e-4)


def test_held_out_scores_are_those_of_fits_without_the_block(kernel: np.ndarray, scores: np.ndarray) -> None:
    known, inverted = kernel[:24, :24], ridge.inverse(kernel[:24, :24], 0.5)
    blocks = [np.arange(0, 10), np.arange(10, 24)]
    expected = ridge.held_out_deviations(inverted, inverted @ scores, scores, blocks)
    for out in blocks:
        kept = np.setdiff1d(np.arange(24), out)
        refitted = known[np.ix_(out, kept)] @ ridge.inverse(known[np.ix_(kept, kept)], 0.5) @ scores[kept]
        assert expected[out] == pytest.approx(refitted, abs=1e-4)


def test_losses_count_from_their_mean_and_rewards_from_nothing() -> None:
    scores = np.array([[1, 3], [np.nan, np.nan], [3, 5]], dtype=np.float32)
    deviations, baseline = ridge.centred(scores, is_loss=True)
    assert baseline.tolist() == [2, 4]
    assert deviations.tolist() == [[-1, -1], [0, 0], [1, 1]]
    assert ridge.centred(scores, is_loss=False)[1].tolist() == [0, 0]
