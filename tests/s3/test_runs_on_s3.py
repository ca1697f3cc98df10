"""A run whose input and output lie on S3: equal to one in this process, whatever the store does meanwhile."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.config import PipelineSettings
from pipeline.inputs import read_requirements
from pipeline.methods import generation_stages
from pipeline.stage import run_local
from pipeline.starter import STARTER
from tests.ray.drivers import driver_environment
from tests.s3.faulty_store import FaultyStore, faulty_store, server_command
from tests.waiting import scaled

pytestmark = [
    pytest.mark.ray,
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(
        importlib.util.find_spec("s3fs") is None or server_command() is None,
        reason="needs s3fs and moto's server: make check-s3",
    ),
]

ROWS = 40

INPUT, OUTPUT = "s3://bucket/in/rows.jsonl", "s3://bucket/out"


@pytest.fixture(scope="module")
def lines() -> list[str]:
    rows = list(read_requirements(STARTER))[:ROWS]
    return [json.dumps({"id": row.id, "requirement": row.requirement}) for row in rows]


@pytest.fixture
def store(lines: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyStore]:
    """A store with the rows in it; this process and those it starts find it."""
    import s3fs

    with faulty_store() as store:
        for name, value in {
            "AWS_ACCESS_KEY_ID": "tests",
            "AWS_SECRET_ACCESS_KEY": "tests",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": store.url,
            "FSSPEC_S3_ENDPOINT_URL": store.url,
        }.items():
            monkeypatch.setenv(name, value)
        s3fs.S3FileSystem.clear_instance_cache()
        bucket = s3fs.S3FileSystem(endpoint_url=store.url)
        bucket.mkdir("bucket")
        bucket.pipe("bucket/in/rows.jsonl", "\n".join(lines).encode())
        yield store


def generate(during: Callable[[], None] | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    """The command; `during` runs beside it."""
    if during is not None:
        threading.Thread(target=during, daemon=True).start()
    return subprocess.run(
        [sys.executable, "-m", "jobs.cli", "generate", INPUT, "--out", OUTPUT, "--workers", "1", "--quiet"],
        env=driver_environment() | variables,
        capture_output=True,
        text=True,
        timeout=scaled(600),
        check=False,
    )


def results(store: FaultyStore) -> list[dict[str, Any]]:
    from jobs.runs.store import RunStore

    return [vars_of(row) for row in RunStore(OUTPUT).results()]


def vars_of(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__dataclass_fields__}


def expected(folder: Path, lines: list[str]) -> list[dict[str, Any]]:
    path = folder / "rows.jsonl"
    path.write_text("\n".join(lines))
    settings = PipelineSettings().for_input(str(path))
    return [vars_of(row) for row in run_local(generation_stages(settings), read_requirements(str(path)))]


def away(store: FaultyStore, after_answers: int, seconds: float) -> None:
    """Takes the store away in the middle of the work, for so long by the clock."""
    while store.answered["PUT"] < after_answers:
        time.sleep(0.05)
    store.away = True
    time.sleep(seconds)
    store.away = False


def test_an_outage_costs_time_and_nothing_else(store: FaultyStore, lines: list[str], tmp_path: Path) -> None:
    begun = store.answered["PUT"]
    done = generate(lambda: away(store, begun + 3, 40))
    assert done.returncode == 0, done.stderr
    assert sum(store.refused.values()) > 0  # it was away while it was needed
    assert results(store) == expected(tmp_path, lines)


def test_one_that_does_not_end_is_one_line_and_the_same_command_goes_on(
    store: FaultyStore, lines: list[str], tmp_path: Path
) -> None:
    begun = store.answered["PUT"]
    done = generate(lambda: away(store, begun + 3, 10_000), DLCODEGEN_STORAGE_OUTAGE_SECONDS="2")
    assert done.returncode == 1
    said = done.stderr.strip().splitlines()
    assert len(said) == 1
    assert "wait until it answers, and the same command goes on" in said[0]
    store.away = False
    assert generate().returncode == 0
    assert results(store) == expected(tmp_path, lines)


def test_requests_grow_with_the_files_and_no_faster(store: FaultyStore) -> None:
    before = store.answered.copy()
    assert generate().returncode == 0
    asked = store.answered - before
    files = asked["PUT"]
    print(f"{ROWS} rows: {dict(asked)}")
    assert sum(asked.values()) <= 8 * files, os.linesep.join(f"{method} {count}" for method, count in asked.items())
