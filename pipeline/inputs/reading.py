"""From a path or URL to requirements: which files there are, and all their rows under one count."""

from __future__ import annotations

import lzma
import posixpath
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import fsspec
import pyarrow as pa

from pipeline.errors import DLCodeGenError
from pipeline.inputs import artifact
from pipeline.inputs.formats import Reader, format_of
from pipeline.inputs.ids import UniqueIds
from pipeline.inputs.rows import RawRow, requirement_of
from pipeline.records import Requirement
from pipeline.starter import STARTER, STARTER_SAMPLES, reference_rows, requirement_rows


def read_requirements(url: str) -> Iterator[Requirement]:
    """Every row of the input once and in order, a bad one with `failure` set (stage `read`).

    `url` is a path or any URL fsspec knows, of a .jsonl, .json, .csv, .tsv, .parquet or .txt file (also .gz, .bz2,
    .xz), of a folder of such files, read in the order of their paths (names that start with `.` or `_` left out), or
    of a checkout of the DLCodeGen artifact; or it is `starter` or `starter-samples`. Memory is bounded by a line or a
    Parquet row group, and 32 bytes an id. Raises DLCodeGenError where the input cannot be read: at once for what its
    name and place tell, while reading for a file that turns out to be damaged, after its good rows.
    """
    if url == STARTER:
        return _read_bundled(url, requirement_rows())
    if url == STARTER_SAMPLES:
        return _read_bundled(url, reference_rows())
    if artifact.is_artifact(url):
        return artifact.read_benchmark(url)
    fs, paths = _find(url)
    # All files' formats before the first row: a folder with one that cannot be read fails at once, not after hours.
    return _read(fs, [_InputFile(path, *format_of(path)) for path in paths])


@dataclass(frozen=True, slots=True)
class _InputFile:
    path: str
    reader: Reader
    compression: str | None


def _read_bundled(url: str, rows: Iterable[Mapping[str, Any]]) -> Iterator[Requirement]:
    ids = UniqueIds()
    for number, values in enumerate(rows):
        yield requirement_of(RawRow(f"{url}, row {number}", values), number, ids)


def _read(fs: Any, files: Sequence[_InputFile]) -> Iterator[Requirement]:
    """The rows of all files, under one count and with ids that are unique in all of them."""
    ids, row = UniqueIds(), 0
    for file in files:
        path = file.path
        try:
            with fs.open(path, "rb", compression=file.compression) as stream:
                for raw in file.reader(stream, posixpath.basename(path)):
                    yield requirement_of(raw, row, ids)
                    row += 1
        except DLCodeGenError as error:
            raise DLCodeGenError(f"{path}: {error}") from error
        except (OSError, EOFError, zlib.error, lzma.LZMAError, pa.ArrowException) as error:
            reason = f"cannot be read ({type(error).__name__}: {error})"
            raise DLCodeGenError(f"{path}: {reason}; it may be damaged or cut off, so get or write it anew") from error


def _find(url: str) -> tuple[Any, list[str]]:
    """The file system and the paths of the input's files on it."""
    try:
        fs, root = fsspec.url_to_fs(url)
        if fs.isfile(root):
            return fs, [root]
        if not fs.isdir(root):
            raise DLCodeGenError(f"{url}: no such file or folder; check the path")
        files = [path for path in sorted(fs.find(root)) if not _is_hidden(path, root)]
    except DLCodeGenError:
        raise
    except ImportError as error:
        raise DLCodeGenError(f"{url}: {error}") from error
    # Each storage service has errors of its own (credentials, names, network) with no common base.
    except Exception as error:
        raise DLCodeGenError(f"{url}: cannot be opened ({type(error).__name__}: {error}); check the URL") from error
    if not files:
        raise DLCodeGenError(f"{url}: the folder holds no files; point to requirements")
    return fs, files


def _is_hidden(path: str, root: str) -> bool:
    """Whether the file, or a folder on the way to it, is bookkeeping: `_SUCCESS`, `.crc`, `_temporary/` (Hadoop's)."""
    parts = posixpath.relpath(path, root).split("/")
    return any(part.startswith((".", "_")) for part in parts)
