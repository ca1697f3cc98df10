"""What the hybrid's ridge and its rivals answer for requirements that none of them has seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

import numpy as np

from pipeline.errors import StageFailure
from pipeline.plan.fields import plan_of
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.planners.hybrid.contest import RIDGE
from pipeline.planners.hybrid.fit import PARTS, Fitted
from pipeline.planners.hybrid.holding_out import spread
from pipeline.planners.hybrid.planner import HybridPlanner
from pipeline.planners.majority import MajorityPlanner
from pipeline.planners.retrieval import RetrievalPlanner
from pipeline.records import Requirement
from pipeline.retrieval.firewall import Firewall
from pipeline.retrieval.sample_pool import KnownPlan
from pipeline.stage import Step

RETRIEVAL, MAJORITY = "retrieval", "majority"
MOST_JUDGED = 1000
"""Known plans that are answered for, of more every k-th: retrieval takes ten milliseconds each."""

Answers = dict[str, list[SolutionPlan | None]]


def rival(name: str, known: Sequence[KnownPlan], firewall: Firewall | None = None) -> Step:
    """The rival of that name, from known plans."""
    if name == MAJORITY:
        return MajorityPlanner([item.plan for item in known])
    return RetrievalPlanner(known, firewall=firewall)


def held_out_answers(fitted: Fitted) -> tuple[Answers, list[SolutionPlan]]:
    """Answers for the known plans themselves, each from a planner without its sixth of them, and these plans. Empty
    where there is only one."""
    known = fitted.known
    answers: Answers = {name: [] for name in (RIDGE, RETRIEVAL, MAJORITY)}
    judged: list[SolutionPlan] = []
    asked = spread(len(known), MOST_JUDGED)
    for part in np.array_split(np.arange(len(known)), min(PARTS, len(known))) if len(known) > 1 else ():
        rows = np.intersect1d(part, asked).tolist()
        rest = [*known[: part[0]], *known[part[-1] + 1 :]]
        answers[RIDGE] += [_ridge_answer(fitted, row) for row in rows]
        for name in (RETRIEVAL, MAJORITY):
            answers[name] += _answers(rival(name, rest), (known[row] for row in rows))
        judged += [known[row].plan for row in rows]
    return answers, judged


def evaluation_answers(
    fitted: Fitted, evaluation: Sequence[KnownPlan], others: Mapping[str, Step]
) -> tuple[Answers, list[SolutionPlan]]:
    """Answers for an evaluation split, from all known plans and from `others`, and the split's plans."""
    steps: dict[str, Step] = {RIDGE: HybridPlanner(fitted)}
    steps |= {name: rival(name, fitted.known) for name in (RETRIEVAL, MAJORITY)}
    answers = {name: _answers(step, evaluation) for name, step in (steps | dict(others)).items()}
    return answers, [item.plan for item in evaluation]


def _ridge_answer(fitted: Fitted, row: int) -> SolutionPlan:
    return plan_of(
        {model.name: model.candidates[model.held_out[row]] for model in fitted.fields if len(model.held_out)}
    )


def _answers(step: Step, items: Iterable[KnownPlan]) -> list[SolutionPlan | None]:
    """Plans in order; None where the firewall keeps all known plans out."""
    found: list[SolutionPlan | None] = []
    for row, item in enumerate(items):
        try:
            given = step(Requirement(id=item.id, row=row, requirement=item.requirement, attributes=item.attributes))
            found.append(cast("SolutionPlan", cast("Mapping[str, object]", given)["plan"]))
        except StageFailure:
            found.append(None)
    return found
