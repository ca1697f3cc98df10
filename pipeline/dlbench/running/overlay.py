"""A repository with one file exchanged, as a folder of links: private to a candidate, and read-only for it.

Only the folders above the target's file are made anew; whatever lies beside them is a link to where it is.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from pipeline.dlbench.running.repository import Located

_CACHE = "__pycache__"


@contextmanager
def overlay(located: Located, text: str) -> Iterator[Path]:
    """The folder, for as long as the block takes; `text` is the target's file in it."""
    with tempfile.TemporaryDirectory(prefix="dlbench-") as made:
        folder = Path(made)
        folder.chmod(0o755)  # projects run as a user of their own
        if located.files:
            for file in located.files:
                _write(folder / file.path, text if file.path == located.path else file.text)
        else:
            _mirror(Path(located.root), folder, PurePosixPath(located.path).parts, located.tops)
            _write(folder / located.path, text)
        yield folder


def _mirror(source: Path, folder: Path, parts: tuple[str, ...], tops: tuple[str, ...]) -> None:
    """Links to all that lies in `source` but the first of `parts`, which is mirrored likewise."""
    for entry in os.scandir(source):
        if tops and entry.name not in tops:
            continue
        if entry.name == parts[0]:
            if len(parts) > 1:
                (folder / entry.name).mkdir()
                _mirror(source / entry.name, folder / entry.name, parts[1:], ())
        elif entry.name == _CACHE and len(parts) == 1:
            _link_caches(source / _CACHE, folder / _CACHE, parts[0])
        elif entry.name != ".git":
            os.symlink(entry.path, folder / entry.name)


def _link_caches(source: Path, folder: Path, exchanged: str) -> None:
    """Links to compiled modules but the exchanged one's: Python would take that for up to date if it never checks."""
    folder.mkdir()
    stem = exchanged.removesuffix(".py")
    for entry in os.scandir(source):
        if not entry.name.startswith(f"{stem}."):
            os.symlink(entry.path, folder / entry.name)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        file.write(text)
