"""The HTML report of `dlcodegen dlbench`: which tasks count, what candidates reached, and what choosing is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.comparison.statistics import Interval
from pipeline.dlbench.agreement.choosing import CHOICES, ORACLE, all_worths
from pipeline.dlbench.agreement.control import Contrast, Effect
from pipeline.dlbench.certifying import Certificate, FunnelStep
from pipeline.dlbench.mutation.operators import ORIGINAL
from pipeline.dlbench.results import ANCHORS, Share, TaskRun
from pipeline.pages.report_page import Target, setting_rows, write_page
from pipeline.pages.report_text import clip, clip_lines

_ROWS, _COLUMNS = 60, 60
"""Candidates and tests that a task's matrix shows at most."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sanity:
    """What holds of certified tasks if running and tests are sound."""

    references: int
    tasks: int
    stubs: int
    stubs_passing: int
    mutants: int
    killed: int


def sanity_of(certificates: Sequence[Certificate]) -> Sanity:
    """Over the certified tasks."""
    certified = [one for one in certificates if one.certified]
    statuses = [status for one in certified for _, status in one.stubs]
    return Sanity(
        references=sum(bool(one.required) for one in certified),
        tasks=len(certified),
        stubs=len(statuses),
        stubs_passing=statuses.count("pass"),
        mutants=sum(one.mutants for one in certified),
        killed=sum(one.killed for one in certified),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class HeatRow:
    """One candidate in a task's matrix."""

    name: str
    status: str
    passes: tuple[bool, ...]
    cpu_ratio: float | None
    """Its processor time against the reference's, of one that passes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskView:
    """A task as the page shows it."""

    run: TaskRun
    rows: tuple[HeatRow, ...]
    worths: Mapping[str, float]
    best: str
    """The definition of a candidate that passes, or of the first."""

    @property
    def correct(self) -> int:
        return sum(cell.correct for cell in self.run.of(ORIGINAL))

    @property
    def samples(self) -> int:
        return len(self.run.of(ORIGINAL))


def task_view(run: TaskRun) -> TaskView:
    """The view of a task with at least one candidate of its original prompt."""
    original = run.of(ORIGINAL)
    drawn = run.drawn(original)
    shown = next((cell for cell in run.cells if cell.correct), run.cells[0])
    rows = []
    for cell in run.cells[:_ROWS]:
        passed = set(cell.generated_passed)
        reference = run.certificate.reference_cpu_seconds
        rows.append(
            HeatRow(
                name=f"{cell.operator} {cell.sample + 1}",
                status=cell.status,
                passes=tuple(test in passed for test in range(min(len(run.tests), _COLUMNS))),
                cpu_ratio=cell.cpu_seconds / reference if cell.correct and reference else None,
            )
        )
    worths = all_worths(drawn.matrix, drawn.correct)
    return TaskView(run=run, rows=tuple(rows), worths=worths, best=clip_lines(shown.definition))


def write_dlbench_report(
    out: Target,
    *,
    funnel: Sequence[FunnelStep],
    certificates: Sequence[Certificate],
    shares: Sequence[Share],
    worths: Mapping[str, Interval],
    contrasts: Sequence[Contrast],
    effects: Sequence[Effect],
    statuses: Mapping[str, int],
    runs: Sequence[TaskRun],
    settings: Mapping[str, object],
    notes: Sequence[str],
) -> None:
    """Writes the page. All of it is there without a script."""
    widest = max([0.01, *(max(abs(one.interval.low), abs(one.interval.high)) for one in contrasts)])
    write_page(
        out,
        "dlbench/report.html.jinja",
        title="Function-level tasks",
        data=(),
        styles=("report.css", "score_report.css", "dlbench/dlbench.css"),
        script="elements.js",
        funnel=funnel,
        sanity=sanity_of(certificates),
        shares=shares,
        worths=worths,
        choices=[*CHOICES, ORACLE],
        contrasts=contrasts,
        widest=widest,
        effects=effects,
        statuses=statuses,
        tasks=[task_view(run) for run in runs],
        anchors=ANCHORS,
        notes=notes,
        settings=[(name, clip(value, 300)) for name, value in setting_rows(settings)],
    )
