"""The job as the README submits it: `ray job submit -- python -m jobs.generate` on a running cluster."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from jobs.runs.store import RunStore
from tests.waiting import wait_until

pytestmark = [pytest.mark.ray, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
RAY = Path(sys.executable).with_name("ray")
ENVIRONMENT = {**os.environ, "RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"}


def _free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=1)
    except OSError:
        return False
    return True


@pytest.fixture
def dashboard(tmp_path: Path) -> Iterator[str]:
    """A one-machine cluster of its own; ended by pid, since `ray stop` would end every Ray of the machine."""
    port, client, dashboard = _free_port(), _free_port(), _free_port()
    options = [f"--port={port}", f"--ray-client-server-port={client}", f"--dashboard-port={dashboard}", "--num-cpus=3"]
    # The agent that starts jobs has a fixed port, which another Ray on this machine may hold.
    options.append(f"--dashboard-agent-listen-port={_free_port()}")
    head = subprocess.Popen(
        [RAY, "start", "--head", "--block", "--dashboard-host=127.0.0.1", *options],
        env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    address = f"http://127.0.0.1:{dashboard}"
    try:
        assert wait_until(lambda: _answers(f"{address}/api/version"), 60)
        yield address
    finally:
        started = [psutil.Process(head.pid), *psutil.Process(head.pid).children(recursive=True)]
        for process in started:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        head.wait()


def test_the_submitted_job_runs_and_writes_its_run(dashboard: str, tmp_path: Path) -> None:
    source = tmp_path / "requirements.txt"
    source.write_text("Sort photos of shells.\nForecast tides.\n")
    config = tmp_path / "run.yaml"
    config.write_text("shard_rows: 1\n")
    entry = [sys.executable, "-m", "jobs.generate", "--config", str(config), "--input", str(source)]
    submit = [RAY, "job", "submit", "--address", dashboard, "--", *entry, "--out", str(tmp_path / "out")]
    calls: list[subprocess.CompletedProcess[str]] = []

    def accepted() -> bool:
        calls.append(subprocess.run(submit, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True))
        return "No available agent" not in calls[-1].stdout + calls[-1].stderr

    assert wait_until(accepted, 150)  # the head answers before the agent that starts jobs is up
    done = calls[-1]
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"generated\W+2\b", done.stdout), done.stdout
    assert [row.requirement for row in RunStore(str(tmp_path / "out")).results()] == source.read_text().splitlines()
