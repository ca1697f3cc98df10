"""A stage, and how a chain of stages runs: the same on one machine and on a Ray cluster.

A pipeline is a tuple of stages, read from top to bottom. `run_local` runs it in this process; `jobs.cluster.dataflow`
runs it on Ray Data; both go through `Chain`, so their rows are equal. A step that computes is a function; one that
waits (for a language model) is `async def`, and many rows are then under way in one process.
"""

from __future__ import annotations

import asyncio
import gc
import time
import traceback
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from inspect import isawaitable, iscoroutine, iscoroutinefunction
from itertools import pairwise
from typing import Any, TypeVar

from pipeline.errors import DLCodeGenError, StageFailure
from pipeline.foreign_text import storable
from pipeline.records import Failure, Requirement
from pipeline.time_limit import ROW_SECONDS, limited, time_limit

Fields = Mapping[str, object]

Step = Callable[[Any], Fields | Awaitable[Fields]]
"""What a stage does to one row: takes the row's record, gives the fields it adds, at once or (async) after a while.
Raises StageFailure."""

ROWS_IN_FLIGHT = 32
"""Rows that a worker of waiting stages has under way at once, unless settings say otherwise."""

_HELD = 4
"""Rows held for each one in flight: a slow row holds back those behind it in the output, and the others go on."""

_SETTLED_ROWS = 16
"""After so many rows, and whenever they have doubled, what a worker holds is set aside."""

_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """One step of the pipeline, and what it needs of a machine."""

    name: str
    """What failures and timings call it."""

    accepts: type[Requirement]
    """The record that its step takes: the one that the stage before returns, or a class that this one extends."""

    returns: type[Requirement]
    """The record with the fields that its step adds."""

    build: Callable[[], Step]
    """Makes the step, with its heavy objects, once per worker. Travels to the worker, so it is picklable."""

    num_cpus: float = 1
    """CPUs of a worker."""

    workers: int | None = None
    """How many workers, where that is not left to the job."""

    waits: bool = False
    """Whether the step is async: many rows are then under way in one worker."""

    elsewhere: bool = False
    """Whether its work happens in processes of their own, which bring no worker down: a row that kills or hangs is told
    by the step itself, and the worker waits as long as it takes."""

    row_seconds: float | None = ROW_SECONDS
    """Processor time that a row may take in it, waiting not counted; None for a step that bounds itself."""


def widen(record: Requirement, to: type[Requirement], **added: object) -> Requirement:
    """The record as `to`, a class that extends its own; what is not in `added` gets the defaults."""
    values: dict[str, Any] = {name: getattr(record, name) for name in record.__dataclass_fields__}
    return to(**(values | added))


def added_fields(before: Requirement, after: Requirement) -> dict[str, Any]:
    """What a stage has added or changed: `widen(before, type(after), **these)` is `after`."""
    nothing = object()
    added: dict[str, Any] = {}
    for name in after.__dataclass_fields__:
        value = getattr(after, name)
        if getattr(before, name, nothing) is not value:
            added[name] = value
    return added


def advance(stage: Stage, step: Step, record: Requirement) -> Requirement:
    """`advance_async` for a step that does not wait."""
    return _at_once(advance_async(stage, step, record))


async def advance_async(stage: Stage, step: Step, record: Requirement) -> Requirement:
    """The record after one stage. A row that has failed passes by; a row that fails here carries the reason.

    A DLCodeGenError, which no row would escape, is raised. Any other exception than StageFailure is a bug of ours: it
    costs its row (kind `bug`, with the place it came from), never the job; jobs report such rows apart.
    """
    if record.failure is not None:
        return widen(record, stage.returns)
    added: Mapping[str, object] = {}
    try:
        with time_limit(stage.row_seconds):
            outcome = step(record)
        fields: Fields
        if iscoroutine(outcome):
            fields = await limited(outcome, stage.row_seconds)
        else:
            fields = await outcome if isawaitable(outcome) else outcome
        return widen(record, stage.returns, **fields)
    except DLCodeGenError:
        raise
    except StageFailure as error:
        failure = Failure(stage=stage.name, kind=error.kind, message=storable(str(error)))
        added = error.added
    except Exception as error:
        failure = Failure(stage=stage.name, kind="bug", message=_bug_message(error))
    return widen(record, stage.returns, failure=failure, **added)


def _bug_message(error: Exception) -> str:
    """What went wrong, and the line of ours or of a library that raised it."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    message = f"{type(error).__name__}: {error} (in {frame.name}, line {frame.lineno} of {_module(frame.filename)})"
    return storable(message)


def _at_once(work: Coroutine[Any, Any, _T]) -> _T:
    """What a coroutine that never waits comes to, without an event loop."""
    try:
        work.send(None)
    except StopIteration as done:
        result: _T = done.value
        return result
    work.close()
    raise TypeError("a step of a stage without `waits` has waited; say Stage(waits=True)")


def _module(filename: str) -> str:
    """The file's last two path parts: enough to find it, and the same on every machine."""
    return "/".join(filename.split("/")[-2:])


def _set_aside() -> None:
    """Hides what is alive from the garbage collector: tables, samples and parsed notebooks stay as long as their
    worker, and looking at each of them again every few rows took a fifth of the time of `generate`."""
    gc.collect()
    gc.freeze()


def check_chain(stages: Sequence[Stage]) -> None:
    """Raises TypeError unless each stage accepts what the one before returns."""
    for before, after in pairwise(stages):
        if not issubclass(before.returns, after.accepts):
            raise TypeError(
                f"stage {after.name!r} accepts {after.accepts.__name__}, but {before.name!r} before it returns "
                f"{before.returns.__name__}"
            )
    for stage in stages:
        if not issubclass(stage.returns, stage.accepts):
            raise TypeError(f"stage {stage.name!r} must return its own record class or one that extends it")


class Chain:
    """Stages with their steps built: what one worker holds. Its rows may be under way together if a stage `waits`."""

    def __init__(self, stages: Sequence[Stage]) -> None:
        check_chain(stages)
        self.name = " to ".join(dict.fromkeys((stages[0].name, stages[-1].name)))
        self.returns = stages[-1].returns
        self.waits = any(stage.waits for stage in stages)
        self.elsewhere = all(stage.elsewhere for stage in stages)
        limits = [stage.row_seconds for stage in stages if stage.row_seconds is not None]
        self.row_seconds = max(limits) if len(limits) == len(stages) else None
        self._steps = [(stage, stage.build()) for stage in stages]
        for stage, step in self._steps:
            if iscoroutinefunction(step) and not stage.waits:
                raise TypeError(f"stage {stage.name!r} has an async step; say Stage(waits=True)")
        self._runner = asyncio.Runner()  # one event loop for all rows: clients keep their connections
        self._finished = 0

    def __call__(self, record: Requirement) -> tuple[Requirement, dict[str, float]]:
        """`finish` for a chain that does not wait."""
        return _at_once(self.finish(record))

    async def finish(self, record: Requirement) -> tuple[Requirement, dict[str, float]]:
        """The finished record, and the seconds each stage took."""
        seconds = {}
        for stage, step in self._steps:
            start = time.perf_counter()
            record = await advance_async(stage, step, record)
            seconds[stage.name] = time.perf_counter() - start
        self._finished += 1
        if self._finished >= _SETTLED_ROWS and self._finished.bit_count() == 1:
            _set_aside()
        return record, seconds

    def run(
        self, records: Iterable[Requirement], rows_in_flight: int = ROWS_IN_FLIGHT
    ) -> Iterator[tuple[Requirement, dict[str, float]]]:
        """`finish` for each record, in order; where stages wait, with up to `rows_in_flight` rows under way.

        When a row raises (DLCodeGenError: no other would fare better), rows that are under way come to their end first.
        """
        if not self.waits:
            yield from map(self, records)
            return
        loop = self._runner.get_loop()
        # Rows behind a slow one go on, so more tasks are made than the gate admits: those that are finished wait in
        # `held` for their turn in the output, and hold no place in flight.
        gate = asyncio.Semaphore(rows_in_flight)

        async def admitted(record: Requirement) -> tuple[Requirement, dict[str, float]]:
            async with gate:
                return await self.finish(record)

        held: deque[asyncio.Task[tuple[Requirement, dict[str, float]]]] = deque()
        try:
            for record in records:
                held.append(loop.create_task(admitted(record)))
                if len(held) == _HELD * rows_in_flight:
                    yield loop.run_until_complete(held.popleft())
            while held:
                yield loop.run_until_complete(held.popleft())
        except DLCodeGenError:
            # What these rows have asked for is paid for: the response cache shall get it.
            loop.run_until_complete(asyncio.gather(*held, return_exceptions=True))
            raise
        finally:
            for task in held:
                task.cancel()

    def close(self) -> None:
        """Ends the event loop, and what is still under way in it."""
        self._runner.close()


def run_local(
    stages: Sequence[Stage], records: Iterable[Requirement], rows_in_flight: int = ROWS_IN_FLIGHT
) -> Iterator[Requirement]:
    """The records after all stages, one by one and in order, in this process."""
    chain = Chain(stages)
    try:
        for record, _ in chain.run(records, rows_in_flight):
            yield record
    finally:
        chain.close()
