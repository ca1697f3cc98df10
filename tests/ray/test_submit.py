"""The job as the README submits it: `ray job submit -- python -m jobs.generate` on a running cluster.

The cluster wants a token, and its machines know the key of a language model."""

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
from tests.ray.heads import RAY, answers, started_head
from tests.waiting import wait_until

pytestmark = [pytest.mark.ray, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
SENT = {MODE: "token", TOKEN: "0123456789abcdef" * 4}
KEY = "sk-nobody-else-s"


@pytest.fixture
def dashboard(tmp_path: Path) -> Iterator[str]:
    """The address of a one-machine cluster."""
    with started_head({**SENT, "EXAMPLE_API_KEY": KEY}, cpus=3) as head:
        # The head answers before the agent that starts jobs is up.
        assert wait_until(lambda: answers(f"{head.agent}/api/local_raylet_healthz"), 60)
        yield head.dashboard


def _ray(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_AUTH")}
    environment |= {"RAY_USAGE_STATS_ENABLED": "0", **variables}
    return subprocess.run([RAY, *words], cwd=ROOT, env=environment, capture_output=True, text=True)


def test_the_submitted_job_runs_and_writes_its_run(dashboard: str, tmp_path: Path) -> None:
    source = tmp_path / "requirements.txt"
    source.write_text("Sort photos of shells.\nForecast tides.\n")
    config = tmp_path / "run.yaml"
    config.write_text("shard_rows: 1\n")
    job = f"{sys.executable} -m jobs.generate --config {config} --input {source} --out {tmp_path / 'out'}"
    # The job has the key that was given to the machines.
    entry = ["bash", "-c", f'test -n "$EXAMPLE_API_KEY" && exec {job}']
    submit = ["job", "submit", "--address", dashboard, "--", *entry]

    strangers = _ray(*submit)
    assert strangers.returncode != 0
    assert "Missing authentication token" in strangers.stdout + strangers.stderr

    calls: list[subprocess.CompletedProcess[str]] = []

    def accepted() -> bool:
        calls.append(_ray(*submit, **SENT))
        return "No available agent" not in calls[-1].stdout + calls[-1].stderr

    assert wait_until(accepted, 150)
    done = calls[-1]
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"generated\W+2\b", done.stdout), done.stdout
    assert [row.requirement for row in RunStore(str(tmp_path / "out")).results()] == source.read_text().splitlines()

    jobs = _ray("job", "list", "--address", dashboard, **SENT)
    assert "jobs.generate" in jobs.stdout + jobs.stderr
    assert KEY not in jobs.stdout + jobs.stderr
