"""Jobs on disks that are full or read-only: one line that says what to do, and an exit code."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from ray.exceptions import RayTaskError, WorkerCrashedError

from jobs.cluster.faults import plain_fault
from jobs.cluster.ray_start import start_ray
from pipeline.errors import FaultError, StorageError
from tests.corpus_build.notebooks import code, notebook
from tests.full_disks import needs_mounts, on_tmpfs


def _job(*words: str) -> list[str]:
    return [sys.executable, "-m", "jobs.cli", *words]


def _last_line(command: list[str], code: int) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("dlcodegen: ")]
    return line


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where a small disk is mounted."""
    place = tmp_path / "disk"
    place.mkdir()
    return place


@needs_mounts
def test_a_disk_that_fills_up_in_mid_run_ends_the_job_in_a_line(place: Path, tmp_path: Path) -> None:
    for number in range(20):
        cells = [code(f"import keras\nmodel = keras.Sequential([keras.layers.Dense({number})])\nmodel.fit(x, y)")]
        (tmp_path / f"{number}.ipynb").write_bytes(notebook(*cells))
    out = f"{place}/out"
    line = _last_line(on_tmpfs(place, "size=16k", _job("corpus", "build", str(tmp_path), "--out", out)), code=1)
    assert line.startswith(f"dlcodegen: {out}/")
    assert "No space left on device; make room there, and the same command goes on" in line


@needs_mounts
@pytest.mark.parametrize(
    "words",
    [
        ["fit-planner", "--data", "starter"],
        ["dlbench", "certify", "bundled"],
        ["bench", "projects", "table"],
        ["new", "Classify photos of nine kinds of mushrooms"],
    ],
)
def test_a_full_disk_is_named_by_every_job(words: list[str], place: Path) -> None:
    line = _last_line(on_tmpfs(place, "size=16k", _job(*words, "--out", f"{place}/out")), code=1)
    assert line.startswith(f"dlcodegen: {place}/out")
    assert "No space left on device; make room there, and the same command goes on" in line


@needs_mounts
@pytest.mark.parametrize("words", [["generate", "starter"], ["fit-planner", "--data", "starter"]])
def test_a_disk_that_cannot_be_written_is_named_before_any_work(words: list[str], place: Path) -> None:
    line = _last_line(on_tmpfs(place, "ro", _job(*words, "--out", f"{place}/out")), code=2)
    assert line == f"dlcodegen: --out {place}/out: cannot be written (Read-only file system); choose another folder"


def test_a_cluster_that_does_not_answer_is_named() -> None:
    with socket.socket() as unheard:  # bound, but nobody listens
        unheard.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unheard.getsockname()[1]}"
        with pytest.raises(FaultError, match=f"no Ray cluster answers at address={address} .*Connection refused"):
            start_ray(address, None)


def test_a_lost_process_is_told_from_a_bug() -> None:
    plain = plain_fault(WorkerCrashedError())
    assert isinstance(plain, FaultError)
    assert "the same command goes on" in str(plain)
    bug = RayTaskError("work", "Traceback ...", KeyError("column"))
    assert plain_fault(bug) is bug


def test_a_full_disk_in_a_worker_is_a_full_disk() -> None:
    error = RayTaskError("work", "Traceback ...", StorageError("out/part-1: No space left on device; make room there"))
    assert str(plain_fault(error.as_instanceof_cause())).startswith("out/part-1: No space left")
    assert isinstance(plain_fault(error), FaultError)
