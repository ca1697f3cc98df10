"""Opening what others have made: files and nothing else, and of what unpacks no more than can be meant.

A pipe or a device has no end, a few kilobytes of gzip or Parquet can hold gigabytes of one repeated byte. Both are told
in a line of their own instead of a process that hangs or runs out of memory.
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, BinaryIO, cast

import fsspec
from fsspec.implementations.local import LocalFileSystem

from pipeline.errors import DLCodeGenError
from pipeline.storage.object_stores import wait_out

UNPACKED_VARIABLE = "DLCODEGEN_UNPACKED_BYTES"
"""The environment variable that sets how many bytes a file may always unpack to."""

UNPACKED_BYTES = 256 * 2**20
"""Its default."""

UNPACKED_TIMES = 100
"""How many times its own size a file may unpack to, where that is more. Text comes to 3 to 20 times, gzip can reach
1,000 times, Parquet any number."""

_BUFFER = 256 * 2**10

_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
}


class NoRegularFileError(DLCodeGenError):
    """What lies under a name is a pipe, a device, a folder, or a link to nothing."""


class UnpackedTooLargeError(DLCodeGenError):
    """A file unpacks to more than it may."""


def located(url: str) -> tuple[Any, str]:
    """The file system of a path or URL, and the path on it. Raises DLCodeGenError for what is neither."""
    first, chained, _ = url.partition("::")
    if chained and first.partition("://")[0] not in fsspec.available_protocols():
        reason = f"`::` chains file systems, and {first!r} is none"
        raise DLCodeGenError(f"{url}: {reason}; rename the file, or check the URL")
    try:
        filesystem, path = fsspec.core.url_to_fs(url)
    except ImportError as error:
        raise DLCodeGenError(f"{url}: {error}") from error
    # Each storage service has errors of its own (credentials, names, network) with no common base.
    except Exception as error:
        raise DLCodeGenError(f"{url}: cannot be opened ({type(error).__name__}: {error}); check the URL") from error
    wait_out(filesystem)
    return filesystem, str(path)


def no_regular_file(filesystem: Any, path: str) -> str:
    """What a local path leads to where that is no regular file: "a named pipe". Otherwise, and where there is nothing
    at all, ""."""
    if not isinstance(filesystem, LocalFileSystem):
        return ""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return "a link to nothing" if os.path.islink(path) else ""
    return "" if stat.S_ISREG(mode) else _KINDS.get(stat.S_IFMT(mode), "no regular file")


@contextmanager
def open_input(url: str, compression: str | None = None) -> Iterator[BinaryIO]:
    """`open_file` of a path or URL."""
    filesystem, path = located(url)
    with open_file(filesystem, path, compression) as stream:
        yield stream


@contextmanager
def open_file(filesystem: Any, path: str, compression: str | None = None) -> Iterator[BinaryIO]:
    """A file's bytes, unpacked where a compression is given, as fsspec names it (`infer`: by the extension).

    Raises OSError where it cannot be opened, NoRegularFileError for what is no file, and while it is read
    UnpackedTooLargeError.
    """
    require_regular(filesystem, path)
    with filesystem.open(path, "rb", compression=compression) as stream:
        if compression is None or (compression == "infer" and fsspec.utils.infer_compression(path) is None):
            yield stream
        else:
            unpacking = Unpacking(path, int(filesystem.info(path).get("size") or 0))
            yield cast(BinaryIO, io.BufferedReader(_Unpacked(stream, unpacking), _BUFFER))


def require_regular(filesystem: Any, path: str) -> None:
    """Raises NoRegularFileError for a path that leads to something else than a regular file."""
    if kind := no_regular_file(filesystem, path):
        raise NoRegularFileError(f"{path}: {kind}, not a regular file; copy what is in it to a file")


class Unpacking:
    """Counts what a file of `size` bytes unpacks to; `name` is for messages."""

    def __init__(self, name: str, size: int) -> None:
        self._name = name
        self._size = size
        self._most = max(_always_allowed(), UNPACKED_TIMES * size)
        self._bytes = 0

    def add(self, count: int) -> None:
        self._bytes += count
        self.check(self._bytes)

    def check(self, count: int) -> None:
        """Raises UnpackedTooLargeError where so many bytes are too many."""
        if count > self._most:
            raise UnpackedTooLargeError(
                f"{self._name}: {self._size:,} bytes that unpack to more than {self._most:,}; if they are meant to, "
                f"set {UNPACKED_VARIABLE}"
            )


def _always_allowed() -> int:
    text = os.environ.get(UNPACKED_VARIABLE, str(UNPACKED_BYTES))
    if not text.isascii() or not text.isdigit():
        raise DLCodeGenError(f"{UNPACKED_VARIABLE}={text}: give a number of bytes, such as {UNPACKED_BYTES}")
    return int(text)


class _Unpacked(io.RawIOBase):
    """An unpacking stream that ends with an error where it gives too much."""

    def __init__(self, stream: IO[bytes], unpacking: Unpacking) -> None:
        self._stream = stream
        self._unpacking = unpacking

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer))
        self._unpacking.add(len(data))
        buffer[: len(data)] = data
        return len(data)
