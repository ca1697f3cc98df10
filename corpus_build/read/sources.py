"""The bytes behind a source: a file is one notebook, a row of a Parquet or JSONL shard is one each."""

from __future__ import annotations

import hashlib
import lzma
import os
import posixpath
import re
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from fsspec.implementations.local import LocalFileSystem

from corpus_build.drops import Drop
from corpus_build.read.listing import Source, extension_of, open_input
from corpus_build.read.notebook import ParsedNotebook
from corpus_build.read.reading import MAX_FILE_BYTES, parse_notebook
from corpus_build.store import CorpusStore
from pipeline.storage.opening import (
    NoRegularFileError,
    UnpackedTooLargeError,
    no_regular_file,
    open_file,
)
from pipeline.storage.parquet import parquet_batches

_KAGGLE_PATH = re.compile(r"(?:^|/)\d{4}/\d{3}/(\d+)\.\w+$")
_CONTENT_COLUMNS = ("notebook", "content", "ipynb", "source", "text", "code")
_SCRIPT_COLUMNS = ("code", "source", "text", "content")
_NAME_COLUMNS = ("path", "file_path", "filename", "name", "id")
_KNOWN_EXTENSIONS = (".py", ".r", ".rmd", ".ipynb")
# JSON; nothing; an HTML page; a Git LFS pointer ("version ..."). Reading tells them apart, and drops all but the first.
_NOTEBOOK_STARTS = (b"{", b"", b"<", b"v")
_UNSAFE = re.compile(r"[^A-Za-z0-9]+")


@dataclass(frozen=True, slots=True)
class RawNotebook:
    """One notebook's bytes, before anything is read from them."""

    place: str
    """What tells it from all others of the input: the path of its file, or the path or id that its row states."""
    id: str
    extension: str
    data: bytes | Drop
    """The bytes, or why they cannot be read."""

    @property
    def size(self) -> int:
        """In bytes; 0 where they cannot be read."""
        return len(self.data) if isinstance(self.data, bytes) else 0

    def parsed(self, *, prose: bool = True) -> ParsedNotebook:
        """The notebook, without `prose` its code alone. Raises Drop."""
        if isinstance(self.data, Drop):
            raise self.data
        return parse_notebook(self.data, self.extension, prose=prose)


def read_raw_notebooks(fs: Any, root: str, sources: Iterable[Source]) -> Iterator[RawNotebook]:
    """The notebooks of all sources, one after the other."""
    for path, source in _with_paths(fs, root, sources):
        yield from _notebooks_of(fs, path, source)


def read_chosen(store: CorpusStore, input: str, shard: int, rows: Collection[int]) -> Iterator[tuple[int, RawNotebook]]:
    """Those of a shard's notebooks that have these numbers, counted from 0, read once more, each with its number. Other
    files are not opened."""
    if not rows:
        return
    fs, root = open_input(input)
    number = 0
    for path, source in _with_paths(fs, root, store.read("listing", shard, Source)):
        if source.is_table:
            for raw in _notebooks_of(fs, path, source):
                if number in rows:
                    yield number, raw
                number += 1
        else:
            if number in rows:
                yield number, next(_notebooks_of(fs, path, source))
            number += 1


def id_of(place: str) -> str:
    """The id of a notebook: KernelVersions.Id where the path is Meta Kaggle Code's, else the path's words and a
    digest of it, which keeps ids apart."""
    if match := _KAGGLE_PATH.search(place):
        return match[1]
    stem = posixpath.splitext(place)[0]
    words = _UNSAFE.sub("-", stem[-60:]).strip("-").lower() or "notebook"
    return f"{words}-{hashlib.sha256(place.encode('utf-8', 'replace')).hexdigest()[:8]}"


def _with_paths(fs: Any, root: str, sources: Iterable[Source]) -> Iterator[tuple[str, Source]]:
    """Each source with its full path; an input that is a single file is that path itself."""
    single = fs.isfile(root)
    for source in sources:
        yield (root if single else f"{root}/{source.path}"), source


def _notebooks_of(fs: Any, path: str, source: Source) -> Iterator[RawNotebook]:
    """The notebooks of one source; a file or a line that cannot be read is one too."""
    extension = extension_of(source.path)
    if not source.is_table:
        yield RawNotebook(source.path, id_of(source.path), extension, _file_bytes(fs, path, source))
        return
    try:
        with open_file(fs, path, "infer") as stream:
            is_parquet = extension == ".parquet"
            rows = _parquet_rows(stream, source) if is_parquet else _json_lines(stream)
            for row in rows:
                yield _notebook_of_row(row)
    except UnpackedTooLargeError as error:
        yield _unreadable_table(source, Drop("too_large", str(error)))
    except (OSError, EOFError, zlib.error, lzma.LZMAError, pa.ArrowException, NoRegularFileError) as error:
        yield _unreadable_table(source, Drop("unreadable", str(error)))


def _unreadable_table(source: Source, why: Drop) -> RawNotebook:
    """What stands for the rows of a table that cannot be read, or not to its end."""
    return RawNotebook(f"{source.path}#{source.part}", id_of(source.path), extension_of(source.path), why)


def _file_bytes(fs: Any, path: str, source: Source) -> bytes | Drop:
    if kind := no_regular_file(fs, path):
        return Drop("unreadable", f"{kind}, not a regular file")
    if source.bytes > MAX_FILE_BYTES:
        return Drop("too_large", f"{source.bytes:,} bytes, more than {MAX_FILE_BYTES:,}")
    try:
        if isinstance(fs, LocalFileSystem):
            return _read_at_once(path, source.bytes)
        data: bytes = fs.cat_file(path)
    except OSError as error:
        return Drop("unreadable", f"{type(error).__name__}: {error.strerror or error}")
    return data


def _read_at_once(path: str, size: int) -> bytes:
    """A local file's bytes, in one read where it still has the size that was listed."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        data = os.read(descriptor, size + 1)
    finally:
        os.close(descriptor)
    return data if len(data) == size else Path(path).read_bytes()


def _parquet_rows(stream: BinaryIO, source: Source) -> Iterator[Mapping[str, Any]]:
    # A file without row groups is listed as well.
    groups = range(pq.read_metadata(stream).num_row_groups)[source.part : source.part + 1]
    for batch in parquet_batches(stream, source.path, groups):
        yield from batch.to_pylist()


def _json_lines(stream: BinaryIO) -> Iterator[Mapping[str, Any]]:
    """A row a line. A line that is no JSON object is taken as a notebook: reading will say what is wrong with it. Of a
    line that is too long the beginning is, and the rest is passed over."""
    whole = True
    while line := stream.readline(MAX_FILE_BYTES + 1):
        continues, whole = not whole, line.endswith(b"\n")
        if continues or line.isspace():
            continue
        try:
            row = orjson.loads(line)
        except ValueError:
            row = None
        yield row if isinstance(row, dict) else {"notebook": line}


def _notebook_of_row(row: Mapping[str, Any]) -> RawNotebook:
    """A row's notebook is in the first of the known columns, or the row is one itself. Its place is the row's path or
    id, or else a digest of the bytes."""
    is_notebook = "cells" in row or "worksheets" in row
    content = row if is_notebook else _first_value(row, _CONTENT_COLUMNS)
    data: bytes | Drop
    if content is None:
        data = Drop("not_a_notebook", f"no column of {', '.join(_CONTENT_COLUMNS)}")
        raw_bytes = repr(sorted(row))[:1000].encode()  # something to tell such rows apart by
    else:
        data = raw_bytes = _as_bytes(content)
    name = _first_value(row, _NAME_COLUMNS)
    if name in (None, ""):
        place = f"row-{hashlib.sha256(raw_bytes).hexdigest()[:16]}"
    else:
        place = str(name)
    extension = extension_of(place)
    if extension not in _KNOWN_EXTENSIONS:
        extension = _guessed_extension(row, raw_bytes)
    id = place if place.isdigit() else id_of(place)
    return RawNotebook(place, id, extension, data)


def _guessed_extension(row: Mapping[str, Any], raw_bytes: bytes) -> str:
    """A row without a file's name is a script if it has a column for code and does not begin as a notebook would."""
    if raw_bytes.lstrip()[:1] in _NOTEBOOK_STARTS or _first_value(row, _SCRIPT_COLUMNS) is None:
        return ".ipynb"
    return ".py"


def _first_value(row: Mapping[str, Any], columns: tuple[str, ...]) -> Any:
    """The value of the first of the columns that the row has."""
    for column in columns:
        if row.get(column) is not None:
            return row[column]
    return None


def _as_bytes(content: object) -> bytes:
    if isinstance(content, bytes):
        return content
    if isinstance(content, str):
        return content.encode("utf-8", "replace")
    return orjson.dumps(content, option=orjson.OPT_NON_STR_KEYS, default=str)
