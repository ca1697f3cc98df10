"""What a sample that declares its cell trains with: its own settings, but for those that are asked for.

It is known to learn with its own. A plan is drawn from projects of other networks: it would train a graph's with a
fifth of the rate that it needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.generate.asked_settings import learning_rates
from pipeline.own_data.planning import fitted_plan
from pipeline.plan.change import PlanCorrection
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.request.constraints import Constraint
from pipeline.request.data_contract import DataContract

_SETTINGS = ("optimizer", "learning_rate", "batch_size", "epochs")

_SGD_RATE = 0.01
"""Keras' default. Rates that suit Adam leave plain SGD where it started."""

_BECAUSE = "known to train this network"


@dataclass(frozen=True, kw_only=True, slots=True)
class Training:
    """What is set in a sample; "" or None leaves its own."""

    optimizer: str
    learning_rate: float | None
    batch_size: int | None
    epochs: int | None


def training_of(
    optimizer: str, batch_size: int | None, epochs: int | None, constraints: Sequence[Constraint]
) -> Training:
    """The plan's settings, those left out that nobody asked for."""
    asked = {one.name: one.value for one in constraints if not one.negated}
    rate, _ = learning_rates(constraints)
    if rate is None and asked.get("optimizer") == "sgd":
        rate = _SGD_RATE
    return Training(
        optimizer=optimizer if "optimizer" in asked else "",
        learning_rate=rate,
        batch_size=batch_size if "batch_size" in asked else None,
        epochs=epochs if "epochs" in asked else None,
    )


def own_settings(
    plan: SolutionPlan, sample: SolutionPlan, constraints: Sequence[Constraint], data: DataContract | None = None
) -> tuple[PlanCorrection, ...]:
    """The sample's settings where nobody asked for others and the plan says otherwise, as corrections of the plan.

    Of `data` of the row's own, batches and epochs are for as many examples as those have: a sample's are for its own.
    """
    before = plan.hyperparameters
    training = training_of(before.optimizer, before.batch_size, before.epochs, constraints)
    updates: dict[str, object] = {}
    for name in _SETTINGS:
        value = getattr(training, name) or getattr(sample.hyperparameters, name)
        if value:
            updates[name] = value
    architecture = plan.architecture.model_copy(update={"hyperparameters": before.model_copy(update=updates)})
    mixed = plan.model_copy(update={"architecture": architecture})
    if data is not None and data.examples:
        mixed = fitted_plan(mixed, data.examples, data.inputs[0].kind, {one.name for one in constraints})
    wanted: list[PlanCorrection] = []
    for name in _SETTINGS:
        old, own, new = (getattr(one, name) for one in (before, sample.hyperparameters, mixed.hyperparameters))
        if old != new:
            because = _BECAUSE if data is None or new == own else f"for {data.examples} examples"
            wanted.append(PlanCorrection(field=name, was=str(old or ""), now=str(new), because=because))
    return tuple(wanted)
