"""Methods x models x temperatures x seeds as one job, and one table of what came out.

    ray job submit --working-dir . -- python -m jobs.experiment SPEC.yaml --out s3://bucket/experiment

Written to the folder: a run of `dlcodegen generate` for each combination under runs/, the table as table.csv and
table.parquet, what `dlcodegen score` says of the runs under scores/ (differences on the same items, baselines, leaks,
report.html), and manifest.json. The same command goes on after a kill, or with a higher budget after a stop: finished
shards are not done again, and the response cache answers what was asked before.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from jobs.cluster.ray_start import start_ray
from jobs.experiments.results import Experiment, score_arms, write_experiment
from jobs.experiments.running import run_arms
from jobs.experiments.spec import Arm, ExperimentConfig, arms_of
from jobs.runs.summary import RunSummary
from pipeline.storage.one_writer import one_writer


def main(spec: ExperimentConfig) -> Experiment:
    """Runs the experiment, one run after another, and writes its table. Raises DLCodeGenError for settings or input
    that cannot work, before anything is sent.

    One after another, since what several runs ask for is asked once only if one of them has the answer before the
    other asks.
    """
    start = time.monotonic()
    arms = arms_of(spec)
    with one_writer(spec.out):
        return _run(arms, spec, start)


def _run(arms: Sequence[Arm], spec: ExperimentConfig, start: float) -> Experiment:
    start_ray(spec.address, spec.workers, spec.out)
    done = run_arms(arms, spec)
    begun = [arm for arm, _ in done]
    rows, comparisons = score_arms(begun, spec)
    experiment = Experiment(
        rows=rows,
        comparisons=comparisons,
        runs=len(arms),
        runs_begun=len(done),
        pending_rows=sum(summary.pending for _, summary in done),
        stopped=done[-1][1].stopped,
        bugs=sum(summary.bugs for _, summary in done),
        first_failure=_why_nothing([summary for _, summary in done]),
        seconds=round(time.monotonic() - start, 1),
        out=spec.out,
    )
    write_experiment(experiment, spec, begun)
    return experiment


def _why_nothing(summaries: Sequence[RunSummary]) -> str:
    """Why the first failed row of all has no project, where no row of any run has one; else ""."""
    if any(summary.generated for summary in summaries):
        return ""
    return next((summary.first_failure for summary in summaries if summary.first_failure), "")


if __name__ == "__main__":
    from jobs import run_command

    run_command("experiment")
