"""Weights over known plans for a new requirement: kernel ridge regression on the similarity of
requirements.

The expected scores for a requirement with similarities k to the known ones are k (K + penalty I)^-1
scores (Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, 2009, section 5.8):
known plans vote, weighted by similarity, but those that say the same share their vote. The weights
are a closed form, so rows can be left out exactly afterwards: for cross-validation, and where a
near-copy of the requirement must have no say.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.intp]


def inverse(similarities: Floats, penalty: float) -> Floats:
    """(K + penalty I)^-1; shape (rows, rows)."""
    count = len(similarities)
    kernel = similarities.astype(np.float64)
    kernel[np.diag_indices(count)] += penalty
    inverted: Floats = cho_solve(cho_factor(kernel, overwrite_a=True), np.eye(count)).astype(np.float32)
    return inverted


def centred(scores: Floats, *, is_loss: bool) -> tuple[Floats, Floats]:
    """The scores as deviations from a baseline, and the baseline: what a requirement that resembles
    nothing gets.

    A loss is at most 0, so without its mean as the baseline a requirement that resembles nothing
    would seem to lose nothing; a reward's baseline is 0. NaN rows (no value) have no deviation.
    """
    known = ~np.isnan(scores)
    baseline = np.zeros(scores.shape[1], np.float32)
    if is_loss:
        counts = np.maximum(known.sum(axis=0), 1)
        baseline = (np.where(known, scores, 0).sum(axis=0) / counts).astype(np.float32)
    return np.where(known, scores - baseline, 0).astype(np.float32), baseline


def without_rows(similarity: Floats, inverted: Floats, rows: Rows) -> Floats:
    """The similarities that give, with the full coefficients, what coefficients fitted without the
    rows would give."""
    adjusted = similarity.astype(np.float64)
    adjusted[rows] = 0
    block = inverted[rows].astype(np.float64)
    adjusted[rows] = -np.linalg.solve(block[:, rows], block @ adjusted)
    return adjusted.astype(np.float32)


def held_out_deviations(inverted: Floats, coefficients: Floats, deviations: Floats, blocks: Iterable[Rows]) -> Floats:
    """The expected deviations of each row, from a fit without the row's block; `coefficients` are
    `inverted @ deviations`."""
    expected = np.empty_like(coefficients)
    for rows in blocks:
        block = inverted[np.ix_(rows, rows)].astype(np.float64)
        expected[rows] = deviations[rows] - np.linalg.solve(block, coefficients[rows])
    return expected
