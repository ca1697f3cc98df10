"""The folder of a corpus build: a file per shard and step, each whole or not there.

    work/listing/part-*.parquet     what there is to read, `shard_files` files (or one table) a shard
    work/listing.json               how many; the digests of listing and settings: its presence means "complete"
    work/scan/part-*.parquet        Scanned: every file, those that stay with their cells
    work/exact/part-*.parquet       rows to sign
    work/signatures/part-*.npz      MinHash signatures, by digest
    work/pairs/part-*.npz           verified near-duplicate pairs of some bands
    work/clusters/part-*.parquet    Clustered: every notebook that passed the filter; clusters.json when complete
    work/extracted/part-*.parquet   Extracted, with shingles/part-*.npz
    work/split-<digest>/            overlaps found, for one choice of split settings
    DLPlanData/ DLSamplePool/ DLCodeEval/ drop_report.parquet audit.json card.md manifest.json

A step is done for a shard when its file is there, so a killed build goes on where it was. While a shard's files are
read, `.begun-*` lies beside it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.storage.arrow import from_rows, schema_of, to_table
from pipeline.storage.files import (
    atomic_writer,
    exists,
    join,
    names_in,
    read_bytes,
    remove,
    remove_temporary,
    write_bytes,
)

R = TypeVar("R")

_ROW_GROUP = 1024
_GROUP_CHARACTERS = 16 * 2**20
_READ_AT_ONCE = 128


class RecordWriter(Generic[R]):
    """Collects records and writes them in row groups that end at fixed counts, so equal rows give equal bytes."""

    def __init__(self, stream: Any, record: type[R]) -> None:
        self._writer = pq.ParquetWriter(stream, schema_of(cast(Any, record)), compression="zstd")
        self._record = record
        self._waiting: list[R] = []
        self._characters = 0

    def add(self, item: R, characters: int = 0) -> None:
        """`characters`: about how much text the record holds; it bounds the memory of a batch."""
        self._waiting.append(item)
        self._characters += characters
        if len(self._waiting) >= _ROW_GROUP or self._characters >= _GROUP_CHARACTERS:
            self.flush()

    def flush(self) -> None:
        if self._waiting:
            self._writer.write_table(to_table(self._waiting, cast(Any, self._record)))
            self._waiting, self._characters = [], 0

    def close(self) -> None:
        self.flush()
        self._writer.close()


@contextmanager
def record_writer(url: str, record: type[R]) -> Iterator[RecordWriter[R]]:
    """A Parquet file of records that appears whole when the block ends."""
    with atomic_writer(url, durable=True) as stream:
        writer = RecordWriter(stream, record)
        yield writer
        writer.close()


@dataclass(frozen=True, slots=True)
class CorpusStore:
    """Paths and files of one build, on disk or any fsspec URL. Small enough to be sent to every worker."""

    folder: str

    def path(self, *names: str) -> str:
        return join(self.folder, *names)

    def part(self, step: str, shard: int, extension: str = "parquet") -> str:
        return self.path("work", step, f"part-{shard:06d}.{extension}")

    def pending(self, step: str, shards: int, extension: str = "parquet") -> list[int]:
        """Shards without a file of the step. What killed writers left is removed."""
        folder = self.path("work", step)
        remove_temporary(folder)
        done = set(names_in(folder))
        return [shard for shard in range(shards) if f"part-{shard:06d}.{extension}" not in done]

    @contextmanager
    def begun(self, step: str, shard: int) -> Iterator[bool]:
        """Notes that a shard is being worked on; True if it was begun before and never finished. Then the worker died,
        perhaps of one of its files."""
        mark = self.path("work", step, f".begun-{shard:06d}")
        before = exists(mark)
        if not before:
            write_bytes(mark, b"")
        yield before
        remove(mark)

    def read(self, step: str, shard: int, record: type[R]) -> Iterator[R]:
        """The shard's records, a batch in memory at a time."""
        yield from read_records(self.part(step, shard), record)

    def columns(self, step: str, shard: int, names: list[str]) -> pa.Table:
        """Some columns of a shard's file."""
        with fsspec.open(self.part(step, shard), "rb") as stream:
            return pq.read_table(stream, columns=names, use_threads=False, pre_buffer=False)

    def write(self, step: str, shard: int, record: type[R], rows: Iterable[R]) -> None:
        with record_writer(self.part(step, shard), record) as writer:
            for row in rows:
                writer.add(row)

    def read_json(self, *names: str) -> dict[str, Any] | None:
        """A JSON file of the build, None where it is not there (yet)."""
        url = self.path(*names)
        return dict(json.loads(read_bytes(url))) if exists(url) else None

    def write_json(self, value: dict[str, Any], *names: str) -> None:
        data = json.dumps(value, indent=2, ensure_ascii=False, default=str).encode("utf-8", "backslashreplace")
        write_bytes(self.path(*names), data + b"\n", durable=True)


def read_records(url: str, record: type[R]) -> Iterator[R]:
    """The records of a Parquet file, a batch in memory at a time."""
    with fsspec.open(url, "rb") as stream:
        for batch in pq.ParquetFile(stream).iter_batches(batch_size=_READ_AT_ONCE, use_threads=False):
            yield from from_rows(batch.to_pylist(), record)
