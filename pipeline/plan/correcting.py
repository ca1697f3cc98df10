"""A plan corrected by what a model found wrong in it: fields by any of their names, values read as plans are read."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from pipeline.plan.change import PlanCorrection
from pipeline.plan.fields import FIELD, FIELDS, plan_of
from pipeline.plan.reading import UnreadablePlanError, read_plan
from pipeline.plan.solution_plan import SolutionPlan

_LONGEST = 600
"""Characters of a value and of a reason that are kept: what a field was or is, in words."""

_OTHER_NAMES = {
    "category": "task_category",
    "task": "task_category",
    "inputshape": "input",
    "outputshape": "output",
    "preprocessing": "preprocess",
    "architecture": "layers",
    "model": "layers",
    "modelarchitecture": "layers",
    "layer": "layers",
    "lossfunction": "loss",
    "lr": "learning_rate",
    "batch": "batch_size",
    "epoch": "epochs",
    "evaluationmetric": "metric",
    "metrics": "metric",
}
"""What else a field is called: by the paper's keys, and by models."""

_BETWEEN_CALLS = re.compile(r"\n|(?<=\))\s*(?:->|[,;|])\s*(?=[A-Za-z_][\w.]*\()")
"""What stands between the layers of a text: "Conv2D(8, 3), Flatten()"."""

_KEY = {
    "task_category": ("Task Category",),
    "input": ("Dataset", "Input"),
    "output": ("Dataset", "Output"),
    "preprocess": ("Preprocess",),
    "layers": ("Model Architecture", "Layers"),
    "optimizer": ("Model Architecture", "Hyperparameters", "optimizer"),
    "loss": ("Model Architecture", "Hyperparameters", "loss function"),
    "learning_rate": ("Model Architecture", "Hyperparameters", "learning rate"),
    "batch_size": ("Model Architecture", "Hyperparameters", "batch size"),
    "epochs": ("Model Architecture", "Hyperparameters", "epochs"),
    "metric": ("Model Architecture", "Hyperparameters", "evaluation metric"),
}
"""Where a field stands in a plan's JSON."""


def field_named(name: str) -> str:
    """The plan's field of a name ("Hyperparameters.loss function" is `loss`); "" for a name of none."""
    last = re.split(r"[./>]", name)[-1]
    folded = re.sub(r"[^a-z]", "", last.lower())
    for field in FIELDS:
        if folded in (field.name.replace("_", ""), field.title.lower()):
            return field.name
    return _OTHER_NAMES.get(folded, "")


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
        name = field_named(correction.field)
        if not name or name in stated:
            continue
        value = _value(name, correction.now)
        if name == "layers":
            value = _layers(plan.layers, correction.was, value)
        if not value or _same(name, value, FIELD[name].of(plan)):
            continue
        values[name] = value
        because = correction.because[:_LONGEST]
        made[name] = PlanCorrection(field=name, was=_shown(FIELD[name].of(plan)), now=_shown(value), because=because)
    if not made:
        return plan, ()
    final = plan_of(values).model_copy(update={"framework": plan.framework})
    return final, tuple(made.values())


def _value(field: str, text: str) -> Any:
    """What a plan that says this of a field has there; None where it cannot be read."""
    body: Any = _BETWEEN_CALLS.split(text) if field == "layers" else text
    for key in reversed(_KEY[field]):
        body = {key: body}
    body = {"Task Category": "", **body}  # what makes it a plan to its reader
    try:
        return FIELD[field].of(read_plan(body))
    except UnreadablePlanError:
        return None


def _layers(layers: tuple[str, ...], was: str, now: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """The layers with what they are to be. A single one takes the place of the layer that it is said to replace."""
    if now is None or len(now) != 1 or len(layers) < 2:
        return now
    places = [place for place, layer in enumerate(layers) if layer.strip() == was.strip()]
    place = places[-1] if places else len(layers) - 1
    return (*layers[:place], now[0], *layers[place + 1 :])


def _same(field: str, value: Any, planned: Any) -> bool:
    """Whether two values of a field say the same: "mse" is the loss `mean_squared_error`."""
    if value == planned:
        return True
    both: list[Mapping[str, Any]] = [{field: value}, {field: planned}]
    first, second = (plan_of(values).canonical() for values in both)
    return bool(FIELD[field].of(first)) and FIELD[field].of(first) == FIELD[field].of(second)


def _shown(value: Any) -> str:
    text = "; ".join(value) if isinstance(value, tuple) else "" if value is None else str(value)
    return text[:_LONGEST]
