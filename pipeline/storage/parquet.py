"""Parquet files of records: each appears whole, and says in its metadata which version of its layout it has."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO, Generic, TypeVar, cast

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.storage.arrow import from_rows, schema_of, to_table
from pipeline.storage.files import atomic_writer, read_bytes, write_bytes
from pipeline.storage.layout_version import UNNAMED_VERSION, check_version
from pipeline.storage.opening import Unpacking, open_input

R = TypeVar("R")

_VERSION_KEY = b"dlcodegen_layout_version"
_ROW_GROUP = 1024
"""Records in a row group of a long file; fewer where their texts come to _GROUP_CHARACTERS."""

_GROUP_CHARACTERS = 16 * 2**20

_ROW_BYTES, _VALUE_BYTES = 64, 8
"""What a row of others' files counts at least, and a value: nulls have no bytes of their own."""

_BATCH_BYTES = 2**30
"""What their rows that are in memory at once may come to, were each as large as its row group allows."""

_MOST_BATCH_ROWS = 1024

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
    with open_input(url) as stream:
        table = pq.read_table(stream, columns=list(names), use_threads=False, pre_buffer=False)
    _check(table.schema, version, url)
    return table


def read_records(url: str, record: type[R], version: int) -> list[R]:
    """All records of a file that fits into memory; `iterate_records` is for larger ones."""
    return from_rows(read_table(url, version).to_pylist(), record)


def iterate_records(url: str, record: type[R], version: int) -> Iterator[R]:
    """The records of a file, a batch in memory at a time."""
    with open_input(url) as stream:
        file = pq.ParquetFile(stream)
        _check(file.schema_arrow, version, url)
        for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE, use_threads=False):
            yield from from_rows(batch.to_pylist(), record)


def parquet_batches(stream: BinaryIO, name: str, groups: Iterable[int] | None = None) -> Iterator[pa.RecordBatch]:
    """The rows of a Parquet file, or of some of its row groups, so many at once that they fit into memory however well
    they were packed. `name` is for messages. Raises pyarrow's errors, and UnpackedTooLargeError."""
    unpacking = Unpacking(name, stream.seek(0, io.SEEK_END))
    file = pq.ParquetFile(stream)
    for group in range(file.num_row_groups) if groups is None else groups:
        described = file.metadata.row_group(group)
        unpacking.check(described.total_byte_size)
        for column in range(described.num_columns):
            unpacking.check(_VALUE_BYTES * described.column(column).num_values)
        # No value is longer than the row group, which repeats it as often as it likes.
        rows = _BATCH_BYTES // max(1, described.total_byte_size)
        rows = max(1, min(rows, _MOST_BATCH_ROWS))
        for batch in file.iter_batches(batch_size=rows, row_groups=[group], use_threads=False):
            unpacking.add(batch.nbytes + _ROW_BYTES * batch.num_rows)
            yield batch


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
