"""Which format a file is read in, and the formats without a module of their own: text and Parquet."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import DLCodeGenError
from pipeline.inputs.csv_rows import read_csv
from pipeline.inputs.json_rows import json_line_row, read_json_document, read_json_lines
from pipeline.inputs.lines import check_line_ends, read_lines
from pipeline.inputs.rows import RawRow, cut_row, has_requirement_column
from pipeline.storage.parquet import parquet_batches

_COMPRESSIONS = {".gz": "gzip", ".bz2": "bz2", ".xz": "xz"}
Reader = Callable[[BinaryIO, str], Iterator[RawRow]]
"""Gives the rows of an open file; the text is the file's name, for messages."""


def format_of(path: str) -> tuple[Reader, str | None]:
    """The reader for a file, and its compression as fsspec names it, both by the extension (`.jsonl.gz`).

    Raises DLCodeGenError for an extension that is not known.
    """
    stem, extension = posixpath.splitext(path.lower())
    compression = _COMPRESSIONS.get(extension)
    if compression:
        extension = posixpath.splitext(stem)[1]
    if extension not in _READERS:
        known = ", ".join(_READERS)
        raise DLCodeGenError(f"{path}: the extension {extension!r} is none of {known} (or one of these with .gz)")
    return _READERS[extension], compression


def read_text_lines(stream: BinaryIO, name: str) -> Iterator[RawRow]:
    """A requirement a line, blank lines left out. A file whose first line opens a JSON object is read as JSONL."""
    as_json: bool | None = None
    for line in read_lines(stream, blank_ones=False):
        if line.is_blank():
            continue
        location = f"{name}, line {line.number}"
        if as_json is None:
            check_line_ends(line)
            # The paper's data sets are JSON lines with the extension .txt.
            as_json = line.data.lstrip().startswith(b"{")
        if line.cut:
            yield cut_row(location, line)
        elif as_json:
            yield json_line_row(location, line.data)
        else:
            yield _text_row(location, line.data)


def _text_row(location: str, data: bytes) -> RawRow:
    try:
        return RawRow(location, {"requirement": data.decode("utf-8")})
    except UnicodeDecodeError as error:
        reason = f"not UTF-8 at byte {error.start + 1}; save it as UTF-8"
        return RawRow(location, problem=("invalid_encoding", reason))


def read_parquet(stream: BinaryIO, name: str) -> Iterator[RawRow]:
    """The rows of all row groups; a part of one group is in memory at a time.

    Raises DLCodeGenError where no column can be the requirement or two have one name, pyarrow's errors where the file
    is damaged.
    """
    names = pq.read_schema(stream).names
    if not has_requirement_column(names):
        raise DLCodeGenError(f'no requirement column among {names[:20]}; name it "requirement"')
    if len(set(names)) < len(names):
        raise DLCodeGenError(f"two columns have one name among {names[:20]}; rename one")
    number = 0
    for batch in parquet_batches(stream, name):
        for values in _values(batch):
            number += 1
            location = f"{name}, row {number}"
            if isinstance(values, UnicodeDecodeError):
                yield RawRow(location, problem=("invalid_encoding", "a text is not UTF-8; write it as UTF-8"))
            elif isinstance(values, Exception):
                yield RawRow(location, problem=("wrong_type", f"{values}; store the column as text"))
            else:
                yield RawRow(location, values)


def _values(batch: pa.RecordBatch) -> Iterator[dict[str, object] | Exception]:
    """The batch's rows, an error in the place of each that has no Python value (bad UTF-8, a date after 9999)."""
    # A bad value fails its whole batch, so only then rows are decoded one by one.
    try:
        yield from batch.to_pylist()
    except (ValueError, OverflowError):
        for row in range(batch.num_rows):
            try:
                yield batch.slice(row, 1).to_pylist()[0]
            except (ValueError, OverflowError) as error:
                yield error


_READERS: dict[str, Reader] = {
    ".jsonl": read_json_lines,
    ".ndjson": read_json_lines,
    ".json": read_json_document,
    ".csv": read_csv,
    ".tsv": read_csv,
    ".parquet": read_parquet,
    ".txt": read_text_lines,
}
