"""The bytes behind a source: a file is one item, a row of a Parquet or JSONL shard is one each."""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from fsspec.implementations.local import LocalFileSystem

from corpus_build.drops import Drop
from corpus_build.read.listing import Source, extension_of
from corpus_build.read.reading import MAX_FILE_BYTES

_KAGGLE_PATH = re.compile(r"(?:^|/)\d{4}/\d{3}/(\d+)\.\w+$")
_CONTENT = ("notebook", "content", "ipynb", "source", "text", "code")
_NAMES = ("path", "file_path", "filename", "name", "id")
_BATCH = 16
_UNSAFE = re.compile(r"[^A-Za-z0-9]+")


@dataclass(frozen=True, slots=True)
class Item:
    """One notebook's bytes, or the Drop that reading them met."""

    place: str
    id: str
    extension: str
    data: bytes | Drop


def read_items(fs: Any, root: str, sources: Iterable[Source]) -> Iterator[Item]:
    """The items of all sources, one after the other."""
    single = fs.isfile(root)
    for source in sources:
        yield from _source_items(fs, root if single else f"{root}/{source.path}", source)


def read_chosen(fs: Any, root: str, sources: Iterable[Source], rows: Collection[int]) -> Iterator[tuple[int, Item]]:
    """Those of the items that have these numbers, counted from 0, with the number; other files are not opened."""
    single = fs.isfile(root)
    number = 0
    for source in sources:
        if source.is_table:
            for item in _source_items(fs, root if single else f"{root}/{source.path}", source):
                if number in rows:
                    yield number, item
                number += 1
        else:
            if number in rows:
                yield number, next(_source_items(fs, root if single else f"{root}/{source.path}", source))
            number += 1


def _source_items(fs: Any, path: str, source: Source) -> Iterator[Item]:
    """The items of one source; a file or a line that cannot be read is an item too."""
    extension = extension_of(source.path)
    if not source.is_table:
        yield Item(source.path, id_of(source.path), extension, _file(fs, path, source))
        return
    try:
        with fs.open(path, "rb", compression="infer") as stream:
            rows = _parquet(stream, source.part) if extension == ".parquet" else _lines(stream)
            for row in rows:
                yield _row_item(row)
    except (OSError, EOFError, pa.ArrowException) as error:
        yield Item(f"{source.path}#{source.part}", id_of(source.path), extension, Drop("unreadable", str(error)))


def id_of(place: str) -> str:
    """The id of a notebook: KernelVersions.Id where the path is Meta Kaggle Code's, else the path's words and a
    digest of it, which keeps ids apart."""
    if match := _KAGGLE_PATH.search(place):
        return match[1]
    stem = posixpath.splitext(place)[0]
    words = _UNSAFE.sub("-", stem[-60:]).strip("-").lower() or "notebook"
    return f"{words}-{hashlib.sha256(place.encode('utf-8', 'replace')).hexdigest()[:8]}"


def _file(fs: Any, path: str, source: Source) -> bytes | Drop:
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


def _parquet(stream: Any, part: int) -> Iterator[Mapping[str, Any]]:
    file = pq.ParquetFile(stream)
    if file.num_row_groups:
        for batch in file.iter_batches(batch_size=_BATCH, row_groups=[part], use_threads=False):
            yield from batch.to_pylist()


def _lines(stream: Any) -> Iterator[Mapping[str, Any]]:
    for line in stream:
        if not line.strip():
            continue
        try:
            found = orjson.loads(line)
        except ValueError:
            found = {"notebook": line}  # reading will say what is wrong with it
        yield found if isinstance(found, dict) else {"notebook": line}


def _row_item(row: Mapping[str, Any]) -> Item:
    """A row's notebook is in the first of the known columns, or the row is one itself; its place is its path or id."""
    content = row if "cells" in row or "worksheets" in row else _first(row, _CONTENT)
    if content is None:
        data: bytes | Drop = Drop("not_a_notebook", f"no column of {', '.join(_CONTENT)}")
        raw = repr(sorted(row))[:1000].encode()
    else:
        raw = content if isinstance(content, bytes) else _encoded(content)
        data = raw
    name = _first(row, _NAMES)
    place = str(name) if name not in (None, "") else f"row-{hashlib.sha256(raw).hexdigest()[:16]}"
    extension = extension_of(place)
    if extension not in (".py", ".r", ".rmd", ".ipynb"):
        extension = ".ipynb" if raw.lstrip()[:1] in (b"{", b"", b"<", b"v") or not _is_script(row) else ".py"
    return Item(place, place if place.isdigit() else id_of(place), extension, data)


def _is_script(row: Mapping[str, Any]) -> bool:
    return any(row.get(key) is not None for key in ("code", "source", "text", "content"))


def _first(row: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((row[name] for name in names if row.get(name) is not None), None)


def _encoded(content: object) -> bytes:
    if isinstance(content, str):
        return content.encode("utf-8", "replace")
    return orjson.dumps(content, option=orjson.OPT_NON_STR_KEYS, default=str)
