"""What was delivered of what was asked: each constraint looked up in the finished project, and what nobody asked for.

Three questions are kept apart (docs/architecture.md): whether a project resembles a reference, whether it keeps its own
plan, and whether it does what was asked. This is the third.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipeline.request.constraints import Constraint

Outcome = Literal["met", "not_met", "not_checkable"]
"""`not_checkable`: reading the code cannot tell (a size that comes from the data at run time)."""

Origin = Literal["rule", "neighbour", "default", "data", "model"]
"""Where an assumption came from: a rule of the program, a similar project, a default, the user's data, a model."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ConstraintCheck:
    """One constraint, looked up in the project."""

    constraint: Constraint
    outcome: Outcome
    line: int | None = None
    """The line of the project's script that meets or breaks it, counted from 1; None where no line does."""
    evidence: str = ""
    """What stands there instead, or why it cannot be told, in a few words."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Assumption:
    """What the request left open and the project decides."""

    name: str
    """In the words of `Constraint.name`."""
    value: str
    origin: Origin
    because: str = ""
    """Which rule, neighbour or default, in a few words."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """What was asked, met or not, and what was assumed."""

    checks: tuple[ConstraintCheck, ...] = ()
    assumptions: tuple[Assumption, ...] = ()

    @property
    def checkable(self) -> int:
        """Constraints that reading the code can decide: the denominator of the shares."""
        return sum(check.outcome != "not_checkable" for check in self.checks)

    @property
    def met(self) -> int:
        return sum(check.outcome == "met" for check in self.checks)

    @property
    def not_met(self) -> tuple[ConstraintCheck, ...]:
        return tuple(check for check in self.checks if check.outcome == "not_met")

    @property
    def constraint_satisfaction(self) -> float | None:
        """CSR of this row: the share of the checkable constraints that are met, in [0, 1]; None without any."""
        return self.met / self.checkable if self.checkable else None

    @property
    def satisfied(self) -> bool | None:
        """Whether all checkable constraints are met: what SSR counts over rows; None without any."""
        return not self.not_met if self.checkable else None
