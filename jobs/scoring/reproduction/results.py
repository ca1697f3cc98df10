"""What a reproduction of the paper's tables comes to."""

from __future__ import annotations

from dataclasses import dataclass

from jobs.scoring.code_tables import CodeTables
from jobs.scoring.plans.tables import PlanTables


@dataclass(frozen=True, kw_only=True, slots=True)
class ReproducedValue:
    """A value the paper prints, and the same from the released file (protocol `paper`, in percent). `published` is None
    where the paper shows it in a plot only."""

    table: str
    model: str
    method: str
    column: str
    published: float | None
    reproduced: float
    difference: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Reproduction:
    """What `main` wrote to `out`. `absent`: released files that are not there or do not fit, in words."""

    values: tuple[ReproducedValue, ...]
    code: CodeTables
    plans: PlanTables
    absent: tuple[str, ...]
    seeds: int
    seconds: float
    out: str
