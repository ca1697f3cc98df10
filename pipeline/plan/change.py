"""What became of a predicted plan: who said each field, what the repair changed, and what a writer corrected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FieldSource = Literal["stated", "rule", "guessed"]
"""`stated`: by the request. `rule`: put in by the repair, so that the plan holds together. `guessed`: by a planner."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanChange:
    """One value of a plan that was replaced before anything was written."""

    field: str
    """The plan's field, by its name in `pipeline.plan.fields`: `loss`, `layers`."""
    before: str
    """What the planner said; "" where it said nothing."""
    after: str
    """What the plan says now; "" where something was taken out."""
    because: str
    """The constraint ("asked: batch_size 64") or the rule, in a few words."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldOrigin:
    """Where one field of a plan came from."""

    field: str
    """By its name in `pipeline.plan.fields`."""
    source: FieldSource
    """How sure it is."""
    by: str
    """Who says it: the request's words, the rule, the model, or the known plans it was drawn from."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanCorrection:
    """One value of a plan that was found wrong when the project was written. The plan itself stays as it was."""

    field: str
    """By its name in `pipeline.plan.fields`."""
    was: str
    """What the plan says."""
    now: str
    """What the final plan says."""
    because: str
    """Why, in the writer's words."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Decisions:
    """What a model says, beside a program, that it decided in it."""

    base: str = ""
    """Of a comparison: `draft 1` or `draft 2`, whichever solves the task; "" where it names none."""
    from_other: tuple[str, ...] = ()
    """Of a comparison: what it took from the other draft, and why."""
    corrections: tuple[PlanCorrection, ...] = ()
    """What it found wrong in the plan, as it says so."""
    assumptions: tuple[str, ...] = ()
    """What nobody asked for and the program decides."""
    notes: str = ""
    """What else its reply says beside the program."""
