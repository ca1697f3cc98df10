"""Files on local disk or any fsspec URL, written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import IO, Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

TEMPORARY = ".tmp-"
"""How the name of a file that is still being written starts; a killed process leaves such files behind."""


def join(folder: str, *names: str) -> str:
    return "/".join([folder.rstrip("/"), *names])


def exists(url: str) -> bool:
    filesystem, path = fsspec.core.url_to_fs(url)
    return bool(filesystem.exists(path))


def remove(url: str) -> None:
    """Removes a file; one that is not there is no error."""
    filesystem, path = fsspec.core.url_to_fs(url)
    with suppress(FileNotFoundError):
        filesystem.rm_file(path)


def read_bytes(url: str) -> bytes:
    filesystem, path = fsspec.core.url_to_fs(url)
    data: bytes = filesystem.cat_file(path)
    return data


@contextmanager
def atomic_writer(url: str, *, durable: bool = False) -> Iterator[IO[bytes]]:
    """A binary stream whose content appears under `url` when the block ends, and never if it raises or is killed.

    Locally through a temporary file beside it and a rename, with `durable` also on the disk before it appears.
    Elsewhere through a local temporary file and one upload, which object stores show only once it is complete.
    """
    filesystem, path = fsspec.core.url_to_fs(url)
    folder, _, name = path.rpartition("/")
    filesystem.makedirs(folder, exist_ok=True)
    if not isinstance(filesystem, LocalFileSystem):
        with tempfile.NamedTemporaryFile() as stream:
            yield stream
            stream.flush()
            filesystem.put_file(stream.name, path)
        return
    temporary = f"{folder}/{TEMPORARY}{uuid.uuid4().hex}-{name}"
    try:
        with open(temporary, "wb") as stream:
            yield stream
            stream.flush()
            if durable:
                os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise


def write_bytes(url: str, data: bytes, *, durable: bool = False) -> None:
    """Writes a whole file atomically."""
    with atomic_writer(url, durable=durable) as stream:
        stream.write(data)


def read_json(url: str) -> dict[str, Any] | None:
    """An object in a JSON file; None where there is no file (yet)."""
    if not exists(url):
        return None
    return dict(json.loads(read_bytes(url)))


def write_json(url: str, value: Mapping[str, object]) -> None:
    """Writes an object as a JSON file that appears whole."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    write_bytes(url, text.encode("utf-8", "backslashreplace") + b"\n", durable=True)


def upload_files(folder: str, url: str) -> None:
    """Copies the files of a local folder to a folder on disk or at a URL, each of them whole or not at all."""
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if entry.is_file():
            with open(entry.path, "rb") as source, atomic_writer(join(url, entry.name), durable=True) as target:
                shutil.copyfileobj(source, target)


def download_files(url: str, folder: str) -> None:
    """Copies the finished files of a folder on disk or at a URL into a local folder."""
    filesystem, path = fsspec.core.url_to_fs(url)
    for name in names_in(url):
        filesystem.get_file(join(str(path), name), join(folder, name))


def names_in(folder: str) -> list[str]:
    """Names of the finished files in a folder, sorted; none where there is no folder."""
    filesystem, path = fsspec.core.url_to_fs(folder)
    filesystem.invalidate_cache(path)
    try:
        paths = [str(path) for path in filesystem.ls(path, detail=False)]
    except FileNotFoundError:
        return []
    # Object stores end the name of a folder in a slash.
    names = [path.rstrip("/").rsplit("/", 1)[-1] for path in paths]
    return sorted(name for name in names if not name.startswith(TEMPORARY))


def remove_temporary(folder: str) -> None:
    """Removes what killed writers left in a local folder."""
    filesystem, path = fsspec.core.url_to_fs(folder)
    if isinstance(filesystem, LocalFileSystem) and os.path.isdir(path):
        for name in os.listdir(path):
            if name.startswith(TEMPORARY):
                with suppress(FileNotFoundError):
                    os.unlink(os.path.join(path, name))


def fingerprint(url: str) -> str:
    """Sixteen hexadecimal digits that change when a file, or a file in a folder, does: by name, size and date or tag.

    A location that is no file (`starter`) is its own fingerprint.
    """
    filesystem, path = fsspec.core.url_to_fs(url)
    digest = hashlib.sha256(url.encode("utf-8", "replace"))
    if filesystem.exists(path):
        for name in sorted(filesystem.find(path)):
            info = filesystem.info(name)
            digest.update(f"{name}\0{info.get('size')}\0{_changed(info)}\n".encode("utf-8", "replace"))
    return digest.hexdigest()[:16]


def _changed(info: Mapping[str, Any]) -> object:
    """What tells one content of a file from the next, by whatever name its file system has for that."""
    for key in ("ETag", "etag", "mtime", "LastModified", "created"):
        if info.get(key):
            return info[key]
    return ""
