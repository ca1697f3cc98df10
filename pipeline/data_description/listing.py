"""What lies in a folder: regular files by folder, within limits that end on any disk."""

from __future__ import annotations

import os
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from pipeline.data_description.description import SEED
from pipeline.data_description.tables.reading import PERHAPS_TABLES, SURE_TABLES, extension_of
from pipeline.data_description.wording import counted, listed
from pipeline.errors import DLCodeGenError

FOLDER_FILES = 200_000
"""Files of one folder that are listed."""
ALL_FILES = 1_000_000
"""Files that are listed in all."""
DEPTH = 6
"""Folders below the data folder that are looked into."""

FileKind = Literal["table", "image", "audio", "video", "text", "array", "archive", "annotation", "other"]

_KINDS: dict[FileKind, tuple[str, ...]] = {
    "table": SURE_TABLES,
    "image": tuple(".jpg .jpeg .jpe .png .bmp .gif .tif .tiff .webp .ppm .pgm".split()),
    "audio": tuple(".wav .mp3 .flac .ogg .oga .aif .aiff .m4a".split()),
    "video": tuple(".mp4 .avi .mov .mkv .webm .mpg .mpeg".split()),
    "text": (*PERHAPS_TABLES, ".md"),
    "array": (".npy", ".npz"),
    "archive": tuple(".zip .tar .tgz .7z .rar .tbz2 .txz".split()),
    "annotation": (".json", ".xml"),
}
_KIND_OF = {extension: kind for kind, extensions in _KINDS.items() for extension in extensions}


def kind_of(path: str) -> FileKind:
    """What a file is by its ending. A table or text may be compressed as a whole; `.tar.gz` is an archive."""
    extension, compression = extension_of(path)
    kind = _KIND_OF.get(extension, "other")
    if not compression:
        return kind
    return kind if kind in ("table", "text", "archive") else "archive" if not extension else "other"


@dataclass(kw_only=True, slots=True)
class Folder:
    """A folder with its regular files and its folders; hidden ones are left out."""

    path: str
    """Relative to the data folder; "" for itself."""
    files: dict[FileKind, list[str]] = field(default_factory=dict)
    """Names by kind, sorted."""
    folders: list[Folder] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    def of_kind(self, kind: FileKind) -> list[str]:
        return self.files.get(kind, [])

    def place(self, name: str) -> str:
        """The path of a file or folder in it."""
        return f"{self.path}/{name}" if self.path else name

    def count(self, kind: FileKind) -> int:
        """Files of a kind in it and below."""
        return len(self.of_kind(kind)) + sum(folder.count(kind) for folder in self.folders)

    def all_paths(self, kind: FileKind) -> list[str]:
        """The paths of the files of a kind in it and below."""
        below = [path for folder in self.folders for path in folder.all_paths(kind)]
        return [self.place(name) for name in self.of_kind(kind)] + below


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """A data folder as it lies on disk."""

    root: str
    folder: Folder
    notes: tuple[str, ...]
    whole: bool
    """Whether all files were listed; otherwise counts are lower bounds."""


def list_folder(root: str) -> Listing:
    """The files of a folder and its folders. Links are followed once; pipes, devices and sockets are left out.

    Raises DLCodeGenError where the folder cannot be read or holds no file.
    """
    top = Folder(path="")
    pending = deque([(top, root, 0)])
    seen_folders = set()
    files, odd, unreadable, whole = 0, 0, [], True
    # Folders of one level before those below: where the limit ends the walk, all classes have been seen.
    while pending:
        folder, path, depth = pending.popleft()
        try:
            state = os.stat(path)
            entries = os.scandir(path)
        except OSError:
            unreadable.append(folder.path or root)
            continue
        if (state.st_dev, state.st_ino) in seen_folders:
            continue  # a link to a folder that was seen
        seen_folders.add((state.st_dev, state.st_ino))
        listed_files = 0
        with entries:
            for entry in entries:
                if entry.name.startswith((".", "__MACOSX")) or entry.name in ("Thumbs.db", "desktop.ini"):
                    continue
                if _is_folder(entry):
                    folder.folders.append(Folder(path=folder.place(entry.name)))
                elif not _is_file(entry):
                    odd += 1
                elif listed_files == FOLDER_FILES or files == ALL_FILES:
                    whole = False
                    break
                else:
                    folder.files.setdefault(kind_of(entry.name), []).append(entry.name)
                    listed_files += 1
                    files += 1
        for names in folder.files.values():
            names.sort()
        folder.folders.sort(key=lambda below: below.path)
        if depth < DEPTH:
            pending.extend((below, os.path.join(path, below.name), depth + 1) for below in folder.folders)
    if unreadable and not files:
        raise DLCodeGenError(f"{root}: the folder cannot be read; check its permissions")
    if not files:
        raise DLCodeGenError(f"{root}: the folder holds no files; point to the data")
    notes = []
    if not whole:
        notes.append(f"only {files:,} files were listed: counts are lower bounds")
    if odd:
        notes.append(f"{counted(odd, 'entry', 'entries')} that are no regular files left out")
    if unreadable:
        notes.append(f"folders that cannot be read left out: {listed(unreadable)}")
    return Listing(root=root, folder=top, notes=tuple(notes), whole=whole)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:
        return False


def sampled(paths: Sequence[str], most: int) -> list[str]:
    """At most so many of the paths, chosen by chance but each time alike, in their order."""
    if len(paths) <= most:
        return list(paths)
    return [paths[position] for position in sorted(random.Random(SEED).sample(range(len(paths)), most))]
