"""Who is best at which field of a plan: planners answer the same requirements, unseen, and are measured alike.

The hybrid planner takes each field from the ridge, unless another planner is ahead by more than two standard errors of
the difference: what is closer is chance, and fields from one source go together best.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.measures.plan_metrics import PlanScores, score_plan
from pipeline.plan.fields import FIELDS, TABLE_IV, FieldMeasure, PlanField
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.planners.hybrid.payoff import TYPES_WORTH

RIDGE = "ridge"
_LARGEST_ERROR = 500.0
"""What a batch size or a number of epochs is off by counts up to this: a few known values of ten thousands would else
decide alone."""


@dataclass(frozen=True, slots=True)
class FieldContest:
    """A field, the mean gain of each planner over the rows that tell (more is better; losses are negative), and the
    planner that the field is taken from."""

    field: str
    gains: Mapping[str, float]
    best: str


def _of_layers(scores: PlanScores) -> float:
    """As in `payoff.layer_lists`."""
    return -(scores.layers_distance + scores.layer_count_error + TYPES_WORTH * (1 - scores.layer_type_f1))


def _gain(field: PlanField, scores: PlanScores) -> float | None:
    """What an answer gains in a field: Table IV's measure, turned so that more is better."""
    if field.measure is FieldMeasure.EDIT_DISTANCE:
        return _of_layers(scores)
    score: float | None = getattr(scores, field.column)
    if score is None:
        return None
    if field.measure is FieldMeasure.EXACT_MATCH:
        return 100.0 * score
    return -min(score, _LARGEST_ERROR) if field.lower_is_better else score


CONTESTED = tuple(field for field in FIELDS if field in TABLE_IV)
"""The fields that planners compete for. Preprocess has no measure in Table IV, and stays with the ridge."""


def judge(
    answers: Mapping[str, Sequence[SolutionPlan | None]], known: Sequence[SolutionPlan]
) -> tuple[FieldContest, ...]:
    """The contest of `answers`, by planner (the ridge's among them) and in the order of the `known` plans."""
    scores = {
        name: [score_plan(plan, right) for plan, right in zip(plans, known, strict=True)]
        for name, plans in answers.items()
    }
    return tuple(_contest(field, scores) for field in CONTESTED)


def _contest(field: PlanField, scores: Mapping[str, Sequence[PlanScores]]) -> FieldContest:
    gains = {
        name: np.array([_gain(field, item) for item in items], float)  # None is NaN
        for name, items in scores.items()
    }
    told = ~np.isnan(gains[RIDGE])
    if not told.any():
        return FieldContest(field.name, dict.fromkeys(gains, 0.0), RIDGE)
    means = {name: float(found[told].mean()) for name, found in gains.items()}
    best = max(means, key=lambda name: means[name])
    difference = (gains[best] - gains[RIDGE])[told]
    ahead = means[best] - means[RIDGE] > 2 * difference.std() / np.sqrt(len(difference))
    return FieldContest(field.name, means, best if ahead else RIDGE)
