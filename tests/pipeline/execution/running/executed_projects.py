"""Executed projects as tests want them."""

from __future__ import annotations

from pipeline.execution.ladder import RUNGS, FirstException, Rung, RungOutcome, RuntimeCheck
from pipeline.execution.running.plots import Plot
from pipeline.execution.running.rows import ExecutedProject, FurtherRun, RungRow, RunMeasures


def executed_project(
    id: str = "x",
    *,
    came_to: Rung = Rung.KEEPS_PLAN,
    learns: RungOutcome = "reached",
    infra: str = "",
    stopped: str = "",
    error: FirstException | None = None,
    cpu_seconds: float = 20.0,
    memory_bytes: int = 10**9,
    stdout: str = "",
    stderr: str = "",
    plots: tuple[Plot, ...] = (),
    checks: tuple[RuntimeCheck, ...] = (),
    further_runs: tuple[FurtherRun, ...] = (),
    observation: str = "{}",
) -> ExecutedProject:
    """One that reaches all rungs up to one, fails the next and tries no other; `learns` where it comes so far."""
    last = RUNGS.index(came_to)
    rungs = []
    for place, rung in enumerate(RUNGS):
        outcome: RungOutcome = "reached" if place <= last else "failed" if place == last + 1 else "not_tried"
        if rung == Rung.LEARNS and outcome == "reached":
            outcome = learns
        if infra:
            outcome = "not_measurable"
        line = error.line if error is not None and outcome == "failed" else None
        rungs.append(RungRow(rung=rung.value, outcome=outcome, seen=f"{rung.value} {outcome}", file="", line=line))
    return ExecutedProject(
        id=id,
        row=0,
        source="",
        environment="keras3",
        reached="" if infra else came_to.value,
        rungs=tuple(rungs),
        first_exception=error,
        infra=infra,
        stopped=stopped,
        budget_spent=False,
        held_out=None,
        checks=checks,
        observation=observation,
        exit_code=0,
        stdout_tail=stdout,
        stderr_tail=stderr,
        further_runs=further_runs,
        plots=plots,
        measured=RunMeasures(
            start="warm", seconds=cpu_seconds, cpu_seconds=cpu_seconds, peak_memory_bytes=memory_bytes
        ),
    )
