"""Planners that do not read the requirement: what any planner has to beat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import median_low
from typing import Any

from pipeline.plan.fields import FIELDS, FieldMeasure, plan_of
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.records import Requirement


def majority_plan(plans: Sequence[SolutionPlan]) -> SolutionPlan:
    """The most frequent category, texts, layers, optimizer, loss and metric, and the median numbers."""
    values: dict[str, Any] = {}
    for field in FIELDS:
        values_of_plans = [field.of(plan) for plan in plans]
        known = [value for value in values_of_plans if value not in ("", (), None)]
        if not known:
            continue
        if field.measure is FieldMeasure.ABSOLUTE_ERROR:
            values[field.name] = median_low(known)
        else:
            values[field.name] = Counter(known).most_common(1)[0][0]
    return plan_of(values)


class MajorityPlanner:
    """Plans the same for every requirement."""

    def __init__(self, plans: Sequence[SolutionPlan]) -> None:
        self._plan = majority_plan(plans)

    def __call__(self, record: Requirement) -> dict[str, object]:
        """The fields `plan` and `plan_sources`, which are none."""
        return {"plan": self._plan, "plan_sources": ()}
