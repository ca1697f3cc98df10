"""A plan's fields by name: taken out of plans, and put together to one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.plan.solution_plan import SolutionPlan

FIELDS = (
    "task_category",
    "input",
    "output",
    "preprocess",
    "layers",
    "optimizer",
    "loss",
    "learning_rate",
    "batch_size",
    "epochs",
    "metric",
)


def field_of(plan: SolutionPlan, name: str) -> Any:
    """The field's value; "", () or None where the plan leaves it open."""
    holder: Any = plan
    if name in ("input", "output"):
        holder = plan.dataset
    elif name not in ("task_category", "preprocess", "layers"):
        holder = plan.hyperparameters
    return getattr(holder, name)


def plan_of(values: Mapping[str, Any]) -> SolutionPlan:
    """The plan with these fields, the others left open."""
    part = {
        name: values[name]
        for name in ("optimizer", "loss", "learning_rate", "batch_size", "epochs", "metric")
        if values.get(name)
    }
    return SolutionPlan.model_validate(
        {
            "task_category": values.get("task_category") or "",
            "dataset": {name: values.get(name) or "" for name in ("input", "output")},
            "preprocess": values.get("preprocess") or "",
            "architecture": {"layers": values.get("layers") or (), "hyperparameters": part},
        }
    )
