"""Files on local disk or any fsspec URL, written whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import IO, Any

from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem

from pipeline.errors import StorageError
from pipeline.foreign_text import without_secrets
from pipeline.storage.object_stores import is_object_store
from pipeline.storage.opening import located, require_regular

TEMPORARY = ".tmp-"
"""How the name of a file that is still being written starts; a killed process leaves such files behind."""

_WAYS_OUT = {
    errno.ENOSPC: "make room there",
    errno.EDQUOT: "make room within the quota",
    errno.EFBIG: "raise the limit on the size of files (ulimit -f)",
    errno.EROFS: "make it writable",
    errno.EACCES: "allow this user to write there",
    errno.EPERM: "allow this user to write there",
    errno.EBUSY: "wait until it answers",
    errno.EMFILE: "raise the limit on open files (ulimit -n)",
}
"""What to do about what a file system refuses, by the number of its error."""


def join(folder: str, *names: str) -> str:
    return "/".join([folder.rstrip("/"), *names])


def exists(url: str) -> bool:
    filesystem, path = located(url)
    return bool(filesystem.exists(path))


def remove(url: str) -> None:
    """Removes a file; one that is not there is no error."""
    filesystem, path = located(url)
    with suppress(FileNotFoundError):
        filesystem.rm_file(path)


def read_bytes(url: str) -> bytes:
    filesystem, path = located(url)
    require_regular(filesystem, path)
    try:
        data: bytes = filesystem.cat_file(path)
    except FileNotFoundError:
        raise
    except OSError as error:
        if isinstance(filesystem, LocalFileSystem):
            raise
        raise StorageError(storage_error_line(error, url)) from error  # which file it was, no client of a store says
    return data


@contextmanager
def atomic_writer(url: str, *, durable: bool = True, private: bool = False) -> Iterator[IO[bytes]]:
    """A binary stream whose content appears under `url` when the block ends, and never if it raises or is killed.

    Locally through a temporary file beside it and a rename; file and name are on the disk when the block has ended,
    unless it is not to be `durable` (many small files that the same command writes again); a `private` one is readable
    for its owner alone. Elsewhere through a local temporary file and one upload, which object stores show only once it
    is complete. Raises StorageError where the file cannot be written.
    """
    filesystem, path = located(url)
    if isinstance(filesystem, LocalFileSystem):
        writer = _local_writer(path, durable, private)
    else:
        writer = _uploading_writer(filesystem, path)
    with storage_errors(url), writer as stream:
        yield stream


@contextmanager
def _local_writer(path: str, durable: bool, private: bool) -> Iterator[IO[bytes]]:
    folder, _, name = path.rpartition("/")
    os.makedirs(folder, exist_ok=True)
    temporary = f"{folder}/{TEMPORARY}{uuid.uuid4().hex}-{name}"
    try:
        with open(temporary, "wb", opener=_private_opener if private else None) as stream:
            yield stream
            stream.flush()
            if durable:
                os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):  # what went wrong first is what counts
            os.unlink(temporary)
        raise
    if durable:
        _sync_folder(folder)


def _private_opener(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sync_folder(folder: str) -> None:
    """A rename is on the disk once the folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some network file systems sync no folders
            raise
    finally:
        os.close(descriptor)


@contextmanager
def _uploading_writer(filesystem: AbstractFileSystem, path: str) -> Iterator[IO[bytes]]:
    if not is_object_store(filesystem):  # to look whether there is a bucket is a request more for each file
        filesystem.makedirs(path.rpartition("/")[0], exist_ok=True)
    with tempfile.TemporaryFile() as stream:  # without a name, so that a kill leaves nothing
        yield stream
        stream.flush()
        stream.seek(0)
        try:
            filesystem.put_file(f"/dev/fd/{stream.fileno()}", path)
        except Exception as error:  # each file system has exceptions of its own
            refused = error if isinstance(error, OSError) else OSError(str(error) or type(error).__name__)
            raise StorageError(storage_error_line(refused, filesystem.unstrip_protocol(path))) from error


@contextmanager
def storage_errors(url: str) -> Iterator[None]:
    """Raises what the block meets of full, read-only and forbidden disks as a StorageError that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno is None:  # said by a library, of something that was read; or a StorageError already
            raise
        raise StorageError(storage_error_line(error, url)) from error


def storage_error_line(error: OSError, url: str = "") -> str:
    """A file that cannot be written, or read, in one line: which, why, and what to do. `url` counts where the error
    names no file of its own."""
    file = str(error.filename or url)
    if TEMPORARY in file:
        file = url
    reason = (error.strerror or str(error) or type(error).__name__).rstrip(".")
    way_out = _WAYS_OUT.get(error.errno or 0, "see to that")
    return f"{file or 'a file'}: {reason}; {way_out}, and the same command goes on where it stopped"


def write_bytes(url: str, data: bytes, *, durable: bool = True, private: bool = False) -> None:
    """Writes a whole file atomically."""
    with atomic_writer(url, durable=durable, private=private) as stream:
        stream.write(data)


def read_json(url: str) -> dict[str, Any] | None:
    """An object in a JSON file; None where there is no file (yet)."""
    try:
        return dict(json.loads(read_bytes(url)))
    except FileNotFoundError:
        return None


def write_json(url: str, value: Mapping[str, object], *, public: bool = False) -> None:
    """Writes an object as a JSON file that appears whole; addresses in a `public` one are without their secrets."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    if public:
        text = without_secrets(text)
    write_bytes(url, text.encode("utf-8", "backslashreplace") + b"\n")


def write_manifest(folder: str, manifest: Mapping[str, object]) -> None:
    """Writes what a result was made from and by, as manifest.json in its folder."""
    write_json(join(folder, "manifest.json"), manifest, public=True)


def upload_files(folder: str, url: str) -> None:
    """Copies the files of a local folder to a folder on disk or at a URL, each of them whole or not at all."""
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if entry.is_file():
            with open(entry.path, "rb") as source, atomic_writer(join(url, entry.name)) as target:
                shutil.copyfileobj(source, target)


def download_files(url: str, folder: str) -> None:
    """Copies the finished files of a folder on disk or at a URL into a local folder."""
    filesystem, path = located(url)
    for name in names_in(url):
        filesystem.get_file(join(str(path), name), join(folder, name))


def names_in(folder: str) -> list[str]:
    """Names of the finished files in a folder, sorted; none where there is no folder."""
    filesystem, path = located(folder)
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
    filesystem, path = located(folder)
    if isinstance(filesystem, LocalFileSystem) and os.path.isdir(path):
        for name in os.listdir(path):
            if name.startswith(TEMPORARY):
                with suppress(FileNotFoundError):
                    os.unlink(os.path.join(path, name))


def remove_leftovers(folder: str) -> None:
    """Removes what killed writers left in a local folder and all folders in it."""
    filesystem, path = located(folder)
    if isinstance(filesystem, LocalFileSystem):
        for inner, _, names in os.walk(path):
            if any(name.startswith(TEMPORARY) for name in names):
                remove_temporary(inner)


def fingerprint(url: str) -> str:
    """Sixteen hexadecimal digits that change when a file, or a file in a folder, does: by name, size and date or tag.

    A location that is no file (`starter`) is its own fingerprint.
    """
    filesystem, path = located(url)
    digest = hashlib.sha256(url.encode("utf-8", "replace"))
    if filesystem.exists(path):
        for name in sorted(filesystem.find(path)):
            info: Mapping[str, Any] = {}
            with suppress(OSError):  # a link to itself: its name is all there is
                info = filesystem.info(name)
            digest.update(f"{name}\0{info.get('size')}\0{_changed(info)}\n".encode("utf-8", "replace"))
    return digest.hexdigest()[:16]


def _changed(info: Mapping[str, Any]) -> object:
    """What tells one content of a file from the next, by whatever name its file system has for that."""
    for key in ("ETag", "etag", "mtime", "LastModified", "created"):
        if info.get(key):
            return info[key]
    return ""
