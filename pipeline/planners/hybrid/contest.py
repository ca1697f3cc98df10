"""Who is best at which field of a plan: planners answer the same requirements, unseen, and are measured alike.

The hybrid planner takes each field from the ridge, unless another planner is ahead by more than two standard errors of
the difference: what is closer is chance, and fields from one source go together best.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.measures.plan_metrics import PlanScores, score_plan
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


def _of_error(error: float | None) -> float | None:
    return None if error is None else -min(error, _LARGEST_ERROR)


GAINS: dict[str, Callable[[PlanScores], float | None]] = {
    "task_category": lambda scores: 100.0 * scores.task_category,
    "input": lambda scores: scores.input_bleu,
    "output": lambda scores: scores.output_bleu,
    "layers": _of_layers,
    "optimizer": lambda scores: 100.0 * scores.optimizer,
    "loss": lambda scores: 100.0 * scores.loss,
    "learning_rate": lambda scores: _of_error(scores.learning_rate_error),
    "batch_size": lambda scores: _of_error(scores.batch_size_error),
    "epochs": lambda scores: _of_error(scores.epochs_error),
    "metric": lambda scores: 100.0 * scores.metric,
}
"""The fields that planners compete for, and what an answer gains: Table IV's measures, turned so that more is better.
Preprocess has none there, and stays with the ridge."""


def judge(
    answers: Mapping[str, Sequence[SolutionPlan | None]], known: Sequence[SolutionPlan]
) -> tuple[FieldContest, ...]:
    """The contest of `answers`, by planner (the ridge's among them) and in the order of the `known` plans."""
    scores = {
        name: [score_plan(plan, right) for plan, right in zip(plans, known, strict=True)]
        for name, plans in answers.items()
    }
    return tuple(_contest(field, gain, scores) for field, gain in GAINS.items())


def _contest(
    field: str, gain: Callable[[PlanScores], float | None], scores: Mapping[str, Sequence[PlanScores]]
) -> FieldContest:
    gains = {name: np.array([gain(each) for each in found], float) for name, found in scores.items()}  # None is NaN
    told = ~np.isnan(gains[RIDGE])
    if not told.any():
        return FieldContest(field, dict.fromkeys(gains, 0.0), RIDGE)
    means = {name: float(found[told].mean()) for name, found in gains.items()}
    best = max(means, key=lambda name: means[name])
    difference = (gains[best] - gains[RIDGE])[told]
    ahead = means[best] - means[RIDGE] > 2 * difference.std() / np.sqrt(len(difference))
    return FieldContest(field, means, best if ahead else RIDGE)
