"""Methods x models x temperatures x seeds as one job, and one table of what came out.

    ray job submit --working-dir . -- python -m jobs.experiment SPEC.yaml --out s3://bucket/experiment

Written to the folder: a run of `dlcodegen generate` for each combination under runs/, the table as table.csv and
table.parquet, what `dlcodegen score` says of the runs under scores/ (differences on the same items, baselines, leaks,
report.html), and manifest.json. The same command goes on after a kill, or with a higher budget after a stop: finished
shards are not done again, and the response cache answers what was asked before.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import groupby

from jobs.cluster.dataflow import start_ray
from jobs.experiments.runs import named_arms, ours_of, seeds_by_method
from jobs.experiments.spec import Arm, ExperimentConfig, arms_of
from jobs.experiments.table import ExperimentRow, table_rows, write_table
from jobs.generate import main as generate
from jobs.generation.budget import job_budget
from jobs.generation.method_stages import opened_model
from jobs.runs.store import RunStore
from jobs.runs.summary import RunSummary
from jobs.runs.versions import versions_of
from jobs.scoring.run_outputs import open_run
from jobs.scoring.run_scores import score_opened_runs
from jobs.scoring.settings import ScoreConfig
from pipeline.comparison.comparisons import Comparison
from pipeline.config import load_settings
from pipeline.llm.spending.budget import Budget, Spending
from pipeline.storage.files import join, write_bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Experiment:
    """What an experiment came to: its table, how its runs compare, the runs begun so far, and why it stopped early, if
    it did."""

    rows: tuple[ExperimentRow, ...]
    comparisons: tuple[Comparison, ...]
    runs: int
    runs_begun: int
    pending_rows: int
    stopped: str | None
    bugs: int
    seconds: float
    out: str


def main(spec: ExperimentConfig) -> Experiment:
    """Runs the experiment, one run after another, and writes its table. Raises DLCodeGenError for settings or input
    that cannot work, before anything is sent.

    One after another, since what several runs ask for is asked once only if one of them has the answer before the
    other asks.
    """
    start = time.monotonic()
    arms = arms_of(spec)
    start_ray(spec.address, spec.workers)
    done: list[tuple[Arm, RunSummary]] = []
    with ExitStack() as stack:
        budget = None
        if spec.budget.limited:
            budget = stack.enter_context(job_budget(spec.out, spec.budget, Spending()))
        for _, group in groupby(arms, key=lambda arm: arm.model):
            done += _run_model(list(group), budget, f"{{}} of {len(arms)}", len(done), quiet=spec.quiet)
            if done[-1][1].stopped:
                break
    rows, comparisons = _scored([arm for arm, _ in done], spec)
    write_table(spec.out, rows)
    experiment = Experiment(
        rows=rows,
        comparisons=comparisons,
        runs=len(arms),
        runs_begun=len(done),
        pending_rows=sum(summary.pending for _, summary in done),
        stopped=done[-1][1].stopped,
        bugs=sum(summary.bugs for _, summary in done),
        seconds=round(time.monotonic() - start, 1),
        out=spec.out,
    )
    _write_manifest(spec, experiment, [arm for arm, _ in done])
    return experiment


def _scored(arms: Sequence[Arm], spec: ExperimentConfig) -> tuple[tuple[ExperimentRow, ...], tuple[Comparison, ...]]:
    """The table and the differences of the runs that have a finished row."""
    names = named_arms(arms)
    runs = [run for name, arm in names.items() if (run := open_run(arm.config.run.out, name)).rows]
    if not runs:
        return (), ()
    names = {run.name: names[run.name] for run in runs}
    ours = ours_of(names)
    config = ScoreConfig(
        runs=tuple(run.folder for run in runs),
        out=join(spec.out, "scores"),
        baseline_items=spec.baseline_items,
        quiet=spec.quiet,
    )
    scoring = score_opened_runs(runs, [run for run in runs if run.name in ours], seeds_by_method(names), config)
    calls = {run.name: list(RunStore(run.folder).calls()) for run in runs}
    return table_rows(names, scoring.tables, calls), scoring.tables.comparisons


def _write_manifest(spec: ExperimentConfig, experiment: Experiment, arms: Sequence[Arm]) -> None:
    """Versions, the specification, and the runs with their folders, whose own manifests have the rest."""
    manifest = {
        "versions": versions_of(("dlcodegen-ray", "ray", "codebleu", "black")),
        "experiment": spec.model_dump(mode="json"),
        "runs": {arm.title: arm.config.run.out for arm in arms},
        "runs_planned": experiment.runs,
        "pending_rows": experiment.pending_rows,
        "stopped": experiment.stopped,
        "seconds": experiment.seconds,
    }
    write_bytes(join(spec.out, "manifest.json"), json.dumps(manifest, indent=2, default=str).encode() + b"\n")


def _run_model(
    arms: Sequence[Arm], budget: Budget | None, place: str, before: int, *, quiet: bool
) -> Iterator[tuple[Arm, RunSummary]]:
    """Runs of one model, which is made ready once, until the budget is spent."""
    with opened_model(arms[0].config) as backend:
        for number, arm in enumerate(arms, start=before + 1):
            if not quiet:
                print(f"run {place.format(number)}: {arm.title}", file=sys.stderr)
            summary = generate(arm.config, backend=backend, budget=budget)
            yield arm, summary
            if summary.stopped:
                return


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spec", help="YAML file of the experiment")
    parser.add_argument("--out")
    parser.add_argument("settings", nargs="*", metavar="key=value")
    arguments = parser.parse_args()
    given = {"out": arguments.out} if arguments.out else {}
    print(main(load_settings(ExperimentConfig, arguments.spec, arguments.settings, **given)))
