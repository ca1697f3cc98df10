"""What a project decides that the request left open, as its code has it: what a plan says and no code does is untrue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pipeline.measures.delivery.code import Code
from pipeline.plan.change import PlanChange, PlanCorrection
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.records import Generated, Planned
from pipeline.request.constraints import Constraint
from pipeline.request.delivery import Assumption, Origin

_FIELDS = {"problem": "task_category"}
"""The plan's field behind a setting, where it is called otherwise."""

_ASKED = "asked"
"""How the reason of a change begins that was asked for."""


@dataclass(frozen=True, slots=True)
class PlanOrigin:
    """Where a plan came from: as a whole, since planners do not say it of each value, and what the repair put in."""

    origin: Origin = "model"
    because: str = "the plan says so"
    changes: tuple[PlanChange | PlanCorrection, ...] = ()
    """What was replaced in it by rules, the last one of a field last."""

    def assumed(self, name: str, value: str) -> Assumption:
        """A value of the plan that nobody asked for."""
        field = _FIELDS.get(name, name)
        rules = [change.because for change in self.changes if change.field == field]
        if rules and not rules[-1].startswith(_ASKED):
            return Assumption(name=name, value=value, origin="rule", because=rules[-1])
        return Assumption(name=name, value=value, origin=self.origin, because=self.because)


_SHOWN_SOURCES = 3


def origin_of_plan(record: Planned) -> PlanOrigin:
    """The language model that was asked for the plan, or the known plans that it was drawn from."""
    changes: tuple[PlanChange | PlanCorrection, ...] = record.plan_changes
    if isinstance(record, Generated) and record.decisions is None:  # what a model corrects is no rule
        changes += record.corrections
    planning = [call for call in record.calls if call.stage == "plan"]
    if planning and not planning[-1].gave_nothing:
        return PlanOrigin("model", planning[-1].model, changes)
    if record.plan_sources:
        shown = ", ".join(record.plan_sources[:_SHOWN_SOURCES])
        more = len(record.plan_sources) - _SHOWN_SOURCES
        because = f"{shown} and {more} more" if more > 0 else shown
        return PlanOrigin("neighbour", because, changes)
    return PlanOrigin(changes=changes)


def assumptions(
    constraints: Iterable[Constraint], plan: SolutionPlan | None, origin: PlanOrigin, code: Code | None = None
) -> tuple[Assumption, ...]:
    """The training settings that no constraint is about, each with where it came from. The finished code has the last
    word: a writer may leave a plan's loss where its sample has another."""
    if plan is None:
        return ()
    asked = {constraint.name for constraint in constraints if not constraint.negated}
    stated = {} if code is None else _stated(code)
    decided: list[Assumption] = []
    for name, planned in _settings(plan):
        if not planned or name in asked:
            continue
        there = stated.get(name, ())
        if planned in there or code is None or name == "problem":
            decided.append(origin.assumed(name, planned))
        elif there:
            # Who wrote the code has it from where the plan came from; a rule changed the plan alone.
            decided.append(Assumption(name=name, value=there[0], origin=origin.origin, because=origin.because))
    return tuple(decided)


def _settings(plan: SolutionPlan) -> Iterator[tuple[str, str]]:
    canonical = plan.canonical().hyperparameters
    yield "problem", plan.canonical().task_category
    yield "optimizer", canonical.optimizer.lower()
    yield "loss", canonical.loss or plan.hyperparameters.loss  # one of the project's own has no other name
    yield "learning_rate", _number(canonical.learning_rate)
    yield "batch_size", _number(canonical.batch_size)
    yield "epochs", _number(canonical.epochs)
    yield "metric", canonical.metric


def _stated(code: Code) -> dict[str, tuple[str, ...]]:
    """What the code says of the settings, by name; nothing where it is silent."""
    facts = code.torch if code.torch is not None else code.facts
    stated = {
        "optimizer": (facts.optimizer.lower(),),
        "loss": (facts.loss,),
        "learning_rate": (_number(facts.learning_rate),),
        "batch_size": (_number(facts.batch_size),),
        "epochs": (_number(facts.epochs),),
        "metric": facts.metrics,
    }
    return {name: values for name, values in stated.items() if any(values)}


def _number(value: float | None) -> str:
    return "" if value is None else repr(value)
