"""Planners that do not read the requirement: what any planner has to beat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import median_low
from typing import Any

from pipeline.plan import SolutionPlan
from pipeline.planner.fields import FIELDS, field_of, plan_of


def majority_plan(plans: Sequence[SolutionPlan]) -> SolutionPlan:
    """The most frequent category, texts, layers, optimizer, loss and metric, and the median numbers."""
    values: dict[str, Any] = {}
    for name in FIELDS:
        known = [value for plan in plans if (value := field_of(plan, name)) not in ("", (), None)]
        if known:
            number = isinstance(known[0], int | float)
            values[name] = median_low(known) if number else Counter(known).most_common(1)[0][0]
    return plan_of(values)
