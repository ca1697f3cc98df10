"""A plan's training for as many examples as the user's own data have.

Known plans are about larger data as a rule: 30 epochs in batches of 48 are 100 steps on the 150 rows of iris, too few
for any network. Where the user states neither, a small data set gets smaller batches and more epochs; training stops
early by the validation loss all the same. Optimizer and learning rate come by a vote of known plans, each by itself:
plain SGD with Adam's usual rate had 0.145 of 200 held-out digits right, Adam 0.945 (`mnist-folders` in
benchmarks.own_data). Such a pair becomes Adam's.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from inspect import isawaitable
from typing import Any, TypeVar

from pipeline.plan.change import FieldOrigin, PlanChange
from pipeline.plan.fields import FIELD_NAMES, FIELDS
from pipeline.plan.reading import read_text
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.plan.vocabulary import canonical_optimizer
from pipeline.records import Understood

STEPS = {"table": 1500, "series": 1000}
"""Updates of the weights that a training has at least, by the kind of input; OTHER_STEPS for images, sounds and texts,
where a step takes longer and says more."""

OTHER_STEPS = 400
MOST_EPOCHS = 300
SMALLEST_BATCH = 8
BATCHES = 16
"""A training set is divided into so many batches at least."""

_ADAPTIVE = frozenset(("Adam", "AdamW", "Nadam", "Adamax", "RMSprop", "Adafactor", "Lion"))
"""Optimizers that find a step for each weight; the others need a rate and a schedule made for the data."""

LEARNING_RATES = (0.0003, 0.003)
"""What an unstated learning rate of an adaptive optimizer is kept within."""

_TRAINED_SHARE = 0.68
"""Of the examples, what is left to train on."""

Told = TypeVar("Told")

Plans = Callable[[Any], Mapping[str, object] | Awaitable[Mapping[str, object]]]


def for_own_data(planner: Plans) -> Plans:
    """The planner, with its plans fitted to the number of examples for rows that have data of their own."""

    def plan(record: Any) -> Mapping[str, object] | Awaitable[Mapping[str, object]]:
        fields = planner(record)
        if record.data is None:
            return fields
        if isawaitable(fields):
            return _fitted_later(fields, record)
        return _fitted(fields, record)

    return plan


async def _fitted_later(fields: Awaitable[Mapping[str, object]], record: Understood) -> Mapping[str, object]:
    return _fitted(await fields, record)


def _fitted(fields: Mapping[str, object], record: Understood) -> Mapping[str, object]:
    plan = fields.get("plan")
    if not isinstance(plan, SolutionPlan) or record.data is None or not record.data.examples:
        return fields
    stated = {one.name for one in record.constraints}
    kind = record.data.inputs[0].kind
    fitted = fitted_plan(plan, record.data.examples, kind, stated)
    because = f"for {record.data.examples} examples"
    changes: list[PlanChange] = []
    for field in FIELDS:
        old, new = field.of(plan), field.of(fitted)
        if old != new:
            changes.append(PlanChange(field=field.name, before=read_text(old), after=read_text(new), because=because))
    changed = {change.field for change in changes}
    origins = [origin for origin in _told(fields, "plan_origins", FieldOrigin) if origin.field not in changed]
    origins += [FieldOrigin(field=name, source="rule", by=because) for name in sorted(changed, key=FIELD_NAMES.index)]
    before = _told(fields, "plan_changes", PlanChange)
    return {**fields, "plan": fitted, "plan_changes": (*before, *changes), "plan_origins": tuple(origins)}


def _told(fields: Mapping[str, object], name: str, kind: type[Told]) -> list[Told]:
    """What the planner's fields tell of the plan; nothing where they tell nothing."""
    told = fields.get(name, ())
    assert isinstance(told, tuple)
    return [one for one in told if isinstance(one, kind)]


def fitted_plan(plan: SolutionPlan, examples: int, kind: str, stated: set[str]) -> SolutionPlan:
    """The plan with batches, epochs and an optimizer for so many examples; what is stated stays."""
    hyper = plan.hyperparameters
    batch = hyper.batch_size or 32
    if "batch_size" not in stated:
        largest = max(SMALLEST_BATCH, 2 ** int(math.log2(max(examples / BATCHES, 1))))
        batch = min(batch, largest)
    epochs = hyper.epochs or 1
    if "epochs" not in stated:
        steps = math.ceil(_TRAINED_SHARE * examples / batch)
        wanted = math.ceil(STEPS.get(kind, OTHER_STEPS) / steps)
        epochs = max(epochs, min(wanted, MOST_EPOCHS))
    optimizer, rate = hyper.optimizer, hyper.learning_rate
    if "optimizer" not in stated and canonical_optimizer(optimizer) not in _ADAPTIVE:
        optimizer = "Adam"
    if "learning_rate" not in stated and canonical_optimizer(optimizer) in _ADAPTIVE:
        rate = min(max(rate or 0.001, LEARNING_RATES[0]), LEARNING_RATES[1])
    hyper = hyper.model_copy(
        update={"batch_size": batch, "epochs": epochs, "optimizer": optimizer, "learning_rate": rate}
    )
    return plan.model_copy(update={"architecture": plan.architecture.model_copy(update={"hyperparameters": hyper})})
