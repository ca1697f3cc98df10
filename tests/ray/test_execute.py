"""`dlcodegen execute` on workers that are killed, where the environment keras3 is Python alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import psutil
import pytest

from jobs.execution.settings import ExecuteConfig
from jobs.execution.store import ExecutionStore
from jobs.execution.work import ExecuteStep
from pipeline.environments.building import FOLDER_VARIABLE
from pipeline.execution.running.rows import ExecutedProject
from tests.plain_environment import plain_environments
from tests.waiting import wait_until

pytestmark = [pytest.mark.ray, pytest.mark.slow]

COUNT = 24


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return plain_environments(tmp_path_factory.mktemp("environments"))


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("projects")
    programs = ("print({n})", "import absent{n}", "open('{n}.csv')", "1 / 0", "import time; time.sleep(1)")
    for number in range(COUNT):
        (folder / f"p{number:02d}.py").write_text(programs[number % len(programs)].format(n=number))
    return folder


def _verdicts(projects: Path, environments: Path, out: Path) -> list[tuple[object, ...]]:
    """Those of a run in this process, where every project has an interpreter of its own."""
    config = ExecuteConfig(inputs=(str(projects),), out=str(out), cpu_seconds=20, warm=False, shard_rows=COUNT)
    store = ExecutionStore(str(out))
    store.stage(config)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(FOLDER_VARIABLE, str(environments))
        ExecuteStep(store, config)(0)
    return _told(store.results())


def _told(executed: Iterable[ExecutedProject]) -> list[tuple[object, ...]]:
    """What does not depend on how often a project had to be run."""
    return [(row.id, row.reached, row.rungs, row.exit_code, row.stdout_tail, row.infra) for row in executed]


def _done(out: Path) -> int:
    results = out / "results"
    return len([name for name in os.listdir(results) if name.startswith("part-")]) if results.exists() else 0


def _warm_processes(environments: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or [""]
        if any("warm_process.py" in word for word in words) and words[0].startswith(str(environments)):
            found.append(process)
    return found


def test_kills_of_warm_process_worker_and_driver_change_no_verdict(
    projects: Path, environments: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    words = [str(projects), "--out", str(out), "--quiet", "--workers", "2", "cpu_seconds=20"]
    command = [sys.executable, "-m", "jobs.execute", *words]
    variables = os.environ | {FOLDER_VARIABLE: str(environments)}
    job = subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert wait_until(lambda: _done(out) >= 1 or job.poll() is not None, 120)
    assert job.poll() is None
    _warm_processes(environments)[0].kill()
    assert wait_until(lambda: _done(out) >= 4, 120)
    worker = _warm_processes(environments)[0].parent()
    assert worker is not None
    assert "ray::" in worker.name()
    worker.kill()
    assert wait_until(lambda: _done(out) >= 7, 120)
    job.send_signal(signal.SIGKILL)
    job.wait()
    # Its workers, their warm processes and projects end with it.
    assert wait_until(lambda: not _warm_processes(environments), 60)
    before = {path: path.stat().st_mtime_ns for path in (out / "results").glob("part-*")}
    assert len(before) < COUNT
    subprocess.run(command, env=variables, check=True, capture_output=True)
    assert {path: path.stat().st_mtime_ns for path in before} == before  # nothing was done twice
    told = _told(ExecutionStore(str(out)).results())
    assert told == _verdicts(projects, environments, tmp_path / "cold")
    assert len(told) == COUNT
    assert not any(row[-1] for row in told)
