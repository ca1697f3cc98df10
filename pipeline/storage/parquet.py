"""Parquet files of records: each appears whole, and says in its metadata which version of its layout it has."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Generic, TypeVar, cast

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.storage.arrow import from_rows, schema_of, to_table
from pipeline.storage.files import atomic_writer, read_bytes, write_bytes
from pipeline.storage.layout_version import UNNAMED_VERSION, check_version

R = TypeVar("R")

_VERSION_KEY = b"dlcodegen_layout_version"
_ROW_GROUP = 1024
"""Records in a row group of a long file; fewer where their texts come to _GROUP_CHARACTERS."""

_GROUP_CHARACTERS = 16 * 2**20

_ROWS_AT_ONCE = 128
"""Rows that are turned into records at once: as records, the texts of a row group would be in memory twice."""


def with_version(table: pa.Table, version: int) -> pa.Table:
    """The table with the version in the metadata of its schema, from where Parquet takes it; rows and columns stay."""
    return table.replace_schema_metadata({_VERSION_KEY: str(version)})


def write_table(url: str, table: pa.Table, version: int) -> None:
    """Writes a table as one file that appears whole."""
    buffer = io.BytesIO()
    pq.write_table(with_version(table, version), buffer, compression="zstd")
    write_bytes(url, buffer.getvalue())


def write_records(url: str, records: Sequence[R], record: type[R], version: int) -> None:
    """Writes a few records as one file that appears whole; `record_writer` is for many."""
    write_table(url, to_table(records, record), version)


def read_table(url: str, version: int) -> pa.Table:
    """A file that fits into memory. Raises DLCodeGenError, as all readers here, for one of a newer version."""
    # Arrow's threads would only get in the way of a process that ends early.
    table = pq.read_table(io.BytesIO(read_bytes(url)), use_threads=False, pre_buffer=False)
    _check(table.schema, version, url)
    return table


def read_columns(url: str, names: Sequence[str], version: int) -> pa.Table:
    """Some columns of a file, without reading the others."""
    with fsspec.open(url, "rb") as stream:
        table = pq.read_table(stream, columns=list(names), use_threads=False, pre_buffer=False)
    _check(table.schema, version, url)
    return table


def read_records(url: str, record: type[R], version: int) -> list[R]:
    """All records of a file that fits into memory; `iterate_records` is for larger ones."""
    return from_rows(read_table(url, version).to_pylist(), record)


def iterate_records(url: str, record: type[R], version: int) -> Iterator[R]:
    """The records of a file, a batch in memory at a time."""
    with fsspec.open(url, "rb") as stream:
        file = pq.ParquetFile(stream)
        _check(file.schema_arrow, version, url)
        for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE, use_threads=False):
            yield from from_rows(batch.to_pylist(), record)


def _check(schema: pa.Schema, version: int, url: str) -> None:
    metadata = schema.metadata or {}
    written = int(metadata.get(_VERSION_KEY, UNNAMED_VERSION))
    check_version(written, version, url, "choose another folder")


class RecordWriter(Generic[R]):
    """Collects records and writes them in row groups that end at fixed counts, so equal rows give equal bytes."""

    def __init__(self, stream: Any, record: type[R], version: int) -> None:
        schema = schema_of(cast(Any, record)).with_metadata({_VERSION_KEY: str(version)})
        self._writer = pq.ParquetWriter(stream, schema, compression="zstd")
        self._record = record
        self._version = version
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
            table = to_table(self._waiting, cast(Any, self._record))
            self._writer.write_table(with_version(table, self._version))
            self._waiting, self._characters = [], 0

    def close(self) -> None:
        self.flush()
        self._writer.close()

    def abandon(self) -> None:
        """Ends a file that will not appear. Arrow would do so later by itself, and complain of its closed stream."""
        with suppress(Exception):
            self._writer.close()


@contextmanager
def record_writer(url: str, record: type[R], version: int) -> Iterator[RecordWriter[R]]:
    """A file of records that appears whole when the block ends."""
    with atomic_writer(url) as stream:
        writer = RecordWriter(stream, record, version)
        try:
            yield writer
            writer.close()
        except BaseException:
            writer.abandon()
            raise
