"""One field of a plan as a decision: the known value with the highest expected score for a
requirement."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.planners.hybrid import ridge
from pipeline.planners.hybrid.holding_out import Mask
from pipeline.planners.hybrid.ridge import Floats
from pipeline.planners.hybrid.score_tables import ScoreTable, Value

PENALTIES = (0.3, 1.0, 3.0)
"""Ridge penalties to choose from: small ones trust the nearest known plans, large ones the many.
For numbers they are the weight of a prior: with a large one every answer is the median of all known
plans."""
_LOWEST_SCORE = -16.0
"""What a held-out row can cost at most when penalties are compared: batches and epochs off by about
500. A few known values of ten thousands would else decide alone."""


@dataclass(frozen=True, slots=True)
class FieldModel:
    """A field, fitted to known plans."""

    name: str
    candidates: tuple[Value, ...]
    """The values to choose from."""
    coefficients: Floats
    """Shape (known plans, candidates), from the ridge regression of the scores."""
    baseline: Floats
    """What each candidate scores for a requirement that is like no known one."""
    candidate_of: npt.NDArray[np.int32]
    """The candidate that each known plan has, -1 for none."""
    penalty: float
    """The ridge penalty that was best on known plans held out."""
    score: float
    """The mean score on these."""
    held_out_choice: npt.NDArray[np.int32]
    """The candidate that each known plan would have been given by a fit without its part of the
    known plans."""

    def expected_scores(self, similarity: Floats) -> Floats:
        """What each candidate can be expected to score, for a requirement's similarities to the
        known ones."""
        expected: Floats = similarity @ self.coefficients + self.baseline
        return expected

    def best_value(self, similarity: Floats, eligible_plans: Mask) -> Value | None:
        """The value for a requirement, among those that the eligible known plans have; None where
        they have none."""
        own = self.candidate_of[eligible_plans]
        eligible = np.unique(own[own >= 0])
        if not len(eligible):
            return None
        expected = self.expected_scores(similarity)
        return self.candidates[int(eligible[expected[eligible].argmax()])]

    def plans_with(self, values: Collection[Value]) -> Mask:
        """Which known plans have one of the values."""
        is_wanted = np.array([candidate in values for candidate in (*self.candidates, None)])
        plans: Mask = is_wanted[self.candidate_of]  # -1 is the last one, that of None
        return plans


RIDGE = "ridge"
"""The name of these models' decisions, where a field is taken from one of several planners."""


@dataclass(frozen=True, slots=True)
class FieldChoice:
    """The planner that a field is taken from (`field_choice`)."""

    field: str
    mean_scores: Mapping[str, float]
    """By planner, over the known plans that have the field; more is better, losses are negative."""
    planner: str


@dataclass(frozen=True, slots=True)
class HeldOutPlans:
    """Known plans as if they were new."""

    rows: ridge.Rows
    similarities: Mapping[float, Floats]
    """By ridge penalty, shape (rows, known plans): what each has to the known plans that are left
    when it and what is like it are held out (`ridge.without_rows`)."""


def fit_field(
    name: str, table: ScoreTable, inverses: Mapping[float, Floats], held_out: HeldOutPlans, parts: Sequence[ridge.Rows]
) -> FieldModel:
    """The field's model with the penalty, a key of `inverses`, that scores best on known plans held
    out: on average over those held out one by one, and over all of them by the `parts` that they
    are divided into."""
    deviations, baseline = ridge.centred(table.scores, is_loss=table.is_loss)
    all_rows = np.arange(len(table.scores))
    best: FieldModel | None = None
    for penalty, inverted in inverses.items():
        coefficients = inverted @ deviations
        score, by_parts = 0.0, np.zeros(0, np.intp)
        if table.candidates:
            one_by_one = (held_out.similarities[penalty] @ coefficients + baseline).argmax(axis=1)
            expected = ridge.held_out_deviations(inverted, coefficients, deviations, parts) + baseline
            by_parts = expected.argmax(axis=1)
            score_one_by_one = _mean_score(table.scores[held_out.rows, one_by_one])
            score_by_parts = _mean_score(table.scores[all_rows, by_parts])
            score = (score_one_by_one + score_by_parts) / 2
        if best is None or score > best.score:
            best = FieldModel(
                name=name,
                candidates=table.candidates,
                coefficients=coefficients,
                baseline=baseline,
                candidate_of=table.candidate_of,
                penalty=penalty,
                score=score,
                held_out_choice=by_parts.astype(np.int32),
            )
    assert best is not None
    return best


def _mean_score(scores: Floats) -> float:
    """Over the known plans that have a value."""
    known = scores[~np.isnan(scores)]
    if not len(known):
        return 0.0
    return float(np.maximum(known, _LOWEST_SCORE).mean())
