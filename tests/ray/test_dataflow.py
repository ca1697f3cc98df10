"""Stages with resources of their own get their own operator, and give the same rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from jobs.cluster.dataflow import run_shards
from jobs.runs.store import RunStore
from pipeline.config import PipelineSettings
from pipeline.inputs import read_requirements
from pipeline.methods import generation_stages
from pipeline.records import Requirement, Scored
from pipeline.stage import Stage, Step, run_local
from pipeline.starter import STARTER

pytestmark = pytest.mark.ray


def _rows() -> Iterator[Requirement]:
    return (row for row in read_requirements(STARTER) if row.row < 24)


def _store(folder: Path) -> tuple[RunStore, list[int]]:
    store = RunStore(str(folder))
    return store, store.pending(store.stage(_rows(), STARTER, "settings", 5))


def test_operators_of_their_own_give_the_rows_of_the_local_run(tmp_path: Path) -> None:
    stages = generation_stages(PipelineSettings())
    split = tuple(
        replace(stage, num_cpus=0.5 if number % 2 else 1, workers=1) for number, stage in enumerate(stages[:4])
    )
    split = (*split, *(replace(stage, num_cpus=0.25, workers=2) for stage in stages[4:]))
    store, shards = _store(tmp_path)
    done = list(run_shards(split, store, shards))
    assert sorted(item.shard for item in done) == shards == list(range(5))
    assert sum(item.rows for item in done) == 24
    assert list(store.results()) == list(run_local(stages, _rows()))
    assert set(store.stage_seconds()) == {stage.name for stage in stages}


def _build_dying(folder: str) -> Step:
    import os

    def step(record: Requirement) -> Mapping[str, object]:
        marker = Path(folder) / "died"
        if record.row == 7 and not marker.exists():
            marker.touch()
            os.kill(os.getpid(), 9)
        return {}

    return step


def _build_deadly() -> Step:
    import os

    def step(record: Requirement) -> Mapping[str, object]:
        if record.row == 7:
            os.kill(os.getpid(), 11)
        return {}

    return step


def test_a_row_that_always_kills_its_worker_becomes_a_failure_of_its_own(tmp_path: Path) -> None:
    deadly = Stage(name="deadly", accepts=Scored, returns=Scored, build=_build_deadly)
    stages = generation_stages(PipelineSettings())
    store, shards = _store(tmp_path)
    assert sum(done.failed for done in run_shards((*stages, deadly), store, shards, workers=2)) == 1
    expected = list(run_local(stages, _rows()))
    for row, whole in zip(store.results(), expected, strict=True):
        if row.row == 7:
            assert row.failure is not None
            assert row.failure.kind == "crash"
            assert "SIGSEGV" in row.failure.message
        else:
            assert row == whole
    assert list((tmp_path / "begun").iterdir()) == []


def _build_stuck() -> Step:
    def step(record: Requirement) -> Mapping[str, object]:
        if record.row == 3:
            while True:
                pass
        if record.row == 7:
            sum(range(10**12))  # C code, to which no signal gets through
        return {}

    return step


def test_rows_that_are_stuck_become_failures_of_their_own(tmp_path: Path) -> None:
    stuck = Stage(name="stuck", accepts=Scored, returns=Scored, build=_build_stuck, num_cpus=0.5, row_seconds=0.5)
    stages = generation_stages(PipelineSettings())
    store, shards = _store(tmp_path)
    assert sum(done.failed for done in run_shards((*stages, stuck), store, shards, workers=2)) == 2
    failed = {row.row: row.failure for row in store.results() if row.failure}
    assert {number: (failure.stage, failure.kind) for number, failure in failed.items()} == {
        3: ("stuck", "timeout"),
        7: ("stuck", "timeout"),
    }
    assert list((tmp_path / "begun").iterdir()) == []


def test_a_worker_that_is_killed_costs_no_row(tmp_path: Path) -> None:
    dying = Stage(name="dying", accepts=Scored, returns=Scored, build=partial(_build_dying, str(tmp_path)))
    stages = generation_stages(PipelineSettings())
    store, shards = _store(tmp_path / "run")
    done = list(run_shards((*stages, dying), store, shards, workers=2))
    assert (tmp_path / "died").exists()
    assert sorted(item.shard for item in done) == shards
    assert list(store.results()) == list(run_local(stages, _rows()))
