"""Fine-tunes a GPT-2 to write solution plans, on Ray Train (paper, section IV.A).

    ray job submit --working-dir . -- python -m jobs.train_planner --data s3://bucket/plans.jsonl --out s3://bucket/planner

The same command goes on after a kill, from the last checkpoint. As a call: `main(TrainConfig(...))`.
"""

from __future__ import annotations

import os
import time

from jobs.training.report import TrainSummary, is_finished, summarized, write_report
from jobs.training.settings import TrainConfig
from jobs.training.staging import stage_run
from jobs.training.state import read_history
from jobs.training.workers import run_workers
from pipeline.errors import DLCodeGenError
from pipeline.storage.one_writer import one_writer


def main(config: TrainConfig) -> TrainSummary:
    """Trains, or goes on training, and writes the run's folder. Raises DLCodeGenError for settings or data that cannot
    work, for a folder of another run, and where training diverged."""
    start = time.monotonic()
    if "://" not in config.out:
        # Workers may run in another working directory.
        config = config.model_copy(update={"out": os.path.abspath(config.out)})
    with one_writer(config.out):
        return _train(config, start)


def _train(config: TrainConfig, start: float) -> TrainSummary:
    staged = stage_run(config)
    finished_before = is_finished(config.out)
    if not finished_before:
        run_workers(config, staged)
    history = read_history(config.out)
    if not history.best_epoch:
        raise DLCodeGenError(
            f"--out {config.out}: training {history.ended}, and no epoch gave a model worth keeping; lower "
            f"learning_rate (now {config.learning_rate}) or raise warm_up, and choose another folder"
        )
    seconds = round(time.monotonic() - start, 1)
    if not finished_before:
        write_report(config, staged, history, seconds)
    return summarized(config.out, staged, history, seconds)


if __name__ == "__main__":
    from jobs import run_command

    run_command("train-planner")
