"""What was changed in a predicted plan, and why."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanChange:
    """One value of a plan that was replaced."""

    field: str
    """The plan's field, by its name in `pipeline.plan.fields`: `loss`, `layers`."""
    before: str
    """What the planner said; "" where it said nothing."""
    after: str
    """What the plan says now; "" where something was taken out."""
    because: str
    """The constraint ("asked: batch_size 64") or the rule, in a few words."""
