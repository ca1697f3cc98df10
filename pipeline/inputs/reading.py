"""From a path or URL to requirements: which files there are, and all their rows under one count."""

from __future__ import annotations

import lzma
import os
import posixpath
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa

from pipeline.errors import DLCodeGenError
from pipeline.foreign_text import masked_url
from pipeline.inputs import artifact
from pipeline.inputs.formats import Reader, format_of
from pipeline.inputs.ids import UniqueIds
from pipeline.inputs.own_data import folder_of, with_own_data
from pipeline.inputs.rows import RawRow, requirement_of
from pipeline.records import Requirement
from pipeline.request.reading.reader import read_constraints
from pipeline.request.subject import subject_of
from pipeline.starter import (
    STARTER,
    STARTER_SAMPLES,
    STARTER_TORCH,
    reference_rows,
    requirement_rows,
    torch_reference_rows,
)
from pipeline.storage.opening import (
    NoRegularFileError,
    UnpackedTooLargeError,
    located,
    no_regular_file,
    open_file,
    require_regular,
)


def read_requirements(url: str, *, data: str = "", target: Sequence[str] = ()) -> Iterator[Requirement]:
    """Every row of the input once and in order, a bad one with `failure` set (stage `read`).

    `data` and `target` are the user's own data and what is to be predicted, for rows that name none in columns `data`
    and `target`; a path in a column is relative to the input's own folder.

    `url` is a path or any URL fsspec knows, of a .jsonl, .json, .csv, .tsv, .parquet or .txt file (also .gz, .bz2,
    .xz), of a folder of such files, read in the order of their paths (names that start with `.` or `_`, README, LICENSE
    and Markdown left out),
    or of a checkout of the DLCodeGen artifact; or it is `starter`, `starter-samples` or `starter-torch`, or a
    requirement itself.
    Memory is bounded by a line or a Parquet row group, and 32 bytes an id. Raises DLCodeGenError where the input
    cannot be read: at once for what its name and place tell, while reading for a file that turns out to be damaged,
    after its good rows.
    """
    for_all = os.path.abspath(os.path.expanduser(data)) if data else ""
    return with_own_data(_read_rows(url), folder_of(url), for_all, tuple(target))


def _read_rows(url: str) -> Iterator[Requirement]:
    if is_sentence(url):
        subject = subject_of(url, read_constraints(url))
        return _read_values("the sentence", [{"id": subject, "requirement": url}])
    if url == STARTER:
        return _read_values(url, requirement_rows())
    if url == STARTER_SAMPLES:
        return _read_values(url, reference_rows())
    if url == STARTER_TORCH:
        return _read_values(url, torch_reference_rows())
    if artifact.is_artifact(url):
        return artifact.read_benchmark(url)
    fs, paths = _find(url)
    # All files' formats before the first row: a folder with one that cannot be read fails at once, not after hours.
    return _read(fs, [_input_file(fs, path) for path in paths])


_FEWEST_WORDS = 3


def as_sentence(requirement: str) -> str:
    """The requirement as an input that is read as one, however short it is and whatever places have its name."""
    return requirement if is_sentence(requirement) else f"{requirement}\n"


def is_sentence(url: str) -> bool:
    """Whether an input is no place but a requirement, in at least three words: "classify cats and dogs"."""
    if "\n" in url:
        return True
    if len(url.split()) < _FEWEST_WORDS or "://" in url.split()[0] or url.startswith(("/", "./", "../", "~")):
        return False
    # A folder's name may have blanks; what follows one that is there is a file that is not.
    folder = os.path.dirname(url)
    return not os.path.exists(url) and not (folder and os.path.isdir(folder))


@dataclass(frozen=True, slots=True)
class _InputFile:
    path: str
    reader: Reader | None = None
    """None for a pipe, a device and whatever else is no file."""
    compression: str | None = None


def _input_file(fs: Any, path: str) -> _InputFile:
    return _InputFile(path) if no_regular_file(fs, path) else _InputFile(path, *format_of(_without_query(path)))


def _without_query(path: str) -> str:
    """A web address without what stands behind the file's name; only HTTP's paths are whole addresses."""
    return urlsplit(path).path if path.startswith(("http://", "https://")) else path


def _read_values(url: str, rows: Iterable[Mapping[str, Any]]) -> Iterator[Requirement]:
    ids = UniqueIds()
    for number, values in enumerate(rows):
        yield requirement_of(RawRow(f"{url}, row {number}", values), number, ids)


def _read(fs: Any, files: Sequence[_InputFile]) -> Iterator[Requirement]:
    """The rows of all files, under one count and with ids that are unique in all of them."""
    ids, row = UniqueIds(), 0
    for file in files:
        for raw in _raw_rows(fs, file):
            yield requirement_of(raw, row, ids)
            row += 1


def _raw_rows(fs: Any, file: _InputFile) -> Iterator[RawRow]:
    """The rows of one file; a failed one for what is no file, so that the others are read."""
    path, name = file.path, posixpath.basename(masked_url(file.path))
    if file.reader is None:
        reason = f"{no_regular_file(fs, path)}, not a regular file; copy what is in it to a file, or remove it"
        yield RawRow(name, problem=("no_file", reason))
        return
    try:
        with open_file(fs, path, file.compression) as stream:
            yield from file.reader(stream, name)
    except (NoRegularFileError, UnpackedTooLargeError):
        raise
    except DLCodeGenError as error:
        raise DLCodeGenError(f"{path}: {error}") from error
    except (OSError, EOFError, zlib.error, lzma.LZMAError, pa.ArrowException) as error:
        reason = f"cannot be read ({type(error).__name__}: {error})"
        raise DLCodeGenError(f"{path}: {reason}; it may be damaged or cut off, so get or write it anew") from error


def _find(url: str) -> tuple[Any, list[str]]:
    """The file system and the paths of the input's files on it."""
    try:
        fs, root = located(url)
        if fs.isfile(root):
            return fs, [root]
        if not fs.isdir(root):
            require_regular(fs, root)
            raise DLCodeGenError(f"{url}: no such file or folder; check the path, or ask in three words or more")
        paths = [path for path in sorted(fs.find(root)) if not _is_hidden(path, root)]
        files = [path for path in paths if not _is_about_the_folder(path)]
    except DLCodeGenError:
        raise
    # Each storage service has errors of its own (credentials, names, network) with no common base.
    except Exception as error:
        raise DLCodeGenError(f"{url}: cannot be opened ({type(error).__name__}: {error}); check the URL") from error
    if not files:
        raise DLCodeGenError(f"{url}: the folder holds no files; point to requirements")
    return fs, files


def _is_about_the_folder(path: str) -> bool:
    """Whether a file is for people who look into the folder: README.md, LICENSE."""
    stem, extension = posixpath.splitext(posixpath.basename(path).lower())
    return extension in (".md", ".markdown", ".rst") or stem in ("readme", "license", "licence", "changelog", "notice")


def _is_hidden(path: str, root: str) -> bool:
    """Whether the file, or a folder on the way to it, is bookkeeping: `_SUCCESS`, `.crc`, `_temporary/` (Hadoop's)."""
    parts = posixpath.relpath(path, root).split("/")
    return any(part.startswith((".", "_")) for part in parts)
