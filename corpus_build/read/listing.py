"""What there is to read: the files of a folder or URL in the order of their paths, and rows in Parquet and JSONL.

Folders are walked one at a time, so a listing of millions of files needs no memory of its own. Hidden files and
folders (`.git`, `.ipynb_checkpoints`, `_SUCCESS`) are left out.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from stat import S_ISLNK, S_ISREG
from typing import Any

import fsspec
import pyarrow.parquet as pq
from fsspec.implementations.local import LocalFileSystem

from pipeline.errors import DLCodeGenError

NOTEBOOKS = (".ipynb", ".py", ".r", ".rmd")
TABLES = (".parquet", ".jsonl", ".ndjson")
_COMPRESSED = (".gz", ".bz2", ".xz", ".zst")
_TABLE_ENDS = tuple(f"{kind}{packed}" for kind in TABLES for packed in ("", *_COMPRESSED))


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """A file to read; of a Parquet file, one row group (`part`), of which there is a row each to read.

    `path` is relative to the input. `bytes` and `changed` are what the storage says; they tell a changed input.
    """

    path: str
    bytes: int
    changed: str
    part: int = 0

    @property
    def is_table(self) -> bool:
        return self.path.lower().endswith(_TABLE_ENDS)


def extension_of(path: str) -> str:
    """The extension in lower case, that of a compression left out (`.jsonl.gz` -> `.jsonl`)."""
    stem, extension = posixpath.splitext(path.lower())
    return posixpath.splitext(stem)[1] if extension in _COMPRESSED else extension


def list_sources(url: str) -> Iterator[Source]:
    """Everything to read under a path or URL, sorted by path. Raises DLCodeGenError where there is nothing."""
    fs, root = open_input(url)
    if fs.isfile(root):
        yield from _sources(fs, fs.info(root), posixpath.basename(root))
        return
    count = 0
    for info, path in _walk(fs, root, ""):
        for source in _sources(fs, info, path):
            count += 1
            yield source
    if not count:
        kinds = ", ".join((*NOTEBOOKS, *TABLES))
        raise DLCodeGenError(f"{url}: no files to read in it ({kinds}); point to a folder of notebooks")


def open_input(url: str) -> tuple[Any, str]:
    """The file system and the root path of an input. Raises DLCodeGenError where there is no such place."""
    try:
        fs, root = fsspec.url_to_fs(url)
        root = str(root).rstrip("/")
        found = fs.exists(root)
    # Each storage service has errors of its own with no common base.
    except Exception as error:
        raise DLCodeGenError(f"{url}: cannot be opened ({type(error).__name__}: {error}); check the URL") from error
    if not found:
        raise DLCodeGenError(f"{url}: no such file or folder; check the path")
    return fs, root


def _walk(fs: Any, folder: str, inside: str) -> Iterator[tuple[dict[str, Any], str]]:
    """The files below a folder, depth first, each folder's entries in the order of their names."""
    entries = sorted((posixpath.basename(str(info["name"]).rstrip("/")), info) for info in _entries(fs, folder))
    for name, info in entries:
        if not name or name.startswith((".", "_")):
            continue
        path = f"{inside}{name}"
        if info["type"] == "directory":
            yield from _walk(fs, f"{folder}/{name}", f"{path}/")
        elif info["type"] == "file":
            yield info, path


def _entries(fs: Any, folder: str) -> list[dict[str, Any]]:
    try:
        return _on_disk(folder) if isinstance(fs, LocalFileSystem) else list(fs.ls(folder, detail=True))
    except PermissionError as error:
        raise DLCodeGenError(f"{folder}: cannot be listed ({error}); give read permission or leave it out") from error


def _on_disk(folder: str) -> list[dict[str, Any]]:
    """What fsspec says of a local folder's entries, as far as it is needed here: one look at each instead of three.
    Links to folders are not followed; a link to nothing is a file that cannot be read."""
    with os.scandir(folder) as entries:
        return [_entry(entry) for entry in entries]


def _entry(entry: os.DirEntry[str]) -> dict[str, Any]:
    try:
        stat = entry.stat()
    except OSError:
        stat = entry.stat(follow_symlinks=False)
    if entry.is_dir():
        kind = "other" if entry.is_symlink() else "directory"
    else:
        kind = "file" if S_ISREG(stat.st_mode) or S_ISLNK(stat.st_mode) else "other"
    return {"name": entry.path, "type": kind, "size": stat.st_size, "mtime": stat.st_mtime}


def _sources(fs: Any, info: dict[str, Any], path: str) -> Iterator[Source]:
    extension = extension_of(path)
    if extension not in (*NOTEBOOKS, *TABLES):
        return
    stamp = next((str(info[key]) for key in ("ETag", "etag", "mtime", "LastModified") if info.get(key)), "")
    size = int(info.get("size") or 0)
    groups = 1
    if extension == ".parquet":
        try:
            with fs.open(info["name"], "rb") as stream:
                groups = max(1, pq.ParquetFile(stream).num_row_groups)
        except (OSError, ValueError) as error:
            raise DLCodeGenError(f"{path}: cannot be read as Parquet ({error}); get or write it anew") from error
    for part in range(groups):
        yield Source(path=path, bytes=size, changed=stamp, part=part)
