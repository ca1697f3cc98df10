"""kill -9 of the driver or a worker: the same command finishes the job, with the bytes of a run never killed."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.runs.store import RunStore
from tests.ray.drivers import MAP_WORKER, driver_environment, workers_of
from tests.waiting import exit_code, wait_until

pytestmark = [pytest.mark.ray, pytest.mark.slow]


def _command(source: Path, out: Path) -> list[str]:
    return [
        sys.executable,
        "-m",
        "jobs.cli",
        "generate",
        str(source),
        "--out",
        str(out),
        "--workers",
        "2",
        "shard_rows=4",
    ]


def _start(source: Path, out: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        _command(source, out),
        env=driver_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _digest(out: Path) -> str:
    parts = sorted((out / "results").glob("part-*.parquet"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in [*parts, out / "report.html"])).hexdigest()


def _wait_for_parts(process: subprocess.Popen[bytes], out: Path, parts: int) -> None:
    """Waits until the run has written so many parts; fails if it ended before."""

    def written() -> bool:
        return len(list((out / "results").glob("part-*.parquet"))) >= parts

    assert wait_until(lambda: written() or process.poll() is not None, 120)
    assert process.poll() is None, "the run ended before it could be killed"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("input") / "requirements.txt"
    path.write_text("".join(f"Classify photos of {number + 2} kinds of beetles.\n" for number in range(240)))
    return path


@pytest.mark.timeout(600)
def test_a_killed_driver_and_a_killed_worker_leave_nothing_torn_missing_or_twice(source: Path, tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    process = _start(source, whole)
    assert exit_code(process, 120) == 0

    process = _start(source, killed)
    _wait_for_parts(process, killed, parts=3)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    survivors = len(list((killed / "results").glob("part-*.parquet")))
    assert 3 <= survivors < 60

    process = _start(source, killed)
    _wait_for_parts(process, killed, parts=survivors + 4)
    workers = workers_of(process.pid, MAP_WORKER)
    assert workers
    workers[0].kill()
    assert exit_code(process, 180) == 0

    assert _digest(killed) == _digest(whole)
    rows = [row.row for row in RunStore(str(killed)).results()]
    assert rows == list(range(240))
    assert [path.name for path in (killed / "results").iterdir() if path.name.startswith(".tmp-")] == []
