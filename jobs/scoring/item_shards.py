"""A pure function over many items as Ray tasks: resumable, bounded in time, and no item ends the run.

Items go to workers in shards. A finished shard is a Parquet file whose name is the digest of what it was made from, so
the same command after a kill, or the same texts in another run, find it there. A shard whose worker dies or takes too
long is done again item by item, each in a child of its own; what fails there becomes a result that says so.
"""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, TypeVar

import pyarrow.parquet as pq
import ray
from ray.exceptions import RayError

from jobs.cluster.progress import RowProgress
from pipeline.errors import StageFailure
from pipeline.sandbox.child_process import in_child
from pipeline.storage.arrow import from_rows, to_table
from pipeline.storage.files import exists, join, read_bytes, write_bytes

SHARD = 16
ITEM_SECONDS = 60.0
SPARE_SECONDS = 5.0
"""What an item may take in a child of its own. A shard may take as long once, and SPARE_SECONDS for each item."""

I = TypeVar("I")  # noqa: E741 - an item
R = TypeVar("R")


@dataclass(frozen=True, kw_only=True, slots=True)
class Measurement(Generic[I, R]):
    """`work` gives a result, a record of class `record`, for each item of a list; `failed` the result of an item whose
    process died, with the kind of failure and a message. Both are functions of a module, so that workers find them.
    `version` belongs to the digest: it changes when `work` gives other results."""

    label: str
    work: Callable[[Sequence[I]], list[R]]
    failed: Callable[[I, str, str], R]
    record: type[R]
    version: str = "1"
    item_seconds: float = ITEM_SECONDS


@dataclass(slots=True)
class _Running:
    number: int
    items: Sequence[Any]
    url: str
    deadline: float
    rescued: bool = False


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
    more of them are in memory than are being worked on; results are kept."""
    task = ray.remote(num_cpus=1, max_retries=0)(_measure_shard)
    rescue = ray.remote(num_cpus=1, max_retries=0)(_measure_one_by_one)
    at_once = max(1, int(ray.cluster_resources().get("CPU", 1)))
    running: dict[Any, _Running] = {}
    done: dict[int, list[R]] = {}
    with RowProgress(measurement.label, total, quiet=quiet) as progress:

        def finished(number: int, results: list[R]) -> None:
            done[number] = results
            progress.advance(len(results), 0)

        for number, (url, chunk) in enumerate(_shards(measurement, items, folder, shard)):
            if (before := _read(url, measurement.record)) is not None:
                finished(number, before)
                continue
            while len(running) >= at_once:
                _wait(running, rescue, measurement, finished)
            deadline = time.monotonic() + measurement.item_seconds + SPARE_SECONDS * len(chunk)
            running[task.remote(measurement, chunk, url)] = _Running(number, chunk, url, deadline)
        while running:
            _wait(running, rescue, measurement, finished)
    return [result for number in sorted(done) for result in done[number]]


def _shards(
    measurement: Measurement[I, R], items: Iterable[I], folder: str, size: int
) -> Iterator[tuple[str, Sequence[I]]]:
    iterator = iter(items)
    work = measurement.work
    name = f"{measurement.label} {getattr(work, 'func', work).__qualname__} {getattr(work, 'keywords', '')}"
    while chunk := list(islice(iterator, size)):
        digest = hashlib.sha256(f"{name} {measurement.version}".encode())
        for item in chunk:
            digest.update(repr(item).encode("utf-8", "surrogatepass"))
        yield join(folder, f"{digest.hexdigest()[:32]}.parquet"), chunk


def _wait(
    running: dict[Any, _Running], rescue: Any, measurement: Measurement[Any, Any], finished: Callable[..., None]
) -> None:
    """Waits until a shard is through or past its time; one that failed is begun anew, item by item."""
    soonest = min(shard.deadline for shard in running.values())
    ready, _ = ray.wait(list(running), num_returns=1, timeout=max(0.0, soonest - time.monotonic()))
    late = [task for task, shard in running.items() if shard.deadline <= time.monotonic() and task not in ready]
    for task in ready:
        shard = running.pop(task)
        try:
            finished(shard.number, ray.get(task))
        except RayError:
            if shard.rescued:  # not the items' doing: the children's parent died
                raise
            _rescue(running, rescue, measurement, shard)
    for task in late:
        shard = running.pop(task)
        ray.cancel(task, force=True)
        _rescue(running, rescue, measurement, shard)


def _rescue(running: dict[Any, _Running], rescue: Any, measurement: Measurement[Any, Any], shard: _Running) -> None:
    shard.rescued = True
    shard.deadline = time.monotonic() + 2 * (measurement.item_seconds + SPARE_SECONDS) * len(shard.items)
    running[rescue.remote(measurement, shard.items, shard.url)] = shard


def _measure_shard(measurement: Measurement[I, R], items: Sequence[I], url: str) -> list[R]:
    results = measurement.work(items)
    _write(url, results, measurement.record)
    return results


def _measure_one_by_one(measurement: Measurement[I, R], items: Sequence[I], url: str) -> list[R]:
    results: list[R] = []
    for item in items:
        try:
            results += in_child(measurement.work, [item], seconds=measurement.item_seconds)
        except StageFailure as error:
            results.append(measurement.failed(item, error.kind, str(error)))
    _write(url, results, measurement.record)
    return results


def _write(url: str, results: Sequence[R], record: type[R]) -> None:
    buffer = io.BytesIO()
    pq.write_table(to_table(results, record), buffer, compression="zstd")
    write_bytes(url, buffer.getvalue())


def _read(url: str, record: type[R]) -> list[R] | None:
    """A finished shard; None for one that is not there, or was written by another version of its record."""
    if not exists(url):
        return None
    try:
        return from_rows(pq.read_table(io.BytesIO(read_bytes(url)), use_threads=False).to_pylist(), record)
    except (ValueError, OSError):
        return None
