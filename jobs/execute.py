"""Does it work? Projects run in pinned environments, each up a ladder from "parses" to "learns".

    ray job submit --working-dir . -- python -m jobs.execute s3://bucket/run --out s3://bucket/executed env=keras3

The same command goes on after a kill, without running a finished project again. As a call: `main(ExecuteConfig(...))`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from functools import partial

from jobs.cluster.dataflow import run_step
from jobs.cluster.progress import RowProgress
from jobs.cluster.ray_start import start_ray
from jobs.execution.environments import build_environments
from jobs.execution.results import Executions, write_executions
from jobs.execution.settings import ExecuteConfig
from jobs.execution.store import ExecutionStore, StagedProjects
from jobs.execution.work import ExecuteStep
from pipeline.environments.catalogue import environment_named
from pipeline.errors import DLCodeGenError
from pipeline.execution.funnel import funnel_of
from pipeline.storage.one_writer import one_writer

__all__ = ["ExecuteConfig", "Executions", "main"]


def main(config: ExecuteConfig) -> Executions:
    """Runs the projects and writes the folder. Raises DLCodeGenError for inputs that hold none, FaultError where no
    environment can be built or a sandbox cannot be had."""
    start = time.monotonic()
    if config.data and not os.path.exists(config.data):
        raise DLCodeGenError(f"data={config.data}: no such file or folder on this machine")
    with one_writer(config.out):
        store = ExecutionStore(config.out)
        staged = store.stage(config)
        pending = store.pending(staged)
        if pending:
            environments = [environment_named(name) for name in store.environments(pending)]
            build_environments(environments, quiet=config.quiet)
        pending_rows = sum(map(staged.rows_in, pending))
        working = time.monotonic()
        _work(config, store, staged, pending)
        executions = Executions(
            funnel=funnel_of(store.results()),
            rows_without_project=staged.rows_without_project,
            resumed=staged.rows - pending_rows,
            seconds=round(time.monotonic() - start, 1),
            projects_per_hour=round(3600 * pending_rows / max(time.monotonic() - working, 1e-6)),
            out=config.out,
        )
        write_executions(store, config, staged, executions)
    return executions


def _work(config: ExecuteConfig, store: ExecutionStore, staged: StagedProjects, pending: Sequence[int]) -> None:
    done_before = staged.rows - sum(map(staged.rows_in, pending))
    with RowProgress("execute", staged.rows, done_before, unit="projects", quiet=config.quiet) as progress:
        step = partial(ExecuteStep, store, config)
        if len(pending) == 1 and not config.address:
            # One project needs no workers: starting them would take longer.
            progress.advance(step()(pending[0]), 0)
        elif pending:
            start_ray(config.address, config.workers, config.out)
            for done in run_step(step, pending, config.workers):
                progress.advance(done.rows, done.failed)


if __name__ == "__main__":
    from jobs import run_command

    run_command("execute")
