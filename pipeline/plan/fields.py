"""The fields of a solution plan: the one table of what they are called, where they stand and how they are measured."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel

from pipeline.plan.solution_plan import DatasetShape, Hyperparameters, ModelArchitecture, SolutionPlan


class FieldMeasure(Enum):
    """How a predicted value is compared with the known one (paper, section IV.C). The value is what
    a column of that measure has behind the field's name. `pipeline.measures.plan_metrics` computes
    them."""

    EXACT_MATCH = ""
    BLEU = "_bleu"
    EDIT_DISTANCE = "_distance"
    ABSOLUTE_ERROR = "_error"

    @property
    def lower_is_better(self) -> bool:
        return self in (FieldMeasure.EDIT_DISTANCE, FieldMeasure.ABSOLUTE_ERROR)


_PARTS: Mapping[str, tuple[type[BaseModel], tuple[str, ...]]] = {
    "plan": (SolutionPlan, ()),
    "dataset": (DatasetShape, ("Dataset",)),
    "architecture": (ModelArchitecture, ("Model Architecture",)),
    "hyperparameters": (Hyperparameters, ("Model Architecture", "Hyperparameters")),
}
"""Each part of a plan, and the keys in its JSON that lead to it."""


@dataclass(frozen=True)
class PlanField:
    """One field of a plan. Where a plan leaves it open, its value is "", () or None."""

    name: str
    """In Python, in files and in tables: `batch_size`."""
    part: Literal["plan", "dataset", "architecture", "hyperparameters"]
    """The part of the plan that has the field as an attribute of that name."""
    measure: FieldMeasure
    title: str
    """In the heads of tables: "batch"."""
    also: tuple[str, ...] = ()
    """What else models and data sets call it, folded."""

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The keys that lead to it in a plan's JSON: ("Model Architecture", "Hyperparameters", "batch size")."""
        part, keys = _PARTS[self.part]
        return (*keys, part.model_fields[self.name].alias or self.name)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All that it is called, folded (`folded_name`), the paper's own key first."""
        names = (folded_name(self.keys[-1]), folded_name(self.name), folded_name(self.title), *self.also)
        return tuple(dict.fromkeys(names))

    @property
    def lower_is_better(self) -> bool:
        return self.measure.lower_is_better

    @property
    def column(self) -> str:
        """The name of its measure in tables and result files: `batch_size_error`."""
        return self.name + self.measure.value

    def of(self, plan: SolutionPlan) -> Any:
        """The plan's value."""
        if self.part == "plan":
            return getattr(plan, self.name)
        return getattr(getattr(plan, self.part), self.name)


FIELDS: tuple[PlanField, ...] = (
    PlanField("task_category", "plan", FieldMeasure.EXACT_MATCH, "category", ("task",)),
    PlanField("input", "dataset", FieldMeasure.BLEU, "input", ("inputshape",)),
    PlanField("output", "dataset", FieldMeasure.BLEU, "output", ("outputshape",)),
    PlanField("preprocess", "plan", FieldMeasure.BLEU, "preprocess", ("preprocessing",)),
    PlanField(
        "layers",
        "architecture",
        FieldMeasure.EDIT_DISTANCE,
        "layers",
        ("layer", "architecture", "model", "modelarchitecture"),
    ),
    PlanField("optimizer", "hyperparameters", FieldMeasure.EXACT_MATCH, "optimizer"),
    PlanField("loss", "hyperparameters", FieldMeasure.EXACT_MATCH, "loss"),
    PlanField("learning_rate", "hyperparameters", FieldMeasure.ABSOLUTE_ERROR, "LR"),
    PlanField("batch_size", "hyperparameters", FieldMeasure.ABSOLUTE_ERROR, "batch"),
    PlanField("epochs", "hyperparameters", FieldMeasure.ABSOLUTE_ERROR, "epochs", ("epoch",)),
    PlanField("metric", "hyperparameters", FieldMeasure.EXACT_MATCH, "metric", ("evaluationmetrics", "metrics")),
)
"""Every field, in the order of a plan's JSON."""

FIELD: Mapping[str, PlanField] = {field.name: field for field in FIELDS}
"""By name."""

FIELD_NAMES: tuple[str, ...] = tuple(FIELD)


def folded_name(text: str) -> str:
    """A name as names are compared: lower-case letters alone."""
    return re.sub(r"[^a-z]", "", text.lower())


def field_named(name: str) -> PlanField | None:
    """The field of a name or of a path to it ("Hyperparameters.loss function" is `loss`); None for a name of none."""
    last = folded_name(re.split(r"[./>]", name)[-1])
    return next((field for field in FIELDS if last in field.names), None)


NUMBER_FIELDS: tuple[PlanField, ...] = (FIELD["learning_rate"], FIELD["batch_size"], FIELD["epochs"])

TABLE_IV: tuple[PlanField, ...] = (
    FIELD["task_category"],
    FIELD["input"],
    FIELD["output"],
    FIELD["layers"],
    FIELD["learning_rate"],
    FIELD["loss"],
    FIELD["optimizer"],
    FIELD["batch_size"],
    FIELD["epochs"],
    FIELD["metric"],
)
"""The columns of the paper's Table IV, in its order. It leaves Preprocess out."""


def plan_of(values: Mapping[str, Any]) -> SolutionPlan:
    """The plan with these values, by field name; the other fields stay open."""
    parts: dict[str, dict[str, Any]] = {"plan": {}, "dataset": {}, "architecture": {}, "hyperparameters": {}}
    for field in FIELDS:
        value = values.get(field.name)
        if value:
            parts[field.part][field.name] = value
    hyperparameters = Hyperparameters(**parts["hyperparameters"])
    return SolutionPlan(
        **parts["plan"],
        dataset=DatasetShape(**parts["dataset"]),
        architecture=ModelArchitecture(**parts["architecture"], hyperparameters=hyperparameters),
    )
