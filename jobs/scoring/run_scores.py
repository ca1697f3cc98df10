"""Opened runs scored and compared, and what `dlcodegen score` writes of it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from jobs.runs.result_files import write_tables
from jobs.runs.versions import versions_of
from jobs.scoring.code_tables import CodeTables, SeedGroups, code_tables
from jobs.scoring.measuring import Measuring, measured_baselines
from jobs.scoring.pages import runs_page
from jobs.scoring.run_baselines import run_baselines
from jobs.scoring.run_outputs import Run
from jobs.scoring.settings import ScoreConfig
from pipeline.comparison.code_rows import CodeItem, CodeRow
from pipeline.comparison.comparisons import Comparison
from pipeline.comparison.execution_rows import ExecutionRow, ProjectOutcome, execution_rows, outcome_of
from pipeline.comparison.method_rows import MethodRow
from pipeline.comparison.statistics import BOOTSTRAP_RESAMPLES
from pipeline.measures.outputs import MethodName
from pipeline.pages.score_report import write_score_report
from pipeline.storage.files import join, write_manifest

_VERSIONED = ("dlcodegen-ray", "codebleu", "tree-sitter-python", "black", "numpy", "ray")


@dataclass(frozen=True, kw_only=True, slots=True)
class Scoring:
    """Scored runs, as they were written to `out`."""

    tables: CodeTables
    runs: tuple[Run, ...]
    against: str
    """The runs that the others are compared with, in words."""
    baseline_items: int
    """Items that the baselines answered."""
    seconds: float
    out: str


def score_opened_runs(
    runs: Sequence[Run], against: Sequence[Run], seed_groups: SeedGroups, config: ScoreConfig
) -> Scoring:
    """Scores opened runs and writes the folder. Needs an initialised Ray.

    The others are compared with `against`; with several of these, those of the same model or of none. `seed_groups`:
    methods that were run several times, and their runs.
    """
    start = time.monotonic()
    measured = {}
    for run in runs:
        measured[run.name] = _measuring(run, config).measured(run.name.method, run.outputs(), run.rows)
    baselines = run_baselines(against[0], config)
    if baselines is not None:
        measured |= measured_baselines(baselines, _measuring(against[0], config))
    rivals = {}
    for run in against:
        comparable = ("", run.name.model)
        rivals[run.name] = [name for name in measured if len(against) == 1 or name.model in comparable]
    tables = code_tables(measured, rivals, seed_groups=seed_groups)
    scoring = Scoring(
        tables=replace(tables, executions=tuple(execution_rows(_outcomes(runs)))),
        runs=tuple(runs),
        against=", ".join(dict.fromkeys(run.name.method for run in against)),
        baseline_items=len(baselines.items) if baselines is not None else 0,
        seconds=round(time.monotonic() - start, 1),
        out=config.out,
    )
    page = runs_page(scoring.tables, runs, scoring.against, config.report_items)
    write_score_report(page, join(config.out, "report.html"))
    _write_tables(scoring)
    _write_manifest(scoring, config)
    return scoring


def _measuring(run: Run, config: ScoreConfig) -> Measuring:
    return Measuring(
        folder=config.out, pool=run.pool, plans=run.plans, row_seconds=config.row_seconds, quiet=config.quiet
    )


def _outcomes(runs: Sequence[Run]) -> dict[MethodName, list[ProjectOutcome]]:
    """Of the runs whose projects were run, what became of each."""
    outcomes = {}
    for run in runs:
        if run.settings.get("execution", {}).get("enabled"):
            outcomes[run.name] = [outcome_of(record) for record in run.records()]
    return outcomes


def _write_tables(scoring: Scoring) -> None:
    tables = scoring.tables
    write_tables(
        scoring.out,
        {
            "methods": (tables.methods, MethodRow),
            "code": (tables.rows, CodeRow),
            "items": (tables.items, CodeItem),
            "comparisons": (tables.comparisons, Comparison),
            **({"execution": (tables.executions, ExecutionRow)} if tables.executions else {}),
        },
    )


def _write_manifest(scoring: Scoring, config: ScoreConfig) -> None:
    runs = {}
    for run in scoring.runs:
        runs[run.name.label] = {"folder": run.folder, "rows": run.rows, "settings": run.settings}
    manifest = {
        "runs": runs,
        "against": scoring.against,
        "settings": config.model_dump(mode="json"),
        "versions": versions_of(_VERSIONED),
        "baseline_items": scoring.baseline_items,
        "bootstrap_resamples": BOOTSTRAP_RESAMPLES,
        "seconds": scoring.seconds,
    }
    write_manifest(config.out, manifest)
