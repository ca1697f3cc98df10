"""Running the projects of a shard in a worker, which keeps its warm processes from shard to shard."""

from __future__ import annotations

from jobs.execution.settings import ExecuteConfig
from jobs.execution.store import ExecutionStore
from pipeline.execution.running.execute_stage import environment_sandboxes
from pipeline.execution.running.executing import ProjectExecutor


class ExecuteStep:
    """Runs one shard's projects, one after another. A worker makes one of it and keeps it."""

    def __init__(self, store: ExecutionStore, config: ExecuteConfig) -> None:
        self._store = store
        self._executor = ProjectExecutor(environment_sandboxes(config), config.limits(), config.data, runs=config.runs)

    def __call__(self, shard: int) -> int:
        executed = [self._executor.execute(project) for project in self._store.read_input(shard)]
        self._store.write_results(shard, executed)
        return len(executed)
