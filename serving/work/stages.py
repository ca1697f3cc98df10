"""The `Stages` deployment: the batch job's tuple of stages, unchanged, which yields the row after each of them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from pipeline.records import Requirement
from pipeline.stage import Stage, advance_async, check_chain
from serving.work.stage_worker import StageWorker


@dataclass(frozen=True, kw_only=True, slots=True)
class Advanced:
    """A row after one stage."""

    place: int
    """The stage's place in the tuple, from 0."""

    record: Requirement
    """What it returned."""

    seconds: float
    """What it took."""


class StagesServer:
    """Stages that compute run in a process of this replica's own, those that wait for a model in its event loop; so
    does a batch job divide them. Plain: it can be made and called without Serve."""

    def __init__(self, stages: Sequence[Stage]) -> None:
        check_chain(stages)
        self._stages = tuple(stages)
        self._waiting = {place: stage.build() for place, stage in enumerate(stages) if stage.waits}
        self._worker = StageWorker(self._stages)

    async def work(self, record: Requirement, begin: int = 0, end: int | None = None) -> AsyncIterator[Advanced]:
        """The row after each stage from `begin` to before `end` (places in the tuple). To stop asking ends the row."""
        for place in range(begin, len(self._stages) if end is None else end):
            if place in self._waiting:
                start = time.perf_counter()
                record = await advance_async(self._stages[place], self._waiting[place], record)
                seconds = time.perf_counter() - start
            else:
                record, seconds = await self._worker.advance(place, record)
            yield Advanced(place=place, record=record, seconds=seconds)

    def close(self) -> None:
        """Ends the process. Serve forgets a replica without a word, and its process ends with it."""
        self._worker.close()
