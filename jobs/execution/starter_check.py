"""What the bundled samples and generated projects have to come to when they are run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

from rich.table import Table

from pipeline.execution.ladder import Rung
from pipeline.execution.running.rows import ExecutedProject

SAMPLE, MATRIX, GENERATED = "sample", "matrix", "generated"
"""Where a project comes from: the forty samples, those of the matrix, which have to learn too (docs/starter.md), or a
run of `dlcodegen generate`."""

_POOLS = {"starter40": SAMPLE, "keras": MATRIX, "torch": MATRIX}
"""The folders of `pipeline/starter/samples`."""

NEEDED_SHARE = {SAMPLE: 1.0, MATRIX: 1.0, GENERATED: 0.9}
"""Share of the projects of each source that must come to what is asked of them."""

_DONE = {SAMPLE: "ran", MATRIX: "ran and learned", GENERATED: "ran"}

MOST_CPU_SECONDS = 60.0
"""Processor time that a bundled sample may take on its synthetic data (docs/starter.md)."""

MOST_MEMORY_BYTES = 3 * 10**9
"""Memory of a bundled sample (docs/starter.md); what it shares with its warm process is not counted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckedProject:
    """A project that was run, and whether it came to what is asked of its source."""

    source: str
    """SAMPLE, MATRIX or GENERATED."""

    executed: ExecutedProject

    reason: str
    """Why it is not ok; "" for one that is."""

    @property
    def ok(self) -> bool:
        return not self.reason

    @property
    def learns(self) -> bool:
        return self.executed.outcome_of(Rung.LEARNS) == "reached"


def sample_folders() -> dict[str, str]:
    """The folders of the bundled samples, each with its source."""
    samples = resources.files("pipeline.starter") / "samples"
    return {str(samples / pool): source for pool, source in _POOLS.items()}


def checked(executed: ExecutedProject, source: str) -> CheckedProject:
    """The project beside what its source asks for."""
    return CheckedProject(source=source, executed=executed, reason=_reason(executed, source))


def _reason(executed: ExecutedProject, source: str) -> str:
    if executed.infra:
        return executed.infra
    if executed.outcome_of(Rung.FINISHES) != "reached":
        return executed.ended_of()
    if source == MATRIX and executed.outcome_of(Rung.LEARNS) != "reached":
        return f"does not learn: {executed.evidence_of(Rung.LEARNS).seen}"
    if source == GENERATED or executed.measured is None:
        return ""
    measured = executed.measured
    if measured.cpu_seconds > MOST_CPU_SECONDS:
        return f"took {measured.cpu_seconds:.0f} s of processor time, {MOST_CPU_SECONDS:.0f} are allowed"
    if measured.peak_memory_bytes > MOST_MEMORY_BYTES:
        return f"took {measured.peak_memory_bytes / 1e9:.1f} GB, {MOST_MEMORY_BYTES / 1e9:.0f} are allowed"
    return ""


def failed_sources(projects: Sequence[CheckedProject]) -> list[str]:
    """The sources of which fewer projects than NEEDED_SHARE are ok, in words."""
    failed = []
    for source, needed in NEEDED_SHARE.items():
        oks = [project.ok for project in projects if project.source == source]
        if sum(oks) < needed * len(oks):
            failed.append(f"{source}: {sum(oks)} of {len(oks)} {_DONE[source]}, needed are {needed:.0%}")
    return failed


def checked_table(projects: Sequence[CheckedProject]) -> Table:
    """A project a row."""
    table = Table("id", "source", "ok", "came to", "CPU s", "MB", "learns", "reason")
    for project in projects:
        executed = project.executed
        seconds = memory = "-"
        if executed.measured is not None:
            seconds = f"{executed.measured.cpu_seconds:.1f}"
            memory = f"{executed.measured.peak_memory_bytes / 1e6:.0f}"
        table.add_row(
            executed.id,
            project.source,
            "yes" if project.ok else "NO",
            executed.reached.replace("_", " "),
            seconds,
            memory,
            executed.evidence_of(Rung.LEARNS).seen,
            project.reason,
        )
    return table
