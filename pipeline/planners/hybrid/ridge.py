"""Weights over known plans for a new requirement: kernel ridge regression on the similarity of requirements.

A field's expected score for a requirement with similarities k to the known ones is k (K + penalty I)^-1 payoff
(Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, 2009, section 5.8): known plans vote, weighted
by similarity, but those that say the same share their vote. The weights are a closed form, so rows can be left out
exactly afterwards: for cross-validation, and where a near-copy of the requirement must have no say.
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
    found: Floats = cho_solve(cho_factor(kernel, overwrite_a=True), np.eye(count)).astype(np.float32)
    return found


def centred(payoff: Floats, *, loss: bool) -> tuple[Floats, Floats]:
    """The payoffs as deviations from a base, and the base: what a requirement that resembles nothing falls back to.

    For a reward the base is 0, for a loss its mean. NaN rows (no value) say nothing.
    """
    known = ~np.isnan(payoff)
    counts = np.maximum(known.sum(axis=0), 1)
    base = (np.where(known, payoff, 0).sum(axis=0) / counts if loss else np.zeros(payoff.shape[1])).astype(np.float32)
    return np.where(known, payoff - base, 0).astype(np.float32), base


def without(similarity: Floats, inverted: Floats, rows: Rows) -> Floats:
    """The similarities that give, with the full table, what a table fitted without the rows would give."""
    left = similarity.astype(np.float64)
    left[rows] = 0
    block = inverted[rows].astype(np.float64)
    left[rows] = -np.linalg.solve(block[:, rows], block @ left)
    return left.astype(np.float32)


def held_out(inverted: Floats, table: Floats, deviations: Floats, blocks: Iterable[Rows]) -> Floats:
    """The expected deviations of each row, from a fit without the row's block; `table` is `inverted @ deviations`."""
    found = np.empty_like(table)
    for rows in blocks:
        block = inverted[np.ix_(rows, rows)].astype(np.float64)
        found[rows] = deviations[rows] - np.linalg.solve(block, table[rows])
    return found
