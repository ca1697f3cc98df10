"""The driver's side of training: worker processes on the cluster, replaced when they die, and their progress shown."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ray
from ray.train import FailureConfig, RunConfig, ScalingConfig, TrainingFailedError
from ray.train.torch import TorchTrainer

from jobs.cluster.progress import RowProgress
from jobs.cluster.ray_start import start_ray
from jobs.cluster.waiting import wait_for_resources
from jobs.training.settings import TrainConfig
from jobs.training.staging import StagedRun
from jobs.training.state import PROGRESS
from pipeline.errors import DLCodeGenError
from pipeline.storage.files import exists, join, read_bytes

_PROGRESS_SECONDS = 2.0
"""Between two looks at the run's folder; the first worker reports as often (jobs.training.loop)."""


def run_workers(config: TrainConfig, staged: StagedRun) -> None:
    """Trains to the end, from the run's last checkpoint if there is one.

    Raises DLCodeGenError where the workers died more than `max_failures` times, and where this machine has no room for
    so many.
    """
    elastic = start_ray(config.address, None, config.out)
    on_gpu = config.device == "gpu" or (config.device == "auto" and ray.cluster_resources().get("GPU", 0) > 0)
    threads = config.cpus_per_worker or _cpus_per_worker(config.workers)
    resources = {"CPU": threads}
    if on_gpu:
        resources["GPU"] = 1
    wait_for_resources([resources] * config.workers, elastic=elastic)
    # Checkpoints are this project's own (jobs.training.state), so Ray Train has nothing to store but its bookkeeping.
    trainer = TorchTrainer(
        _train_worker,
        train_loop_config={"config": config.model_dump(mode="json"), "pad": staged.pad, "threads": threads},
        scaling_config=ScalingConfig(num_workers=config.workers, use_gpu=on_gpu, resources_per_worker=resources),
        run_config=RunConfig(
            # A name of its own for each call: Ray Train would go on with its own state of an earlier one.
            name=f"train-{int(time.time())}",
            storage_path=join(config.out, "ray"),
            failure_config=FailureConfig(max_failures=config.max_failures),
        ),
    )
    try:
        with _progress(config, staged.train["rows"]):
            trainer.fit()
    except TrainingFailedError as error:
        reason = str(error).strip().split("\n")[-1]
        raise DLCodeGenError(
            f"training failed, {config.max_failures + 1} times in a row: {reason}. Ray's logs tell more; the same "
            "command goes on from the last checkpoint"
        ) from error


def _train_worker(values: dict[str, Any]) -> None:
    from jobs.training.loop import train_worker  # in the worker: the driver needs no transformers

    train_worker(values)


def _cpus_per_worker(workers: int) -> int:
    """The CPUs of the cluster's smallest machine, divided among the workers that share it."""
    machines = [int(node["Resources"].get("CPU", 0)) for node in ray.nodes() if node["Alive"]]
    cpus = [number for number in machines if number]
    if not cpus:
        return 1
    workers_per_machine = max(1, -(-workers // len(cpus)))  # rounded up
    return max(1, min(cpus) // workers_per_machine)


@contextmanager
def _progress(config: TrainConfig, rows: int) -> Iterator[None]:
    """Shows the rows done, which the first worker leaves in the run's folder, while the block runs."""
    over = threading.Event()

    def watch() -> None:
        shown = _rows_done(config.out)
        with RowProgress("train", rows * config.epochs, shown, quiet=config.quiet) as progress:
            while not over.wait(_PROGRESS_SECONDS):
                done = _rows_done(config.out)
                if done > shown:
                    progress.advance(done - shown, 0)
                    shown = done

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _rows_done(out: str) -> int:
    """Rows that the first worker has reported, those of earlier calls included."""
    url = join(out, PROGRESS)
    if not exists(url):
        return 0
    return int(json.loads(read_bytes(url))["rows"])
