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

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, TypeVar

import pyarrow as pa

from pipeline.storage import parquet, shard_folder
from pipeline.storage.files import join, read_json, write_json
from pipeline.storage.parquet import RecordWriter, iterate_records
from pipeline.storage.shard_folder import ShardFolder

CORPUS_VERSION = 1
"""The layout of a build's folder. Raise it when files move or change their columns or meaning, so that an older program
does not mix its own into a newer build; then the readers here and `stage_listing` have to take the older one along."""

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class CorpusStore:
    """Paths and files of one build, on disk or any fsspec URL. Small enough to be sent to every worker."""

    folder: str

    def path(self, *names: str) -> str:
        return join(self.folder, *names)

    def shards(self, step: str, extension: str = "parquet") -> ShardFolder:
        """The files of a step."""
        return ShardFolder(self.path("work", step), extension)

    def part(self, step: str, shard: int, extension: str = "parquet") -> str:
        return self.shards(step, extension).path(shard)

    def pending(self, step: str, shards: int, extension: str = "parquet") -> list[int]:
        """Shards without a file of the step. What killed writers left is removed."""
        return self.shards(step, extension).pending(shards)

    def begun(self, step: str, shard: int) -> AbstractContextManager[bool]:
        """Notes that a shard is being worked on; True if it was begun before and never finished. Then the worker died,
        perhaps of one of its files."""
        return shard_folder.begun(self.path("work", step, f".begun-{shard:06d}"))

    def read(self, step: str, shard: int, record: type[R]) -> Iterator[R]:
        """The shard's records, a batch in memory at a time."""
        return read_records(self.part(step, shard), record)

    def columns(self, step: str, shard: int, names: Sequence[str]) -> pa.Table:
        """Some columns of a shard's file."""
        return parquet.read_columns(self.part(step, shard), names, CORPUS_VERSION)

    def write(self, step: str, shard: int, record: type[R], rows: Iterable[R]) -> None:
        with record_writer(self.part(step, shard), record) as writer:
            for row in rows:
                writer.add(row)

    def read_json(self, *names: str) -> dict[str, Any] | None:
        """A JSON file of the build, None where it is not there (yet)."""
        return read_json(self.path(*names))

    def write_json(self, value: dict[str, Any], *names: str) -> None:
        write_json(self.path(*names), value)


def record_writer(url: str, record: type[R]) -> AbstractContextManager[RecordWriter[R]]:
    """A file of the build that appears whole when the block ends."""
    return parquet.record_writer(url, record, CORPUS_VERSION)


def read_records(url: str, record: type[R]) -> Iterator[R]:
    """The records of a file of the build, a batch in memory at a time."""
    return iterate_records(url, record, CORPUS_VERSION)
