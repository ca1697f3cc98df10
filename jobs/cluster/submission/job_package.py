"""What a submitted job brings along: the program's packages, without tests, and the local files that its words name."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from pipeline.errors import DLCodeGenError

_PROGRAM = Path(__file__).parents[3]
_PACKAGES = ("pipeline", "corpus_build", "serving", "jobs")

FILES = "submitted"
"""The folder in the package for the user's files. A job starts in its package, on every machine."""

MOST_BYTES = 200 * 2**20
"""So much of the user's files is sent along: Ray keeps packages in the head's memory, of 500 MiB at most."""

_OUT = "--out"


def pack_job(words: Sequence[str], folder: str, shared: Sequence[str] = ()) -> list[str]:
    """Writes the package of a job into an empty folder, and gives the job's words as they are to be there: local files
    and folders by their places in the package.

    What lies under the paths `shared` is the same on all machines and stays where it is. Raises DLCodeGenError where
    the results would go to a machine's own disk, or the files are too large to be sent.
    """
    _require_lasting_out(words, shared)
    for package in _PACKAGES:
        shutil.copytree(_PROGRAM / package, Path(folder, package), ignore=shutil.ignore_patterns("__pycache__", ".*"))
    files = _Files(Path(folder, FILES), shared)
    packed: list[str] = []
    for position, word in enumerate(words):
        if position and words[position - 1] == _OUT:
            packed.append(_absolute(word))
        elif word.startswith(f"{_OUT}="):
            packed.append(f"{_OUT}={_absolute(word.partition('=')[2])}")
        else:
            packed.append(files.sent(word))
    return packed


def _require_lasting_out(words: Sequence[str], shared: Sequence[str]) -> None:
    out = _option(words, _OUT)
    if not out:
        raise DLCodeGenError(f"no {_OUT}; give a URL, such as s3://bucket/run1, or a folder under --shared")
    if "://" not in out and not _is_under(out, shared):
        raise DLCodeGenError(
            f"{_OUT} {out}: the job's machines have disks of their own, where nobody finds it; give a URL, such as "
            "s3://bucket/run1, or a folder under --shared, a path that is the same disk on all machines"
        )


def _absolute(out: str) -> str:
    return out if "://" in out else os.path.abspath(out)


def _option(words: Sequence[str], name: str) -> str:
    for position, word in enumerate(words):
        if word.startswith(f"{name}="):
            return word.partition("=")[2]
        if word == name and position + 1 < len(words):
            return words[position + 1]
    return ""


def _is_under(path: str, folders: Sequence[str]) -> bool:
    absolute = os.path.abspath(path)
    return any(os.path.commonpath([absolute, os.path.abspath(folder)]) == os.path.abspath(folder) for folder in folders)


class _Files:
    """The user's files in the package, each under a number of its own, for names may repeat."""

    def __init__(self, folder: Path, shared: Sequence[str]) -> None:
        self._folder = folder
        self._shared = shared
        self._count = 0
        self._bytes = 0

    def sent(self, word: str) -> str:
        """A word of the job. A path, by itself, in `key=PATH` or in `key=kind:PATH`, leads into the package."""
        start = self._path_start(word)
        if start is None:
            return word
        path = word[start:]
        if _is_under(path, self._shared):
            return word[:start] + os.path.abspath(path)
        self._bytes += _size(path)
        if self._bytes > MOST_BYTES:
            raise DLCodeGenError(
                f"{path}: with it more than {MOST_BYTES >> 20} MiB of files would be sent along; put it where all "
                "machines reach it (s3://bucket/..., or a path under --shared)"
            )
        place = self._folder / str(self._count) / os.path.basename(os.path.abspath(path))
        self._count += 1
        place.parent.mkdir(parents=True)
        if os.path.isdir(path):
            shutil.copytree(path, place)
        else:
            shutil.copyfile(path, place)
        return word[:start] + place.relative_to(self._folder.parent).as_posix()

    @staticmethod
    def _path_start(word: str) -> int | None:
        """Where in a word the path of a local file or folder begins; None where it holds none."""
        for start in (0, word.find("=") + 1, word.find(":", word.find("=") + 1) + 1):
            if word[start:] and not word.startswith("-") and os.path.exists(word[start:]):
                return start
        return None


def _size(path: str) -> int:
    if os.path.isfile(path):
        return os.path.getsize(path)
    return sum(os.path.getsize(os.path.join(inner, name)) for inner, _, names in os.walk(path) for name in names)
