"""Disks that are full, read-only, forbidden or rationed: one line that names the file, the cause and the way out."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.full_disks import needs_mounts, needs_root, on_tmpfs

_SCRIPT = """
import os, random, sys
from pathlib import Path
from pipeline.errors import StorageError
from pipeline.calls import CallMeasures
from pipeline.storage.files import write_bytes
from pipeline.storage.parquet import record_writer

def records(url):
    with record_writer(url, CallMeasures, 1) as writer:
        for number in range(40_000):
            writer.add(CallMeasures(seconds=random.random(), cached=False, cached_tokens=number, cost=random.random()))

folder = sys.argv[1]
if sys.argv[2:]:
    os.setuid(65534)  # not before the imports: the interpreter may lie in a folder of root's
for write in (lambda: write_bytes(folder + "/file", os.urandom(200_000)), lambda: records(folder + "/part.parquet")):
    try:
        write()
        print("written")
    except StorageError as error:
        print(error)
print(sorted(path.name for path in Path(folder).iterdir()))
"""


def _said(command: list[str]) -> list[str]:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def _check(said: list[str], folder: Path, reason: str) -> None:
    """Nothing is written, and nothing of it left."""
    goes_on = "and the same command goes on where it stopped"
    assert said == [f"{folder}/file: {reason}, {goes_on}", f"{folder}/part.parquet: {reason}, {goes_on}", "[]"]


@needs_mounts
def test_a_full_disk(tmp_path: Path) -> None:
    said = _said(on_tmpfs(tmp_path, "size=64k", [sys.executable, "-c", _SCRIPT, str(tmp_path)]))
    _check(said, tmp_path, "No space left on device; make room there")


@needs_mounts
def test_a_read_only_disk(tmp_path: Path) -> None:
    said = _said(on_tmpfs(tmp_path, "ro", [sys.executable, "-c", _SCRIPT, str(tmp_path)]))
    _check(said, tmp_path, "Read-only file system; make it writable")


@needs_root
def test_a_folder_of_somebody_else() -> None:
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are closed to others
        Path(name).chmod(0o755)
        said = _said([sys.executable, "-c", _SCRIPT, name, "as nobody"])
    _check(said, Path(name), "Permission denied; allow this user to write there")


def test_a_limit_on_what_a_user_may_write(tmp_path: Path) -> None:
    limited = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))\n{_SCRIPT}"
    said = _said([sys.executable, "-c", limited, str(tmp_path)])
    _check(said, tmp_path, "File too large; raise the limit on the size of files (ulimit -f)")
