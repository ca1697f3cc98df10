"""Runs as they are opened for scoring, those of older versions included."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jobs.generation.settings import GenerateConfig
from jobs.scoring.run_outputs import Run, group_seeds, learned_from, open_run, output_of, run_named
from pipeline.errors import DLCodeGenError
from pipeline.measures.outputs import MethodName, Shown
from pipeline.records import SCRIPT, RetrievedSample, Scored, SourceFile

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


def named(method: str, **settings: object) -> Run:
    """A run whose rows nobody asks for."""
    return Run(folder=f"out/{method}", name=MethodName("Runs", "", method), settings=settings)


def test_the_same_seed_twice_is_no_second_seed() -> None:
    assert group_seeds([named("a", writing={"seed": 1}), named("b", writing={"seed": 1})]) == {}


def test_methods_without_a_name_in_common_are_still_named() -> None:
    (name,) = group_seeds([named("x", writing={"seed": 1}), named("y", writing={"seed": 2})])
    assert name.method == "method (mean of 2 seeds)"


def test_a_run_is_meant_by_its_folder_or_its_label() -> None:
    runs = [named("a"), named("b")]
    assert run_named(runs, None) is runs[0]
    assert run_named(runs, "b") is run_named(runs, "out/b/") is runs[1]
    with pytest.raises(DLCodeGenError, match="none of the runs"):
        run_named(runs, "c")


def test_plans_that_a_planner_learned_from_are_known_plans(tmp_path: Path) -> None:
    folder, data = tmp_path / "planner", tmp_path / "Train.txt"
    folder.mkdir()
    data.touch()
    assert learned_from("") is None
    assert learned_from(str(folder)) is None
    (folder / "planner.json").write_text(json.dumps({"about": {"data": str(data)}}))
    assert learned_from(str(folder)) == str(data)
    use = f"hybrid:{folder}"
    assert named("a", planner={"use": use, "plans": "starter"}).plans == ("starter", str(data))
    assert named("a", planner={"use": use, "plans": str(data)}).plans == (str(data),)
    data.unlink()
    assert learned_from(str(folder)) is None


def test_a_sample_that_left_the_pool_is_not_shown() -> None:
    kept, gone = (
        RetrievedSample(id=name, rank=rank, score=1.0, task_category="", requirement="")
        for rank, name in enumerate(("kept", "gone"), start=1)
    )
    record = Scored(id="r", row=0, files=(SourceFile(path=SCRIPT, text="x = 1\n"),), samples=(kept, gone))
    output = output_of(record, {"kept": "y = 2\n"})
    assert (output.item, output.code) == ("r", "x = 1\n")
    assert output.shown == (Shown(id="kept", code="y = 2\n"),)
