"""One project at a time: run in its environment, its climb, and once more where the machinery failed it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from pipeline.errors import FaultError, StageFailure
from pipeline.execution.climbing import climb, infra_climb
from pipeline.execution.ladder import Climb
from pipeline.execution.running.plots import PLOT_PATTERNS, plots_of
from pipeline.execution.running.rows import (
    ExecutedProject,
    FurtherRun,
    ProjectRow,
    RunMeasures,
    observation_json,
    rung_rows,
)
from pipeline.foreign_text import storable
from pipeline.records import SourceFile
from pipeline.sandbox.sandbox import Execution, Limits

ATTEMPTS = 2
"""Runs of a project whose first one met a defect of environment or machinery."""


COMPUTING = 0.05
"""The share of the time by the clock from which on a project counts as computing. One that waits for something uses a
thousandth; one that computes on a machine with ten times the work it has cores for, a tenth."""


class ObservingSandbox(Protocol):
    """Runs projects in one environment, and tells what was seen in their processes."""

    def run(
        self,
        files: Sequence[SourceFile],
        entry: str,
        limits: Limits,
        *,
        shown: str = "",
        data: str = "",
        results: Sequence[str] = (),
    ) -> tuple[Execution, str]:
        """As `EnvironmentSandbox.run`."""

    def restart(self) -> None:
        """Gives up what it keeps between runs: that may be what is broken."""


class Sandboxes(Protocol):
    """A sandbox for each environment."""

    @property
    def warm(self) -> bool:
        """Whether projects are forked from a process that has their framework imported."""

    def of(self, environment: str) -> ObservingSandbox:
        """The one of the environment of that name. Raises FaultError where it cannot be had."""


class ProjectExecutor:
    """Runs projects under the same limits."""

    def __init__(
        self, sandboxes: Sandboxes, limits: Limits, data: str = "", results: Sequence[str] = (), runs: int = 1
    ) -> None:
        """`data`: a file or folder that every project finds as `data` in its own; "" for none. `results`: the files
        that `run` brings back, by default the figures it saves. `runs`: how often `execute` runs each; the first run is
        its result."""
        self._sandboxes = sandboxes
        self._limits = limits
        self._data = data
        self._results = results or PLOT_PATTERNS
        self._runs = runs

    def execute(self, project: ProjectRow) -> ExecutedProject:
        """How far the project came. No project makes it raise."""
        executed, _ = self.run(project)
        further = []
        for _ in range(1, self._runs):
            other, _ = self.run(project)
            further.append(FurtherRun(reached=other.reached, ended_of=other.ended_of(), infra=other.infra))
        return replace(executed, further_runs=tuple(further)) if further else executed

    def run(self, project: ProjectRow) -> tuple[ExecutedProject, Execution | None]:
        """One run of it, or a second where the machinery failed the first, with the results; None where there was no
        run."""
        executed, execution = self._attempt(project)
        first_infra = executed.infra
        for attempt in range(2, ATTEMPTS + 1):
            if not executed.infra:
                break
            again, execution = self._attempt(project, afresh=True)
            executed = replace(again, attempts=attempt, first_infra=first_infra)
        return executed, execution

    def _attempt(self, project: ProjectRow, *, afresh: bool = False) -> tuple[ExecutedProject, Execution | None]:
        execution: Execution | None = None
        try:
            sandbox = self._sandboxes.of(project.environment)
            if afresh:
                sandbox.restart()
            execution, events = sandbox.run(
                project.files,
                project.entry,
                self._limits,
                shown=project.data_folder,
                data=self._data,
                results=self._results,
            )
            climbed = self._climb(project, execution, events)
        except (FaultError, StageFailure) as failure:
            climbed = infra_climb(str(failure))
        return _executed(project, climbed, execution, warm=self._sandboxes.warm), execution

    def _climb(self, project: ProjectRow, execution: Execution, events: str) -> Climb:
        computing = execution.cpu_seconds > COMPUTING * execution.seconds
        if execution.stopped == "seconds" and computing and self._limits.cpu_seconds is not None:
            return infra_climb(
                f"the machine was too busy: {execution.cpu_seconds:.0f} of {self._limits.cpu_seconds:.0f} seconds of "
                f"processor time in {execution.seconds:.0f} s"
            )
        return climb(
            execution,
            events,
            _script(project),
            entry=project.entry,
            plan=project.plan,
            constraints=project.constraints,
        )


def _script(project: ProjectRow) -> str:
    for file in project.files:
        if file.path == project.entry:
            return file.text
    return ""


def _executed(project: ProjectRow, climbed: Climb, execution: Execution | None, *, warm: bool) -> ExecutedProject:
    measured = None
    if execution is not None:
        measured = RunMeasures(
            start="warm" if warm else "cold",
            seconds=round(execution.seconds, 3),
            cpu_seconds=round(execution.cpu_seconds, 3),
            peak_memory_bytes=execution.peak_memory_bytes,
        )
    return ExecutedProject(
        id=project.id,
        row=project.row,
        source=project.source,
        environment=project.environment,
        reached=climbed.reached.value if climbed.reached and not climbed.infra else "",
        rungs=rung_rows(climbed),
        first_exception=climbed.first_exception,
        infra=climbed.infra,
        stopped=climbed.stopped,
        budget_spent=climbed.budget_spent,
        held_out=climbed.held_out,
        checks=climbed.checks,
        observation=observation_json(climbed),
        exit_code=execution.exit_code if execution is not None else None,
        stdout_tail=storable(execution.stdout_tail) if execution is not None else "",
        stderr_tail=storable(execution.stderr_tail) if execution is not None else "",
        plots=plots_of(execution.results) if execution is not None else (),
        measured=measured,
    )
