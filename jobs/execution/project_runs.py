"""Running projects in a sandbox, several at a time, and how each run ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from jobs.execution.projects import GENERATED, MATRIX, SAMPLE, Project
from pipeline.errors import StageFailure
from pipeline.execution.held_out import HeldOut, held_out_of
from pipeline.records import SCRIPT
from pipeline.sandbox.sandbox import Execution, Limits, Sandbox

NEEDED_SHARE = {SAMPLE: 1.0, MATRIX: 1.0, GENERATED: 0.9}
"""Share of the projects of each source that must run to the end, and of the matrix beat their baseline too."""


_DONE = {SAMPLE: "ran", MATRIX: "ran and learned", GENERATED: "ran"}


@dataclass(frozen=True, kw_only=True, slots=True)
class ProjectRun:
    """How a project's run ended."""

    id: str
    source: str
    ok: bool
    seconds: float
    peak_memory_mb: int
    reason: str
    """Why it is not ok; empty for one that is."""
    digest: str

    held_out: HeldOut | None = None
    """What it printed of its model on held-out data, beside the baseline; None where it printed no such line."""

    @property
    def learns(self) -> bool:
        """Whether its model is better than the baseline."""
        return self.held_out is not None and self.held_out.beats_baseline


def run_projects(sandbox: Sandbox, projects: Sequence[Project], limits: Limits, workers: int) -> Iterator[ProjectRun]:
    """Runs the projects, `workers` at a time, and gives each one's run as it ends."""

    def run(project: Project) -> ProjectRun:
        try:
            execution = sandbox.run(project.files, SCRIPT, limits)
        except StageFailure as failure:
            execution = Execution(exit_code=1, stderr_tail=f"{failure.kind}: {failure}")
        held_out = held_out_of(execution.stdout_tail)
        reason = execution.reason()
        if execution.ok and project.source == MATRIX:
            reason = _why_not_learning(held_out)
        return ProjectRun(
            id=project.id,
            source=project.source,
            ok=execution.ok and not reason,
            seconds=round(execution.seconds, 1),
            peak_memory_mb=execution.peak_memory_bytes // 10**6,
            reason=reason,
            digest=project.digest(),
            held_out=held_out,
        )

    with ThreadPoolExecutor(workers) as pool:
        for future in as_completed([pool.submit(run, project) for project in projects]):
            yield future.result()


def _why_not_learning(held_out: HeldOut | None) -> str:
    """Why a sample of the matrix is not done though it ran; empty where it learns."""
    if held_out is None:
        return "prints no line `held-out METRIC: x (baseline, WHAT: y)`"
    return "" if held_out.beats_baseline else "is no better than its baseline"


def failed_sources(runs: Sequence[ProjectRun]) -> list[str]:
    """The sources of which fewer projects than NEEDED_SHARE ran, in words."""
    failed = []
    for source, needed in NEEDED_SHARE.items():
        oks = [run.ok for run in runs if run.source == source]
        if sum(oks) < needed * len(oks):
            failed.append(f"{source}: {sum(oks)} of {len(oks)} {_DONE[source]}, needed are {needed:.0%}")
    return failed
