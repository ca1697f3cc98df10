"""The pieces of work of a DL-Bench job: in this process where there is little to do, else on Ray."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from jobs.cluster.dataflow import run_step
from jobs.cluster.progress import RowProgress
from jobs.cluster.ray_start import start_ray
from jobs.dlbench.settings import CertifyConfig


class Step(Protocol):
    """Does a piece, by its number, and gives the number of rows that it was."""

    def __call__(self, number: int) -> int: ...

    def close(self) -> None: ...


def work_on(
    pending: list[int], build: Callable[[], Step], config: CertifyConfig, *, command: str, unit: str, total: int
) -> None:
    """Does the pieces that are pending of so many in all. `build` makes a worker's step."""
    with RowProgress(command, total, total - len(pending), unit=unit, quiet=config.quiet) as progress:
        if not config.address and (len(pending) == 1 or config.workers == 1):
            # One worker needs no cluster: starting it would take longer.
            local = build()
            for number in pending:
                progress.advance(local(number), 0)
            local.close()
        elif pending:
            start_ray(config.address, config.workers, config.out)
            for done in run_step(build, pending, config.workers):
                progress.advance(done.rows, done.failed)
