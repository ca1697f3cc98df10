"""kill -9 of an experiment at several points: nothing is paid for twice, and the table is that of an unharmed run."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipeline.starter import requirement_rows
from tests.pipeline.llm.client.fault_server import MODEL, FaultServer
from tests.ray.drivers import MAP_WORKER, driver_environment, kill_with_workers, workers_of
from tests.ray.test_llm_job import answered
from tests.waiting import exit_code, wait_until

pytestmark = [pytest.mark.ray, pytest.mark.slow]

ROWS = 12


def _start(folder: Path, server: FaultServer) -> subprocess.Popen[bytes]:
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / "requirements.jsonl"
    if not source.exists():
        source.write_text("\n".join(json.dumps(row) for row in list(requirement_rows())[:ROWS]))
    spec = {
        "input": str(source),
        "out": str(folder / "experiment"),
        "methods": ["direct", "dlcodegen"],
        "models": [{"llm": "openai", "model": MODEL, "base_url": server.url, "price": {"input": 1, "output": 2}}],
        "settings": {"shard_rows": 4, "rows_in_flight": 3, "llm_workers": 1},
        "workers": 2,
    }
    (folder / "spec.yaml").write_text(json.dumps(spec))
    return subprocess.Popen(
        [sys.executable, "-m", "jobs.cli", "experiment", str(folder / "spec.yaml")],
        env=driver_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _kill_after(process: subprocess.Popen[bytes], server: FaultServer, calls: int) -> None:
    """kill -9 of the driver once the server has been asked so often; returns when its workers are gone too."""
    assert wait_until(lambda: len(server.seen) >= calls or process.poll() is not None, 120)
    assert process.poll() is None, "the experiment ended before it could be killed"
    assert workers_of(process.pid, MAP_WORKER)
    kill_with_workers(process, MAP_WORKER)


def _asked(server: FaultServer) -> set[str]:
    """What was asked, each different request once."""
    return {json.dumps(seen.body, sort_keys=True) for seen in server.seen}


def _digest(folder: Path) -> str:
    parts = sorted((folder / "experiment" / "runs").glob("*/results/part-*.parquet"))
    assert len(parts) == 6
    return hashlib.sha256(b"".join(path.read_bytes() for path in parts)).hexdigest()


@pytest.mark.timeout(600)
def test_a_killed_experiment_pays_for_no_call_twice_but_those_in_flight(tmp_path: Path) -> None:
    with FaultServer(answer=answered, seconds=lambda body: 0.15).running() as server:
        assert exit_code(_start(tmp_path / "whole", server), 120) == 0
        whole = _asked(server)
        # Direct asks once a row, DLCodeGen five times; no two rows share a prompt.
        assert len(server.seen) == len(whole)
        assert len(whole) == ROWS * 6

    with FaultServer(answer=answered, seconds=lambda body: 0.15).running() as server:
        lost = 0
        for calls in (4, 20, 45):
            process = _start(tmp_path / "killed", server)
            _kill_after(process, server, calls)
            lost += server.most_in_flight
        assert exit_code(_start(tmp_path / "killed", server), 120) == 0
        assert _asked(server) == whole
        assert len(server.seen) <= len(whole) + lost

    assert _digest(tmp_path / "killed") == _digest(tmp_path / "whole")
    tables = [pq.read_table(tmp_path / name / "experiment" / "table.parquet") for name in ("whole", "killed")]
    first, second = (table.drop_columns(["paid"]).to_pylist() for table in tables)
    assert first == second
    assert [row["asked"] for row in first] == [ROWS, ROWS]
