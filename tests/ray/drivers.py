"""Jobs in a process of their own, which tests kill: their environment, and the workers under them."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress

import psutil

from tests.waiting import scaled

MAP_WORKER, TRAIN_WORKER = "MapWorker", "RayTrainWorker"
"""What the title of a worker of Ray Data, and of Ray Train, contains."""


def driver_environment() -> dict[str, str]:
    """This process' environment without its Ray, so that the job starts one of its own."""
    return {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}


def workers_of(pid: int, kind: str) -> list[psutil.Process]:
    """The workers of a kind under a process."""
    return [child for child in psutil.Process(pid).children(recursive=True) if _is_worker(child, kind)]


def kill_with_workers(process: subprocess.Popen[bytes], kind: str) -> None:
    """kill -9 of a driver; returns when its workers have noticed, and the rest of its Ray is gone."""
    started = psutil.Process(process.pid).children(recursive=True)
    workers = [child for child in started if _is_worker(child, kind)]
    process.kill()
    process.wait()
    _, alive = psutil.wait_procs(workers, timeout=scaled(60))
    assert not alive
    for child in started:  # Ray's own agents take longer to notice
        with suppress(psutil.NoSuchProcess):
            child.kill()


def _is_worker(process: psutil.Process, kind: str) -> bool:
    try:
        return kind in " ".join(process.cmdline())
    except psutil.Error:  # one that has just ended
        return False
