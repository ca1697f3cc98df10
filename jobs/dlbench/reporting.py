"""What a run came to: printed, as tables, and as a page."""

from __future__ import annotations

from dataclasses import dataclass

from jobs.dlbench.running import RunStore, tests_of
from jobs.dlbench.store import BenchStore
from jobs.runs.result_files import write_tables
from pipeline.comparison.statistics import Interval
from pipeline.dlbench.agreement.control import Contrast, contrasts
from pipeline.dlbench.cells import CellResult
from pipeline.dlbench.certifying import Certificate, funnel_of
from pipeline.dlbench.results import (
    TaskRun,
    choices,
    control_tasks,
    effects_of,
    original_runs,
    pass_shares,
    status_counts,
)
from pipeline.errors import DLCodeGenError
from pipeline.foreign_text import storable
from pipeline.pages.dlbench.report import write_dlbench_report
from pipeline.storage.files import join

AGREEMENT = "CodeT sqrt(|S|)|T|"
"""The way of choosing that the control experiment uses."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunSummary:
    """What is printed."""

    certificates: list[Certificate]
    tables: list[tuple[str, list[tuple[str, ...]]]]
    """Titles and rows, the first of which are headings."""
    notes: list[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class CandidateRow:
    """A candidate as a line of a table."""

    task: str
    operator: str
    sample: int
    status: str
    reason: str
    passed: int
    required: int
    generated_passed: int
    cpu_seconds: float


def write_report(out: str) -> RunSummary:
    """Writes report.html and the table of candidates. Raises DLCodeGenError where nothing was certified."""
    bench = BenchStore(out)
    certificates = bench.all_certificates()
    if not certificates:
        raise DLCodeGenError(
            f"{out}: no task is certified yet; run `dlcodegen dlbench certify TASKS --out {out}` first"
        )
    store = RunStore(bench)
    settings = store.settings()
    results = store.all_results() if settings else []
    runs = task_runs(store, certificates, results)
    shares, worths = pass_shares(runs), choices(runs)
    control = control_tasks(runs)
    found = contrasts(control, AGREEMENT) if control else []
    notes = _notes(settings, results, runs)
    write_dlbench_report(
        join(out, "report.html"),
        funnel=funnel_of(certificates),
        certificates=certificates,
        shares=shares,
        worths=worths,
        contrasts=found,
        effects=effects_of(runs),
        statuses=status_counts(runs),
        runs=original_runs(runs),
        settings=settings,
        notes=notes,
    )
    write_tables(out, {"candidates": ([_row(result) for result in results], CandidateRow)})
    tables: list[tuple[str, list[tuple[str, ...]]]] = []
    if shares:
        rows: list[tuple[str, ...]] = [("", "share", "95 % interval", "tasks")]
        rows += [
            (f"{one.group}: {one.value}", *_percent(one.interval), str(one.tasks))
            for one in shares
            if one.group in ("all", "stage", "data")
        ]
        tables.append(("original prompts, pass@1 by group", rows))
        rows = [("choice", "pass@1", "95 % interval")]
        tables.append(("choosing one candidate", rows + [(name, *_percent(one)) for name, one in worths.items()]))
    if found:
        tables.append(("control: as many calls, the same tests", _contrast_rows(found)))
    return RunSummary(certificates=certificates, tables=tables, notes=notes)


def task_runs(store: RunStore, certificates: list[Certificate], results: list[CellResult]) -> list[TaskRun]:
    """The certified tasks with what was drawn for them."""
    by_task: dict[str, list[CellResult]] = {}
    for result in results:
        if result.counts:
            by_task.setdefault(result.task, []).append(result)
    runs = []
    for number, (task, certificate) in enumerate(zip(store.bench.tasks(), certificates, strict=False)):
        answers = store.read_answers(number) if task.id in by_task else None
        if answers is None or not certificate.certified:
            continue
        tests, suites = tests_of(answers, task.function)
        runs.append(
            TaskRun(
                task=task,
                certificate=certificate,
                suites=tuple(suites),
                tests=tuple(test.assertion for test in tests),
                cells=tuple(by_task[task.id]),
            )
        )
    return runs


def _notes(settings: dict[str, object], results: list[CellResult], runs: list[TaskRun]) -> list[str]:
    notes = []
    if settings.get("model") == "replayed":
        notes.append("The answers are the tasks' own, replayed: an illustration, and no measurement of any model.")
    infra = sum(not result.counts for result in results)
    if infra:
        notes.append(f"{infra} candidates are in no share, the machinery failed them; the same command tries again.")
    repositories = {run.task.repository for run in runs}
    if len(repositories) == 1:
        notes.append("All tasks are of one repository, so intervals are over tasks.")
    return notes


def _percent(interval: Interval) -> tuple[str, str]:
    return f"{100 * interval.estimate:.1f} %", f"{100 * interval.low:.1f} to {100 * interval.high:.1f}"


def _contrast_rows(found: list[Contrast]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("effect of", "points", "95 % interval", "only with", "only without", "p (Holm)")]
    for one in found:
        interval = one.interval
        rows.append(
            (
                one.name,
                f"{100 * interval.estimate:+.1f}",
                f"{100 * interval.low:+.1f} to {100 * interval.high:+.1f}",
                str(one.mcnemar.first_only),
                str(one.mcnemar.second_only),
                f"{one.p_holm:.3f}",
            )
        )
    return rows


def _row(result: CellResult) -> CandidateRow:
    return CandidateRow(
        task=result.task,
        operator=result.operator,
        sample=result.sample,
        status=result.status,
        reason=storable(result.reason),
        passed=result.passed,
        required=result.required,
        generated_passed=len(result.generated_passed),
        cpu_seconds=result.cpu_seconds,
    )
