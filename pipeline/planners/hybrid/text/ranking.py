"""Ranking candidate texts: a linear model, fitted to how the candidates of known plans scored."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.planners.hybrid.ridge import Floats
from pipeline.planners.hybrid.text.candidates import FEATURES, Candidates

_PENALTY = 1e-2
"""Relative to the number of candidates. From 0.001 to 0.1 it makes no difference."""
_PARTS = 5


def fit_ranking(options: Sequence[Candidates], scores: Sequence[Floats]) -> Floats:
    """What each feature is worth: ridge regression of the scores of each known plan's candidates on
    their features, each as deviations from the mean of that plan's candidates."""
    if not options:
        # Nothing to learn from: the candidate with the highest expected score.
        return np.array([name == "expected" for name in FEATURES], np.float32)
    feature_parts, score_parts = [], []
    for item, item_scores in zip(options, scores, strict=True):
        feature_parts.append(item.features - item.features.mean(axis=0))
        score_parts.append(item_scores - item_scores.mean())
    features = np.vstack(feature_parts).astype(np.float64)
    score_deviations = np.concatenate(score_parts).astype(np.float64)
    spread = np.maximum(features.std(axis=0), 1e-9)  # a feature that never varies must not divide by 0
    features /= spread
    normal = features.T @ features + _PENALTY * len(features) * np.eye(features.shape[1])
    ranking: Floats = (np.linalg.solve(normal, features.T @ score_deviations) / spread).astype(np.float32)
    return ranking


def held_out_gain(options: Sequence[Candidates], scores: Sequence[Floats]) -> float:
    """By how much a ranking is ahead of the highest expected score alone, on average over known
    plans that it was not fitted to."""
    by_expectation = FEATURES.index("expected")
    # Stretches of rows take turns, so that each part has all styles of the file.
    part_of = np.arange(len(options)) // max(1, len(options) // (4 * _PARTS)) % _PARTS
    gains = []
    for part in range(min(_PARTS, len(options))):
        rest = np.flatnonzero(part_of != part)
        other_options = [options[row] for row in rest]
        other_scores = [scores[row] for row in rest]
        ranking = fit_ranking(other_options, other_scores)
        for row in np.flatnonzero(part_of == part):
            features = options[row].features
            ranked = scores[row][(features @ ranking).argmax()]
            gains.append(ranked - scores[row][features[:, by_expectation].argmax()])
    if not gains:
        return 0.0
    return float(np.mean(gains))
