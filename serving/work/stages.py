"""The `Stages` deployment: the batch job's tuple of stages, unchanged, which yields the row after each of them."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from pipeline.records import Requirement
from pipeline.stage import Stage, added_fields, advance_async, check_chain, widen
from serving.together import together
from serving.work.stage_worker import StageWorker

_TOGETHER_SECONDS = 0.05
"""What comes within them costs Serve one message instead of many; nobody who looks on sees the difference."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Advanced:
    """What one stage has made of a row."""

    place: int
    """The stage's place in the tuple, from 0."""

    added: dict[str, Any]
    """The fields that it added or changed. The row itself travels once, not after each stage."""

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

    async def work(self, record: Requirement, begin: int = 0, end: int | None = None) -> AsyncIterator[list[Advanced]]:
        """What each stage from `begin` to before `end` (places in the tuple) makes of the row; those that follow each
        other fast come together. To stop asking ends the row."""
        rows = self._advanced(record, begin, len(self._stages) if end is None else end)
        async with aclosing(together(rows, _TOGETHER_SECONDS)) as lists:
            async for several in lists:
                yield several

    async def _advanced(self, record: Requirement, begin: int, end: int) -> AsyncGenerator[Advanced, None]:
        place = begin
        while place < end:
            if place in self._waiting:
                start = time.perf_counter()
                done = await advance_async(self._stages[place], self._waiting[place], record)
                seconds = time.perf_counter() - start
                yield Advanced(place=place, added=added_fields(record, done), seconds=seconds)
                record = done
                place += 1
                continue
            waits = min((other for other in self._waiting if other > place), default=end)
            async with aclosing(self._worker.advance(place, min(waits, end), record)) as answers:
                async for added, seconds, _ in answers:
                    yield Advanced(place=place, added=added, seconds=seconds)
                    record = widen(record, self._stages[place].returns, **added)
                    place += 1

    def close(self) -> None:
        """Ends the process. Serve forgets a replica without a word, and its process ends with it."""
        self._worker.close()
