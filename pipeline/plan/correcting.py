"""A plan corrected by what a model found wrong in it: fields by any of their names, values read as plans are read."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any

from pipeline.plan.change import FieldOrigin, PlanCorrection
from pipeline.plan.fields import FIELDS, PlanField, field_named, plan_of
from pipeline.plan.reading import UnreadablePlanError, read_plan
from pipeline.plan.solution_plan import SolutionPlan

_LONGEST = 600
"""Characters of a value and of a reason that are kept: what a field was or is, in words."""

_BETWEEN_CALLS = re.compile(r"\n|(?<=\))\s*(?:->|[,;|])\s*(?=[A-Za-z_][\w.]*\()")
"""What stands between the layers of a text: "Conv2D(8, 3), Flatten()"."""


_SETTINGS = frozenset({"optimizer", "loss", "learning_rate", "batch_size", "epochs", "metric"})
"""Fields that one constraint states wholly. What is stated of the others is a part of them: the rest may be wrong."""


def settings_stated(origins: Iterable[FieldOrigin]) -> set[str]:
    """The fields that no writer takes back, since the request states them."""
    return {origin.field for origin in origins if origin.source == "stated" and origin.field in _SETTINGS}


def corrected(
    plan: SolutionPlan, wanted: Iterable[PlanCorrection], stated: Collection[str] = ()
) -> tuple[SolutionPlan, tuple[PlanCorrection, ...]]:
    """The plan with the wanted corrections, and those that were made, with what the plan really said.

    Left out is what names no field, gives no value that can be read or none that differs, and what would take back a
    field that the request has `stated`. Of several corrections of a field the last one counts.
    """
    values: dict[str, Any] = {field.name: field.of(plan) for field in FIELDS}
    made: dict[str, PlanCorrection] = {}
    for correction in wanted:
        field = field_named(correction.field)
        if field is None or field.name in stated:
            continue
        planned, value = field.of(plan), _value(field, correction.now)
        if field.name == "layers":
            value = _layers(plan.layers, correction.was, value)
        if not value or _same(field, value, planned):
            continue
        values[field.name] = value
        made[field.name] = PlanCorrection(
            field=field.name, was=_shown(planned), now=_shown(value), because=correction.because[:_LONGEST]
        )
    if not made:
        return plan, ()
    final = plan_of(values).model_copy(update={"framework": plan.framework})
    return final, tuple(made.values())


def _value(field: PlanField, text: str) -> Any:
    """What a plan that says this of a field has there; None where it cannot be read."""
    body: Any = _BETWEEN_CALLS.split(text) if field.name == "layers" else text
    for key in reversed(field.keys):
        body = {key: body}
    body = {"Task Category": "", **body}  # what makes it a plan to its reader
    try:
        return field.of(read_plan(body))
    except UnreadablePlanError:
        return None


def _layers(layers: tuple[str, ...], was: str, now: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """The layers with what they are to be. A single one takes the place of the layer that it is said to replace."""
    if now is None or len(now) != 1 or len(layers) < 2:
        return now
    places = [place for place, layer in enumerate(layers) if layer.strip() == was.strip()]
    place = places[-1] if places else len(layers) - 1
    return (*layers[:place], now[0], *layers[place + 1 :])


def _same(field: PlanField, value: Any, planned: Any) -> bool:
    """Whether two values of a field say the same: "mse" is the loss `mean_squared_error`."""
    if value == planned:
        return True
    first, second = (field.of(plan_of({field.name: one}).canonical()) for one in (value, planned))
    return bool(first) and first == second


def _shown(value: Any) -> str:
    text = "; ".join(value) if isinstance(value, tuple) else "" if value is None else str(value)
    return text[:_LONGEST]
