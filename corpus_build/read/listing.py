"""What there is to read: the files of a folder or URL in the order of their paths, and rows in Parquet and JSONL.

Folders are walked one at a time, so a listing of millions of files needs no memory of its own. Hidden files and
folders (`.git`, `.ipynb_checkpoints`, `_SUCCESS`) are left out.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq
from fsspec.implementations.local import LocalFileSystem

from pipeline.errors import DLCodeGenError
from pipeline.storage.opening import located, no_regular_file, open_file, require_regular

NOTEBOOK_EXTENSIONS = (".ipynb", ".py", ".r", ".rmd")
TABLE_EXTENSIONS = (".parquet", ".jsonl", ".ndjson")
_COMPRESSED = (".gz", ".bz2", ".xz", ".zst")
_CHANGE_KEYS = ("ETag", "etag", "mtime", "LastModified")
"""What storage services call the mark that tells a changed file."""


# The digest of an input (`stage_input`) is taken of the sources' repr: another name for the class or for a field would
# be another digest, and a build that was begun before could not be continued.
@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """A file to read; of a Parquet file, one of its row groups."""

    path: str
    """Relative to the input."""
    bytes: int
    """As the storage says."""
    changed: str
    """What the storage says of the last change."""
    part: int = 0
    """The number of the row group."""

    @property
    def is_table(self) -> bool:
        """Whether it holds a notebook a row."""
        return extension_of(self.path) in TABLE_EXTENSIONS


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
        kinds = ", ".join((*NOTEBOOK_EXTENSIONS, *TABLE_EXTENSIONS))
        raise DLCodeGenError(f"{url}: no files to read in it ({kinds}); point to a folder of notebooks")


def open_input(url: str) -> tuple[Any, str]:
    """The file system and the root path of an input. Raises DLCodeGenError where there is no such place."""
    try:
        fs, root = located(url)
        root = root.rstrip("/")
        exists = fs.exists(root)
    except DLCodeGenError:
        raise
    # Each storage service has errors of its own with no common base.
    except Exception as error:
        raise DLCodeGenError(f"{url}: cannot be opened ({type(error).__name__}: {error}); check the URL") from error
    if not exists:
        raise DLCodeGenError(f"{url}: no such file or folder; check the path")
    if not fs.isdir(root):
        require_regular(fs, root)
    return fs, root


def _walk(fs: Any, folder: str, inside: str) -> Iterator[tuple[dict[str, Any], str]]:
    """The files below a folder, depth first, each folder's entries in the order of their names."""
    named = [(posixpath.basename(str(info["name"]).rstrip("/")), info) for info in _entries(fs, folder)]
    # In an object store a file and a folder may share a name.
    for name, info in sorted(named, key=lambda entry: (entry[0], str(entry[1]["type"]))):
        if not name or name.startswith((".", "_")) or str(info["name"]).rstrip("/") == folder:
            continue
        path = f"{inside}{name}"
        if info["type"] == "directory":
            yield from _walk(fs, f"{folder}/{name}", f"{path}/")
        else:
            yield info, path


def _entries(fs: Any, folder: str) -> list[dict[str, Any]]:
    try:
        if isinstance(fs, LocalFileSystem):
            return _entries_on_disk(folder)
        return list(fs.ls(folder, detail=True))
    except PermissionError as error:
        raise DLCodeGenError(f"{folder}: cannot be listed ({error}); give read permission or leave it out") from error


def _entries_on_disk(folder: str) -> list[dict[str, Any]]:
    """What fsspec says of a local folder's entries, as far as it is needed here: one look at each instead of three.
    Links to folders are not followed: they are entries that cannot be read, as links to nothing, pipes and devices."""
    with os.scandir(folder) as entries:
        return [_entry_info(entry) for entry in entries]


def _entry_info(entry: os.DirEntry[str]) -> dict[str, Any]:
    try:
        stat = entry.stat()
    except OSError:
        stat = entry.stat(follow_symlinks=False)
    kind = "directory" if entry.is_dir(follow_symlinks=False) else "file"
    return {"name": entry.path, "type": kind, "size": stat.st_size, "mtime": stat.st_mtime}


def _sources(fs: Any, info: dict[str, Any], path: str) -> Iterator[Source]:
    """A file's sources: none where it is of another kind, several where it is Parquet of several row groups."""
    extension = extension_of(path)
    if extension not in (*NOTEBOOK_EXTENSIONS, *TABLE_EXTENSIONS):
        return
    changed = next((str(info[key]) for key in _CHANGE_KEYS if info.get(key)), "")
    size = int(info.get("size") or 0)
    is_file = not no_regular_file(fs, info["name"])
    parts = _row_groups(fs, info["name"], path) if is_file and extension == ".parquet" else 1
    for part in range(parts):
        yield Source(path=path, bytes=size, changed=changed, part=part)


def _row_groups(fs: Any, name: str, path: str) -> int:
    """The row groups of a Parquet file, at least one, so that an empty file is listed too."""
    try:
        with open_file(fs, name) as stream:
            return max(1, int(pq.ParquetFile(stream).num_row_groups))
    except (OSError, ValueError) as error:
        raise DLCodeGenError(f"{path}: cannot be read as Parquet ({error}); get or write it anew") from error
