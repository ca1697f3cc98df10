"""Who says each field of a plan: the request, a rule of the repair, or the planner's guess."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.calls import LLMCall
from pipeline.plan.change import FieldOrigin, PlanChange
from pipeline.plan.fields import FIELDS, PlanField
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.request.constraints import Constraint
from pipeline.stage import Fields

_ASKED = "asked: "
"""How the reason of a change begins that the request asks for."""

_STATED_BY = {
    "task_category": ("problem",),
    "input": ("height", "width", "length", "lookback", "features", "channels"),
    "output": ("count", "horizon"),
    "optimizer": ("optimizer",),
    "loss": ("loss",),
    "learning_rate": ("learning_rate",),
    "batch_size": ("batch_size",),
    "epochs": ("epochs",),
    "metric": ("metric",),
}
"""The names of constraints that state a field. What is asked of layers and of the preprocessing is a part of these."""


def field_origins(
    plan: SolutionPlan, changes: Sequence[PlanChange], constraints: Sequence[Constraint], guessed_by: str
) -> tuple[FieldOrigin, ...]:
    """For each field that a repaired plan states, where it came from; `guessed_by` is who the planner drew on."""
    because = {change.field: change.because for change in changes}  # the last change of a field
    origins: list[FieldOrigin] = []
    for field in FIELDS:
        if not field.of(plan):
            continue
        reason = because.get(field.name, "")
        constraint = _stated_as(field, constraints)
        if constraint or (reason.startswith(_ASKED) and field.name in _STATED_BY):
            by = constraint or reason.removeprefix(_ASKED)
            origins.append(FieldOrigin(field=field.name, source="stated", by=by))
        elif reason:
            origins.append(FieldOrigin(field=field.name, source="rule", by=reason))
        else:
            origins.append(FieldOrigin(field=field.name, source="guessed", by=guessed_by))
    return tuple(origins)


def _stated_as(field: PlanField, constraints: Sequence[Constraint]) -> str:
    """The constraint that states a field, as "batch_size 64"; "" where none does."""
    for one in constraints:
        if not one.negated and one.name in _STATED_BY.get(field.name, ()):
            return f"{one.name} {one.value}"
    return ""


def guessed_by(fields: Fields, calls_before: Sequence[LLMCall]) -> str:
    """Who a planner's fields were drawn from: the model that was asked and answered, or known plans."""
    calls = fields.get("calls", ())
    if isinstance(calls, tuple) and len(calls) > len(calls_before) and not calls[-1].gave_nothing:
        return str(calls[-1].model)
    return "similar projects" if fields.get("plan_sources") else "the planner"
