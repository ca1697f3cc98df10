"""One way to do long work that a kill does not undo: the input staged once as numbered shards, then a file a shard.

    part-000000.parquet     shard 0 is done: files appear whole, so what is there is finished
    .tmp-...                what a killed writer left; removed when the work goes on

A description (JSON) is written beside the staged input when all of it is there: how much it is, what it was made from,
and the version of the folder's layout. The same command finds it, checks that it is still asked for the same, and goes
on with the shards that have no file yet. A marker beside the shards says that one is in work; if it is there already,
the worker that wrote it has died, perhaps of a row of that shard.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from pipeline.storage.files import (
    exists,
    join,
    names_in,
    read_json,
    remove,
    remove_temporary,
    write_bytes,
    write_json,
)
from pipeline.storage.layout_version import UNNAMED_VERSION, check_version

T = TypeVar("T")

STAGED_DIGITS = 16
"""Hexadecimal digits of the digest of a staged input."""

_VERSION = "layout_version"


@dataclass(frozen=True, slots=True)
class ShardFolder:
    """The files of one step of the work, one a shard, in a folder on disk or at any fsspec URL."""

    url: str
    extension: str = "parquet"

    def name(self, shard: int) -> str:
        return f"part-{shard:06d}.{self.extension}"

    def path(self, shard: int) -> str:
        return join(self.url, self.name(shard))

    def pending(self, shards: int) -> list[int]:
        """Those of the first `shards` shards that have no file. What killed writers left is removed."""
        remove_temporary(self.url)
        done = set(names_in(self.url))
        return [shard for shard in range(shards) if self.name(shard) not in done]


@contextmanager
def begun(marker: str) -> Iterator[bool]:
    """Notes in the file `marker`, for as long as the block takes, that a shard is in work. Gives True if it was begun
    before and never finished; a block that raises does not finish it."""
    before = exists(marker)
    if not before:
        write_bytes(marker, b"")
    yield before
    # Not in a `finally`: the marker is to outlive a block that fails.
    remove(marker)


@dataclass(frozen=True, slots=True)
class StagedShards:
    """An input that was written as shards."""

    rows: int
    shards: int
    digest: str
    """Changes when any row does, but not with the division into shards."""


def stage_shards(
    folder: ShardFolder, shards: Iterable[Sequence[T]], write: Callable[[str, Sequence[T]], None]
) -> StagedShards:
    """Writes an input, shard by shard, with `write(url, rows)`."""
    remove_temporary(folder.url)
    digest = RowsDigest()
    row_count = shard_count = 0
    for rows in shards:
        for row in rows:
            digest.add(row)
        write(folder.path(shard_count), rows)
        row_count += len(rows)
        shard_count += 1
    return StagedShards(rows=row_count, shards=shard_count, digest=digest.digits(STAGED_DIGITS))


class RowsDigest:
    """A SHA-256 over records, one after another; it changes when any field of any of them does."""

    def __init__(self, start: str = "") -> None:
        self._sha = hashlib.sha256(start.encode())

    def add(self, row: object) -> None:
        # A text may hold half of a surrogate pair, for which UTF-8 proper has no bytes.
        self._sha.update(repr(row).encode("utf-8", "surrogatepass"))

    def digits(self, count: int) -> str:
        return self._sha.hexdigest()[:count]


def in_shards(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    """The rows, `size` at a time."""
    iterator = iter(rows)
    while shard := list(islice(iterator, size)):
        yield shard


def write_description(url: str, description: Mapping[str, object], version: int) -> None:
    """Writes what was staged, last: that the file is there means that the staged input is complete."""
    write_json(url, {_VERSION: version, **description})


def read_description(url: str, version: int, out: str) -> dict[str, Any] | None:
    """What was staged; None where nothing is, or not all of it. Raises DLCodeGenError where a newer version of this
    program than `version` has done so."""
    description = read_json(url)
    if description is not None:
        check_version(description.pop(_VERSION, UNNAMED_VERSION), version, out, "choose another --out")
    return description
