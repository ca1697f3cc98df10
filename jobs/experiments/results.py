"""What an experiment came to: its runs scored together, its table, its manifest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jobs.experiments.runs import compared_with, named_arms, seeds_by_method
from jobs.experiments.spec import Arm, ExperimentConfig
from jobs.experiments.table import ExperimentRow, table_rows, write_table
from jobs.runs.store import RunStore
from jobs.runs.versions import versions_of
from jobs.scoring.run_outputs import Run, open_run
from jobs.scoring.run_scores import score_opened_runs
from jobs.scoring.settings import ScoreConfig
from pipeline.comparison.comparisons import Comparison
from pipeline.measures.outputs import MethodName
from pipeline.storage.files import join, write_manifest


@dataclass(frozen=True, kw_only=True, slots=True)
class Experiment:
    """What an experiment came to."""

    rows: tuple[ExperimentRow, ...]
    """Its table."""
    comparisons: tuple[Comparison, ...]
    """How its runs differ on the same items."""
    runs: int
    runs_begun: int
    pending_rows: int
    """Rows of the runs begun that are not done."""
    stopped: str | None
    """Why it stopped early, if it did."""
    bugs: int
    """Rows that met a bug of ours."""
    first_failure: str
    """Why the first failed row has no project, where no run has any; else ""."""
    seconds: float
    out: str


def score_arms(arms: Sequence[Arm], spec: ExperimentConfig) -> tuple[tuple[ExperimentRow, ...], tuple[Comparison, ...]]:
    """The table and the differences of the runs that have a finished row."""
    names: dict[MethodName, Arm] = {}
    runs: list[Run] = []
    for name, arm in named_arms(arms).items():
        run = open_run(arm.config.run.out, name)
        if run.rows:
            names[name] = arm
            runs.append(run)
    if not runs:
        return (), ()
    compared = compared_with(names)
    against = [run for run in runs if run.name in compared]
    config = ScoreConfig(
        runs=tuple([run.folder for run in runs]),
        out=join(spec.out, "scores"),
        baseline_items=spec.baseline_items,
        quiet=spec.quiet,
    )
    scoring = score_opened_runs(runs, against, seeds_by_method(names), config)
    calls = {run.name: list(RunStore(run.folder).calls()) for run in runs}
    return table_rows(names, scoring.tables, calls), scoring.tables.comparisons


def write_experiment(experiment: Experiment, spec: ExperimentConfig, arms: Sequence[Arm]) -> None:
    """Writes the table, and the manifest: versions, the specification, and the runs with their folders.

    The runs' own manifests have the rest.
    """
    write_table(spec.out, experiment.rows)
    manifest = {
        "versions": versions_of(("dlcodegen-ray", "ray", "codebleu", "black")),
        "experiment": spec.model_dump(mode="json"),
        "runs": {arm.title: arm.config.run.out for arm in arms},
        "runs_planned": experiment.runs,
        "pending_rows": experiment.pending_rows,
        "stopped": experiment.stopped,
        "seconds": experiment.seconds,
    }
    write_manifest(spec.out, manifest)
