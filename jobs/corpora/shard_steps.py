"""Steps over the shards of a corpus: in this process or on Ray's workers, with progress and the seconds they took."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from corpus_build.store import CorpusStore
from jobs.cluster.dataflow import run_step
from jobs.cluster.progress import RowProgress
from jobs.cluster.ray_start import start_ray
from jobs.corpora.settings import CorpusConfig

FEW_SHARDS = 1
"""A corpus of so many shards is built in this process: starting workers would take longer."""

ShardStep = Callable[[int], int]
"""Does one shard; returns how many rows it was."""


class StepSeconds:
    """Seconds by step, of this call."""

    def __init__(self) -> None:
        self.by_step: dict[str, float] = {}

    @contextmanager
    def measure(self, step: str) -> Iterator[None]:
        """Adds the seconds that the block takes."""
        start = time.monotonic()
        yield
        self.by_step[step] = round(self.by_step.get(step, 0.0) + time.monotonic() - start, 3)


class ShardRunner:
    """Runs steps over the shards that have no file of them yet, so a build that was killed goes on where it was."""

    def __init__(self, config: CorpusConfig, store: CorpusStore, shards: int, seconds: StepSeconds) -> None:
        self._config, self._store, self._seconds = config, store, seconds
        self._shards = shards

    def run(
        self,
        step: str,
        build: Callable[[], ShardStep],
        *,
        folder: str = "",
        extension: str = "parquet",
        parts: int | None = None,
        unit: str = "shards",
    ) -> None:
        """Runs a step, which `build` makes once per worker.

        Its files lie in `folder` (by default of the step's name). `parts` is how many it writes where that is not one a
        shard, `unit` what they are called.
        """
        total = self._shards if parts is None else parts
        pending = self._store.pending(folder or step, total, extension)
        progress = RowProgress(f"corpus {step}", total, done=total - len(pending), unit=unit, quiet=self._config.quiet)
        with self._seconds.measure(step), progress:
            for _ in self._run_pending(build, pending):
                progress.advance(1, 0)

    def _run_pending(self, build: Callable[[], ShardStep], pending: list[int]) -> Iterator[int]:
        """Yields each part when it is done."""
        config = self._config
        if len(pending) > 1 and self._shards > FEW_SHARDS and not config.local:
            start_ray(config.address, config.workers, config.out)
            for done in run_step(build, pending, config.workers):
                yield done.shard
        elif pending:
            shard_step = build()
            for part in pending:
                shard_step(part)
                yield part
