"""Runs as they are opened for scoring, those of older versions included."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jobs.generation.settings import GenerateConfig
from jobs.scoring.run_outputs import Run, group_seeds, open_run
from pipeline.measures.outputs import MethodName

FLAT = {"llm": "openai", "model": "a/b", "pool": "samples.jsonl", "plans": "plans.jsonl", "planner": {"use": "hybrid"}}


def _run(folder: Path, settings: dict[str, object]) -> Run:
    folder.mkdir()
    (folder / "manifest.json").write_text(json.dumps({"settings": settings}))
    return open_run(str(folder), MethodName("Runs", "", folder.name))


@pytest.mark.parametrize("grouped", [False, True])
def test_the_settings_of_a_run_are_read_flat_as_they_were_and_in_groups(grouped: bool, tmp_path: Path) -> None:
    settings: dict[str, object] = {**FLAT, "input": "a", "out": "b"}
    if grouped:
        settings = GenerateConfig(**settings).model_dump(mode="json")
    run = _run(tmp_path / "run", settings)
    assert (run.pool, run.plans, run.settings["llm"]["model"]) == ("samples.jsonl", ("plans.jsonl",), "a/b")


def test_runs_that_differ_in_their_seeds_alone_are_one_method(tmp_path: Path) -> None:
    first = _run(tmp_path / "run-s0", {**FLAT, "input": "a", "out": "run-s0", "seed": 0})
    second = _run(tmp_path / "run-s1", {**FLAT, "input": "a", "out": "run-s1", "seed": 1})
    other = _run(tmp_path / "other", {**FLAT, "input": "a", "out": "other", "seed": 2, "temperature": 0.5})
    (runs,) = group_seeds([first, second, other]).values()
    assert runs == [first.name, second.name]


def test_a_run_that_was_ended_early_has_the_bundled_pool_and_plans(tmp_path: Path) -> None:
    run = open_run(str(tmp_path), MethodName("Runs", "", "run"))
    assert (run.pool, run.plans) == ("starter", ("starter",))
