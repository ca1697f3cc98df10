"""Runs scored and compared: every code metric, the baselines that need no model, leaks, and what is noise.

    python -m jobs.score_runs out/direct out/ours --out out/scores

The same command goes on after a kill. Written to the folder, the tables each as CSV and Parquet:

    methods      a method a row: denominators, failures, what the code says, copying
    code         a method under a protocol, over all items and over the clean ones, a row
    items        a pair of candidate and reference a row       comparisons   a measure of two methods a row
    report.html  one self-contained page                       manifest.json
"""

from __future__ import annotations

from jobs.cluster.ray_start import start_ray
from jobs.scoring.run_outputs import group_seeds, open_runs, run_named
from jobs.scoring.run_scores import Scoring, score_opened_runs
from jobs.scoring.settings import ScoreConfig
from pipeline.storage.one_writer import one_writer

__all__ = ["ScoreConfig", "Scoring", "main"]


def main(config: ScoreConfig) -> Scoring:
    """Scores the runs and writes the folder. Raises DLCodeGenError for what is no run."""
    runs = open_runs([run.rstrip("/") for run in config.runs])
    against = run_named(runs, config.against)
    with one_writer(config.out):
        start_ray(config.address, config.workers, config.out)
        return score_opened_runs(runs, [against], group_seeds(runs), config)


if __name__ == "__main__":
    from jobs import run_command

    run_command("score", "runs")
