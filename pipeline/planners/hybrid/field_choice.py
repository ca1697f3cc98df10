"""Which planner each field of a plan is taken from: the one with the best score on plans that none
of them has seen.

A field comes from the ridge, unless another planner is ahead by more than two standard errors of
the difference: what is closer is chance, and fields from one source go together best. On the
published plans every field comes from the ridge (docs/planners.md); a trained language model can
join the choice (`fit-planner --eval FILE --gpt2 DIR`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np

from pipeline.errors import StageFailure
from pipeline.measures.plan_metrics import PlanScores, score_plan
from pipeline.plan.fields import FIELDS, TABLE_IV, FieldMeasure, PlanField, plan_of
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.planners.causal_lm.planner import Gpt2Planner
from pipeline.planners.hybrid.field_model import RIDGE, FieldChoice
from pipeline.planners.hybrid.fit import Fitted, consecutive_parts
from pipeline.planners.hybrid.holding_out import every_kth
from pipeline.planners.hybrid.planner import HybridPlanner
from pipeline.planners.hybrid.score_tables import TYPES_WORTH
from pipeline.planners.majority import MajorityPlanner
from pipeline.planners.retrieval import RetrievalPlanner
from pipeline.records import Requirement
from pipeline.retrieval.firewall import Firewall
from pipeline.retrieval.sample_pool import KnownPlan
from pipeline.stage import Step

RETRIEVAL, MAJORITY = "retrieval", "majority"
_GPT2 = "gpt2:"
"""Before the model's folder."""

MOST_ANSWERED = 1000
"""Known plans that are answered for; of more, every k-th: retrieval takes ten milliseconds each."""
_LARGEST_ERROR = 500.0
"""What a batch size or a number of epochs is off by counts up to this: a few known values of ten
thousands would else decide alone."""

Answers = dict[str, list[SolutionPlan | None]]
"""By planner, its plans for the same requirements; None where the firewall kept all known plans
from it."""


def choose_planners(answers: Answers, known: Sequence[SolutionPlan]) -> tuple[FieldChoice, ...]:
    """The choice for each field of Table IV, from answers in the order of the `known` plans, the
    ridge's among them.

    Preprocess has no measure there, and stays with the ridge.
    """
    scores: dict[str, list[PlanScores]] = {}
    for name, plans in answers.items():
        scores[name] = [score_plan(plan, right) for plan, right in zip(plans, known, strict=True)]
    return tuple(_choice(field, scores) for field in FIELDS if field in TABLE_IV)


def held_out_answers(fitted: Fitted) -> tuple[Answers, list[SolutionPlan]]:
    """Answers for the known plans themselves, each from a planner without its part of them, and
    these plans. Empty where there is only one."""
    known = fitted.known_plans
    answers: Answers = {RIDGE: [], RETRIEVAL: [], MAJORITY: []}
    answered: list[SolutionPlan] = []
    if len(known) == 1:
        return answers, answered
    chosen = every_kth(len(known), MOST_ANSWERED)
    for part in consecutive_parts(len(known)):
        rows = np.intersect1d(part, chosen).tolist()
        rest = [*known[: part[0]], *known[part[-1] + 1 :]]
        items = []
        for row in rows:
            items.append(known[row])
            answers[RIDGE].append(_held_out_ridge_plan(fitted, row))
            answered.append(known[row].plan)
        answers[RETRIEVAL] += _plans(build_other_planner(RETRIEVAL, rest), items)
        answers[MAJORITY] += _plans(build_other_planner(MAJORITY, rest), items)
    return answers, answered


def evaluation_answers(
    fitted: Fitted, evaluation: Sequence[KnownPlan], gpt2_folders: Sequence[str] = ()
) -> tuple[Answers, list[SolutionPlan]]:
    """Answers for an evaluation split, from all known plans and from GPT-2 planners, and the
    split's plans."""
    answers: Answers = {RIDGE: _plans(HybridPlanner(fitted), evaluation)}
    gpt2_planners = [f"{_GPT2}{folder}" for folder in gpt2_folders]
    for name in (RETRIEVAL, MAJORITY, *gpt2_planners):
        answers[name] = _plans(build_other_planner(name, fitted.known_plans), evaluation)
    return answers, [item.plan for item in evaluation]


def build_other_planner(name: str, known: Sequence[KnownPlan], firewall: Firewall | None = None) -> Step:
    """A planner beside the ridge, by the name it has in a choice."""
    if name.startswith(_GPT2):
        return Gpt2Planner(name.removeprefix(_GPT2))
    if name == MAJORITY:
        return MajorityPlanner([item.plan for item in known])
    return RetrievalPlanner(known, firewall=firewall)


def other_planners(fitted: Fitted, firewall: Firewall) -> dict[str, Step]:
    """By field, the planners that were chosen over the ridge, each built once."""
    by_name: dict[str, Step] = {}
    by_field: dict[str, Step] = {}
    for choice in fitted.choices:
        name = choice.planner
        if name == RIDGE:
            continue
        if name not in by_name:
            by_name[name] = build_other_planner(name, fitted.known_plans, firewall)
        by_field[choice.field] = by_name[name]
    return by_field


def _choice(field: PlanField, scores: Mapping[str, Sequence[PlanScores]]) -> FieldChoice:
    values = {}
    for name, plan_scores in scores.items():
        field_scores = [_score(field, item) for item in plan_scores]
        values[name] = np.array(field_scores, float)  # None becomes NaN
    # Whether a field is open is up to the known plan, so it is for all planners the same.
    has_value = ~np.isnan(values[RIDGE])
    if not has_value.any():
        return FieldChoice(field.name, dict.fromkeys(values, 0.0), RIDGE)
    means = {}
    for name, row_scores in values.items():
        means[name] = float(row_scores[has_value].mean())
    best = max(means, key=lambda name: means[name])
    difference = (values[best] - values[RIDGE])[has_value]
    standard_error = difference.std() / np.sqrt(len(difference))
    if means[best] - means[RIDGE] > 2 * standard_error:
        return FieldChoice(field.name, means, best)
    return FieldChoice(field.name, means, RIDGE)


def _score(field: PlanField, scores: PlanScores) -> float | None:
    """Table IV's measure, turned so that more is better; None where the known plan has no value."""
    if field.measure is FieldMeasure.EDIT_DISTANCE:
        # As in `score_tables.layer_scores`.
        return -(scores.layers_distance + scores.layer_count_error + TYPES_WORTH * (1 - scores.layer_type_f1))
    score: float | None = getattr(scores, field.column)
    if score is None:
        return None
    if field.measure is FieldMeasure.EXACT_MATCH:
        return 100.0 * score
    if field.measure is FieldMeasure.ABSOLUTE_ERROR:
        return -min(score, _LARGEST_ERROR)
    return score


def _held_out_ridge_plan(fitted: Fitted, row: int) -> SolutionPlan:
    """What a fit without the known plan's part of them says for it."""
    values = {}
    for model in fitted.fields:
        if len(model.held_out_choice):
            values[model.name] = model.candidates[model.held_out_choice[row]]
    return plan_of(values)


def _plans(planner: Step, items: Sequence[KnownPlan]) -> list[SolutionPlan | None]:
    """The planner's answers to these requirements; None where the firewall keeps all known plans
    out."""
    plans: list[SolutionPlan | None] = []
    for row, item in enumerate(items):
        record = Requirement(id=item.id, row=row, requirement=item.requirement, attributes=item.attributes)
        try:
            fields = cast("Mapping[str, object]", planner(record))
            plans.append(cast("SolutionPlan", fields["plan"]))
        except StageFailure:
            plans.append(None)
    return plans
