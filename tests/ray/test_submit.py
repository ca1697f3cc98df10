"""`dlcodegen submit` on a running cluster, reached by its dashboard alone.

The cluster wants a token."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.cluster.access import MODE, TOKEN
from jobs.runs.store import RunStore
from tests.ray.heads import answers, started_head
from tests.waiting import wait_until

pytestmark = [pytest.mark.ray, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
SENT = {MODE: "token", TOKEN: "0123456789abcdef" * 4}


@pytest.fixture
def dashboard(tmp_path: Path) -> Iterator[str]:
    """The address of a one-machine cluster."""
    with started_head(SENT, cpus=3) as head:
        # The head answers before the agent that starts jobs is up.
        assert wait_until(lambda: answers(f"{head.agent}/api/local_raylet_healthz"), 60)
        yield head.dashboard


def _dlcodegen(*words: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_AUTH")}
    environment |= {"RAY_USAGE_STATS_ENABLED": "0", "PYTHONPATH": str(ROOT), **variables}
    command = [sys.executable, "-m", "jobs.cli", *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def test_a_submitted_job_runs_and_ends_as_its_command_does(dashboard: str, tmp_path: Path) -> None:
    here, disk = tmp_path / "here", tmp_path / "disk"
    here.mkdir()
    disk.mkdir()
    (here / "requirements.txt").write_text("Sort photos of shells.\nForecast tides.\n")
    (here / "run.yaml").write_text("shard_rows: 1\n")
    sent_to = ["--address", dashboard, "--shared", str(disk), "--python", sys.executable]
    words = [*sent_to, "generate", "requirements.txt", "--config", "run.yaml", "--out", f"{disk}/out"]

    stranger = _dlcodegen("submit", *words, folder=here)
    assert stranger.returncode == 1
    assert "token" in stranger.stderr
    assert stranger.stderr.count("\n") == 1

    done = _dlcodegen("submit", *words, folder=here, **SENT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"generated\W+2\b", done.stdout), done.stdout
    results = [row.requirement for row in RunStore(f"{disk}/out").results()]
    assert results == (here / "requirements.txt").read_text().splitlines()

    (here / "empty.csv").write_text("a,b\n1,2\n")
    failed = _dlcodegen("submit", "generate", "empty.csv", f"--out={disk}/no", *sent_to, folder=here, **SENT)
    assert failed.returncode == 2
    assert "no requirement column" in failed.stdout
    assert "Traceback" not in failed.stdout + failed.stderr

    listed = _dlcodegen("jobs", "list", "--address", dashboard, folder=here, **SENT)
    assert re.findall(r"succeeded|failed", listed.stdout) == ["succeeded", "failed"], listed.stdout
