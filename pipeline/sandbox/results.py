"""Files that a project leaves for its caller. Standard library only: see `supervisor`."""

from __future__ import annotations

import base64
import contextlib
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch

_ENTRIES = 20_000
"""How many names of a project's folder are looked at."""

_FILES = 200
"""How many files come back at most."""


@dataclass(frozen=True, slots=True)
class ResultFile:
    """A file from a project's folder."""

    path: str
    """Below the folder, with slashes."""

    content: str
    """In base64; "" where it is `too_large`."""

    size: int
    too_large: bool = False


def read_results(folder: str, patterns: Sequence[str], most_bytes: int) -> list[ResultFile]:
    """The folder's plain files whose paths fit one of the patterns (fnmatch), those in the fewest folders first: of a
    project that writes thousands of images as its data, the plots beside its script.

    Links are not followed and nothing but plain files is opened. What does not fit into `most_bytes` in all comes
    without its content."""
    if not patterns:
        return []
    files: list[ResultFile] = []
    for path in _plain_files(folder):
        if len(files) == _FILES:
            break
        if any(fnmatch(path, pattern) for pattern in patterns):
            with contextlib.suppress(OSError):
                file = _read(folder, path, most_bytes)
                most_bytes -= 0 if file.too_large else file.size
                files.append(file)
    return files


def _plain_files(folder: str) -> list[str]:
    """Paths below the folder, by depth and name; of a folder with more entries than are looked at, some."""
    paths = []
    waiting = [""]
    seen = 0
    while waiting and seen < _ENTRIES:
        below = waiting.pop()
        with contextlib.suppress(OSError), os.scandir(os.path.join(folder, below)) as entries:
            for entry in entries:
                seen += 1
                path = os.path.join(below, entry.name)
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(path)
                elif entry.is_file(follow_symlinks=False):
                    paths.append(path)
    return sorted(paths, key=lambda path: (path.count("/"), path))


def _read(folder: str, path: str, most_bytes: int) -> ResultFile:
    file = os.open(os.path.join(folder, path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with open(file, "rb") as stream:
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(f"{path} is no plain file")
        if status.st_size > most_bytes:
            return ResultFile(path, "", status.st_size, too_large=True)
        content = stream.read(most_bytes)
        return ResultFile(path, base64.b64encode(content).decode("ascii"), len(content))
