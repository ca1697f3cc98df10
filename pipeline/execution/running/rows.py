"""What a job that runs projects is given and gives back, a project a row."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from typing import Literal

from pydantic import TypeAdapter

from pipeline.execution.held_out import HeldOut
from pipeline.execution.ladder import (
    RUNGS,
    Climb,
    FirstException,
    Rung,
    RungEvidence,
    RungOutcome,
    RuntimeCheck,
)
from pipeline.execution.observation import Observation
from pipeline.execution.running.plots import Plot
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.records import SCRIPT, SourceFile
from pipeline.request.constraints import Constraint


@dataclass(frozen=True, kw_only=True, slots=True)
class ProjectRow:
    """A project to run."""

    id: str
    """Unique in a job."""

    row: int
    """Where it stood among the inputs, from 0."""

    source: str
    """The run, folder or file that it was read from."""

    environment: str
    """The name of the environment it is run in."""

    files: tuple[SourceFile, ...]

    entry: str = SCRIPT
    """The file that is run."""

    data_folder: str = ""
    """The file or folder of the user's own data that it reads; "" for none."""

    plan: SolutionPlan | None = None
    """What it was written by; None where that is not known."""

    constraints: tuple[Constraint, ...] = ()
    """What was asked; () where that is not known."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RungRow:
    """RungEvidence, as files have it."""

    rung: str
    outcome: RungOutcome
    seen: str
    file: str
    line: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class RunMeasures:
    """What differs between two runs that come to the same."""

    start: Literal["cold", "warm"]
    """Whether the interpreter was started anew, or forked from one with its framework imported."""

    seconds: float
    """From the start of the box to its end, by the clock."""

    cpu_seconds: float
    peak_memory_bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class FurtherRun:
    """What a further run of the same project came to."""

    reached: str
    """As in ExecutedProject."""

    ended_of: str
    """As `ExecutedProject.ended_of` has it."""

    infra: str
    """As in ExecutedProject."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ExecutedProject:
    """How far a project came."""

    id: str
    row: int
    source: str
    environment: str

    reached: str
    """The highest rung; "" where not even the first was reached, or nothing can be said (`infra`)."""

    rungs: tuple[RungRow, ...]
    """All rungs from the bottom up."""

    first_exception: FirstException | None
    infra: str
    """The defect of environment or machinery for which the run says nothing about the project; "" for none."""

    stopped: str
    """The limit that ended it."""

    budget_spent: bool
    """Whether that was the budget while it trained."""

    held_out: HeldOut | None
    checks: tuple[RuntimeCheck, ...]
    """What was observed beside what the plan says and the request asks."""

    observation: str
    """Observation as JSON: it has mappings, which Arrow has no place for."""

    exit_code: int | None
    """None where there was no run."""

    stdout_tail: str
    stderr_tail: str

    attempts: int = 1
    """2 where the first run met a defect of the machinery."""

    first_infra: str = ""
    """The defect that the first of two runs met."""

    further_runs: tuple[FurtherRun, ...] = ()
    """Where each project is run several times: the second run and those behind it."""

    plots: tuple[Plot, ...] = field(default=(), compare=False)
    """Figures that it saved. Their bytes may differ from run to run, as what is measured does."""

    measured: RunMeasures | None = field(default=None, compare=False)
    """None where there was no run."""

    def evidence_of(self, rung: Rung) -> RungRow:
        """What was seen of a rung."""
        return self.rungs[RUNGS.index(rung)]

    def outcome_of(self, rung: Rung) -> RungOutcome:
        return self.evidence_of(rung).outcome

    def ended_of(self) -> str:
        """What ended it before its end, in a line: the first exception with its place, or a limit; "" for one that
        finished."""
        error = self.first_exception
        if error is not None:
            first_line = error.message.partition("\n")[0] or error.kind
            place = "" if error.line is None else f" (line {error.line} of {error.file})"
            return f"{error.type}: {first_line}".removeprefix(": ") + place
        return f"stopped at its limit of {self.stopped}" if self.stopped else ""

    @property
    def flaky(self) -> bool:
        """Whether another run of it came to another rung."""
        further = [run.reached for run in self.further_runs if not run.infra]
        return not self.infra and any(reached != self.reached for reached in further)

    def without_measures(self) -> ExecutedProject:
        """Without what differs between two runs that come to the same: times, outputs, figures."""
        return replace(self, stdout_tail="", stderr_tail="", plots=(), measured=None)

    def climb(self) -> Climb:
        """The climb that it was written from."""
        return Climb(
            rungs=tuple(
                RungEvidence(rung=Rung(row.rung), outcome=row.outcome, seen=row.seen, file=row.file, line=row.line)
                for row in self.rungs
            ),
            first_exception=self.first_exception,
            infra=self.infra,
            stopped=self.stopped,
            budget_spent=self.budget_spent,
            held_out=self.held_out,
            observation=_observations().validate_json(self.observation),
            checks=self.checks,
        )


def rung_rows(climb: Climb) -> tuple[RungRow, ...]:
    """The climb's rungs, as files have them."""
    rows = []
    for evidence in climb.rungs:
        rows.append(
            RungRow(
                rung=evidence.rung.value,
                outcome=evidence.outcome,
                seen=evidence.seen,
                file=evidence.file,
                line=evidence.line,
            )
        )
    return tuple(rows)


def observation_json(climb: Climb) -> str:
    """What was observed, as JSON."""
    return _observations().dump_json(climb.observation).decode()


@cache
def _observations() -> TypeAdapter[Observation]:
    return TypeAdapter(Observation)
