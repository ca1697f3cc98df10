"""A pure function over many items as Ray tasks: resumable, bounded in time, and no item ends the run.

Items go to workers in shards. A finished shard is a Parquet file whose name is the digest of what it was made from, so
the same command after a kill, or the same texts in another run, find it there. A shard whose worker dies or takes too
long is done again item by item, each in a child of its own; what fails there becomes a result that says so. Where even
the child's parent dies (memory is short, and the system kills it), the item fails too, and is measured anew next time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import ray
from ray.exceptions import RayError

from jobs.cluster.progress import RowProgress
from pipeline.errors import FaultError, StageFailure
from pipeline.sandbox.child_process import in_child
from pipeline.storage.files import exists, join, remove_temporary
from pipeline.storage.parquet import read_records, write_records
from pipeline.storage.shard_folder import RowsDigest, in_shards
from pipeline.time_limit import ROW_SECONDS, be_replaceable, fatal_limit, time_limit

ITEM_SHARDS_VERSION = 1
"""The layout of a shard's file. Raise it when results are laid into files otherwise, whatever their record; where
`work` gives other values, or the record changes, raise `Measurement.version` instead: then all is measured anew."""

SHARD = 16
"""Items that a worker takes at once, by default."""

SPARE_SECONDS = 5.0
"""A shard may take, by the clock, as long as an item may, and so much more for each of its items."""

_NAME_DIGITS = 32
"""Hexadecimal digits of a shard's digest that are its file's name: 128 bits, so that no two shards share one."""

I = TypeVar("I")  # noqa: E741 - an item
R = TypeVar("R")


@dataclass(frozen=True, kw_only=True, slots=True)
class Measurement(Generic[I, R]):
    """What is done with the items. The functions are those of a module, so that workers find them."""

    label: str
    """What the progress calls it."""

    work: Callable[[Sequence[I]], list[R]]
    """Gives a result for each item of a list."""

    failed: Callable[[I, str, str], R]
    """Gives the result of an item whose process died or hung, from the kind of failure and a message; raises FaultError
    where nothing can be made of the others without it."""

    record: type[R]
    """The class of the results."""

    version: str = "1"
    """Changes when `work` gives other results: what was measured by another version is measured anew."""

    item_seconds: float = ROW_SECONDS
    """Processor time that an item may take; in a child of its own, also time by the clock."""


@dataclass(slots=True)
class _Shard(Generic[I]):
    """Items that are done together."""

    number: int
    """Where its results belong among those of the others, from 0."""

    items: Sequence[I]

    url: str
    """The file that its results go to."""

    lost: int = 0
    """Items whose process died or hung although they were alone in it: the machine's doing, not theirs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Work(Generic[I]):
    """What a task does: a shard, or one item of a shard that failed."""

    shard: _Shard[I]

    item: int | None = None
    """The item's place in the shard; None for all of them."""

    deadline: float
    """When the task has had its time, by the monotonic clock."""


def measure_items(
    measurement: Measurement[I, R],
    items: Iterable[I],
    total: int,
    folder: str,
    *,
    shard: int = SHARD,
    quiet: bool = False,
) -> list[R]:
    """A result for each item, in order. Needs an initialised Ray. Items are read as workers become free, so that no
    more of them are in memory than are being worked on; results are kept. Raises DLCodeGenError where a newer version
    of this program has written one of the files."""
    remove_temporary(folder)
    with RowProgress(measurement.label, total, quiet=quiet) as progress:
        tasks = _Tasks(measurement, progress)
        for waiting in _shards(measurement, items, folder, shard):
            results = _read(waiting.url, measurement.record)
            if results is not None:
                tasks.finish(waiting, results)
                continue
            while tasks.are_full():
                tasks.wait()
            tasks.start(waiting)
        while tasks.running:
            tasks.wait()
    return [result for number in sorted(tasks.results) for result in tasks.results[number]]


def _shards(measurement: Measurement[I, R], items: Iterable[I], folder: str, size: int) -> Iterator[_Shard[I]]:
    """The items in shards, each with the file that is named by all that decides its results."""
    work = measurement.work
    # A `partial` has its arguments in `keywords`: the pool that outputs are compared with, for example.
    function = getattr(work, "func", work).__qualname__
    made_by = f"{measurement.label} {function} {getattr(work, 'keywords', '')} {measurement.version}"
    for number, chunk in enumerate(in_shards(items, size)):
        digest = RowsDigest(made_by)
        for item in chunk:
            digest.add(item)
        yield _Shard(number, chunk, join(folder, f"{digest.digits(_NAME_DIGITS)}.parquet"))


class _Tasks(Generic[I, R]):
    """The shards that workers have under way, and the results of those that are through."""

    def __init__(self, measurement: Measurement[I, R], progress: RowProgress) -> None:
        self.running: dict[Any, _Work[I]] = {}
        self.results: dict[int, list[R]] = {}
        self._single: dict[int, dict[int, R]] = {}
        """Results of items that are done one by one: by the number of their shard, by their place in it."""
        self._measurement = measurement
        self._progress = progress
        self._at_once = max(1, int(ray.cluster_resources().get("CPU", 1)))
        # A task that Ray tried again by itself would take its deadly item along.
        self._together = ray.remote(num_cpus=1, max_retries=0)(_measure_shard)
        self._alone = ray.remote(num_cpus=1, max_retries=0)(_measure_alone)

    def are_full(self) -> bool:
        return len(self.running) >= self._at_once

    def start(self, shard: _Shard[I]) -> None:
        deadline = time.monotonic() + self._measurement.item_seconds + SPARE_SECONDS * len(shard.items)
        task = self._together.remote(self._measurement, shard.items, shard.url)
        self.running[task] = _Work(shard=shard, deadline=deadline)

    def finish(self, shard: _Shard[I], results: list[R]) -> None:
        self.results[shard.number] = results
        self._progress.advance(len(results), 0)

    def wait(self) -> None:
        """Waits until a shard or an item is through or past its time; a failed shard is begun anew, item by item."""
        soonest = min(task.deadline for task in self.running.values())
        timeout = max(0.0, soonest - time.monotonic())
        ready, _ = ray.wait(list(self.running), num_returns=1, timeout=timeout)
        now = time.monotonic()
        late = [task for task, work in self.running.items() if work.deadline <= now and task not in ready]
        for task in ready:
            self._take(task)
        for task in late:
            work = self.running.pop(task)
            ray.cancel(task, force=True)
            self._failed(work, "its process gave no result in time")

    def _take(self, task: Any) -> None:
        work = self.running.pop(task)
        try:
            results = ray.get(task)
        except RayError as error:
            cause = getattr(error, "cause", None)
            if isinstance(cause, FaultError):  # a full disk: the next item would meet it too
                raise FaultError(str(cause)) from error
            self._failed(work, f"its process died ({type(error).__name__})")
        else:
            self._through(work, results)

    def _failed(self, work: _Work[I], message: str) -> None:
        """Begins a shard anew, each item in a process of its own, which an item that fails alone does not."""
        if work.item is None:
            self._start_one_by_one(work.shard)
            return
        work.shard.lost += 1
        failure = self._measurement.failed(work.shard.items[work.item], "machine", message)
        self._through(work, [failure])

    def _through(self, work: _Work[I], results: list[R]) -> None:
        shard = work.shard
        if work.item is None:
            self.finish(shard, results)
            return
        of_shard = self._single.setdefault(shard.number, {})
        of_shard[work.item] = results[0]
        if len(of_shard) < len(shard.items):
            return
        together = [of_shard[number] for number in range(len(shard.items))]
        if not shard.lost:  # what the machine has lost the same command measures again
            write_records(shard.url, together, self._measurement.record, ITEM_SHARDS_VERSION)
        self.finish(shard, together)

    def _start_one_by_one(self, shard: _Shard[I]) -> None:
        # Twice what the children may take, since starting them takes time as well.
        allowed = 2 * (self._measurement.item_seconds + SPARE_SECONDS) * len(shard.items)
        for number, item in enumerate(shard.items):
            task = self._alone.remote(self._measurement, item)
            self.running[task] = _Work(shard=shard, item=number, deadline=time.monotonic() + allowed)


def _measure_shard(measurement: Measurement[I, R], items: Sequence[I], url: str) -> list[R]:
    be_replaceable()
    results: list[R] = []
    for item in items:
        try:
            results += _limited_work(measurement, item)
        except StageFailure as error:
            results.append(measurement.failed(item, error.kind, str(error)))
    write_records(url, results, measurement.record, ITEM_SHARDS_VERSION)
    return results


def _limited_work(measurement: Measurement[I, R], item: I) -> list[R]:
    with fatal_limit(measurement.item_seconds), time_limit(measurement.item_seconds):
        return measurement.work([item])


def _measure_alone(measurement: Measurement[I, R], item: I) -> list[R]:
    try:
        results: list[R] = in_child(_limited_work, measurement, item, seconds=measurement.item_seconds)
        return results
    except StageFailure as error:
        return [measurement.failed(item, error.kind, str(error))]


def _read(url: str, record: type[R]) -> list[R] | None:
    """A finished shard; None for one that is not there, or was written with another form of its record."""
    if not exists(url):
        return None
    try:
        return read_records(url, record, ITEM_SHARDS_VERSION)
    except (ValueError, OSError):
        return None
