"""What a plan decides that the request left open."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipeline.plan.solution_plan import SolutionPlan
from pipeline.request.constraints import Constraint
from pipeline.request.delivery import Assumption


def assumptions(constraints: Iterable[Constraint], plan: SolutionPlan | None) -> tuple[Assumption, ...]:
    """The plan's training settings that no constraint is about, each with where it came from.

    Today's planners say of a plan which known plans it was drawn from, not which of its values: the origin is the model
    that planned, without more.
    """
    if plan is None:
        return ()
    asked = {constraint.name for constraint in constraints if not constraint.negated}
    decided: list[Assumption] = []
    for name, value in _settings(plan):
        if value and name not in asked:
            decided.append(Assumption(name=name, value=value, origin="model", because="the plan says so"))
    return tuple(decided)


def _settings(plan: SolutionPlan) -> Iterator[tuple[str, str]]:
    canonical = plan.canonical().hyperparameters
    yield "problem", plan.canonical().task_category
    yield "optimizer", canonical.optimizer.lower()
    yield "loss", canonical.loss
    yield "learning_rate", _number(canonical.learning_rate)
    yield "batch_size", _number(canonical.batch_size)
    yield "epochs", _number(canonical.epochs)
    yield "metric", canonical.metric


def _number(value: float | None) -> str:
    return "" if value is None else repr(value)
