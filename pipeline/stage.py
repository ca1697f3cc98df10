"""A stage, and how a chain of stages runs: the same on one machine and on a Ray cluster.

A pipeline is a tuple of stages, read from top to bottom. `run_local` runs it in this process; `jobs.dataflow` runs it
on Ray Data; both call `advance` for every row and stage, so their rows are equal.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from pipeline.errors import StageFailure
from pipeline.records import Failure, Requirement

Step = Callable[[Any], Mapping[str, object]]
"""What a stage does to one row: takes the row's record, gives the fields it adds. Raises StageFailure."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """One step of the pipeline. `build` makes the step, with its heavy objects, once per worker."""

    name: str
    accepts: type[Requirement]
    returns: type[Requirement]
    build: Callable[[], Step]
    num_cpus: float = 1
    workers: int | None = None


def widen(record: Requirement, to: type[Requirement], **added: object) -> Requirement:
    """The record as `to`, a class that extends its own; what is not in `added` gets the defaults."""
    values: dict[str, Any] = {name: getattr(record, name) for name in record.__dataclass_fields__}
    return to(**(values | added))


def advance(stage: Stage, step: Step, record: Requirement) -> Requirement:
    """The record after one stage. A row that has failed passes by; a row that fails here carries the reason.

    An exception other than StageFailure is a bug of ours. It costs its row (kind `bug`, with the place it came from),
    never the job; jobs report such rows apart.
    """
    if record.failure is not None:
        return widen(record, stage.returns)
    try:
        return widen(record, stage.returns, **step(record))
    except StageFailure as error:
        failure = Failure(stage=stage.name, kind=error.kind, message=str(error))
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        message = f"{type(error).__name__}: {error} (in {place.name}, line {place.lineno} of {_module(place.filename)})"
        message = message.encode("utf-8", "replace").decode()
        failure = Failure(stage=stage.name, kind="bug", message=message)
    return widen(record, stage.returns, failure=failure)


def _module(filename: str) -> str:
    """The file's last two path parts: enough to find it, and the same on every machine."""
    return "/".join(filename.split("/")[-2:])


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
    """Stages with their steps built: what one worker holds."""

    def __init__(self, stages: Sequence[Stage]) -> None:
        check_chain(stages)
        self.name = " to ".join(dict.fromkeys((stages[0].name, stages[-1].name)))
        self.returns = stages[-1].returns
        self._steps = [(stage, stage.build()) for stage in stages]

    def __call__(self, record: Requirement) -> tuple[Requirement, dict[str, float]]:
        """The finished record, and the seconds each stage took."""
        seconds = {}
        for stage, step in self._steps:
            start = time.perf_counter()
            record = advance(stage, step, record)
            seconds[stage.name] = time.perf_counter() - start
        return record, seconds


def run_local(stages: Sequence[Stage], records: Iterable[Requirement]) -> Iterator[Requirement]:
    """The records after all stages, one by one and in order, in this process."""
    chain = Chain(stages)
    for record in records:
        yield chain(record)[0]
