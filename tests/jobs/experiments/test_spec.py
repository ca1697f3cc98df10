"""The runs that an experiment's specification stands for."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.experiments.spec import ExperimentConfig, arms_of, sweep_of
from jobs.generation.settings import GenerateConfig
from pipeline.config import load_settings
from pipeline.errors import DLCodeGenError

SPEC = """
input: starter
out: OUT/experiment
methods: [copy, direct, dlcodegen]
models:
  - {name: small, llm: openai, model: a/small, base_url: http://here/v1, price: {input: 1}}
  - {llm: openai, model: large}
temperatures: [0.5, 1.5]
seeds: [3, 4]
settings: {retrieval.top: 3, max_tokens: 500, planner: {neighbours: 5}}
"""


def _spec(folder: Path, text: str = SPEC, *settings: str) -> ExperimentConfig:
    path = folder / "spec.yaml"
    path.write_text(text.replace("OUT", str(folder)))
    return load_settings(ExperimentConfig, str(path), settings)


def test_every_combination_is_a_run_and_methods_without_a_model_are_one(tmp_path: Path) -> None:
    arms = arms_of(_spec(tmp_path))
    assert len(arms) == 1 + 2 * 2 * 2 * 2
    assert arms[0].title == "copy, seed 3"
    assert (arms[0].config.llm.backend, arms[0].config.writing.method) == ("none", "copy")
    small = arms[1].config
    assert (small.llm.model, small.llm.base_url, small.llm.price.input) == ("a/small", "http://here/v1", 1)
    assert (small.writing.temperature, small.writing.seed, small.writing.max_tokens) == (0.5, 3, 500)
    assert (small.retrieval.top, small.planner.neighbours) == (3, 5)
    assert len({arm.config.run.out for arm in arms}) == len(arms)
    assert all(arm.config.run.out.startswith(f"{tmp_path}/experiment/runs/") for arm in arms)
    assert {arm.config.llm.cache for arm in arms[1:]} == {f"{tmp_path}/llm-cache"}


def test_runs_that_share_calls_follow_one_another(tmp_path: Path) -> None:
    titles = [arm.title for arm in arms_of(_spec(tmp_path))]
    assert titles[1:3] == ["direct, small, temperature 0.5, seed 3", "dlcodegen, small, temperature 0.5, seed 3"]
    assert [title.split(", ")[1] for title in titles[1:]] == ["small"] * 8 + ["large"] * 8


def test_settings_of_the_command_win(tmp_path: Path) -> None:
    assert len(arms_of(_spec(tmp_path, SPEC, "seeds=[0]", "temperatures=[1.0]"))) == 5


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("methods: [copy, direct, dlcodegen]", "methods: [copy, magic]"), "methods.1"),
        (("- {llm: openai, model: large}", "- {llm: openai, model: b/small}"), "give each a `name` of its own"),
        (("retrieval.top: 3", "retrieval.bottom: 3"), "there is no setting retrieval.bottom"),
        (("seeds: [3, 4]", "seeds: []"), "seeds"),
        (("temperatures: [0.5, 1.5]", "temperatures: [9]"), "temperature"),
    ],
)
def test_a_mistake_is_told_before_anything_is_run(change: tuple[str, str], reason: str, tmp_path: Path) -> None:
    with pytest.raises(DLCodeGenError) as caught:
        arms_of(_spec(tmp_path, SPEC.replace(*change).replace("name: small, ", "")))
    assert reason in str(caught.value)


def test_methods_that_ask_need_a_model(tmp_path: Path) -> None:
    with pytest.raises(DLCodeGenError, match="direct needs a language model"):
        arms_of(_spec(tmp_path, "input: starter\nout: x\nmethods: [copy, direct]\n"))


def test_a_list_of_temperatures_is_an_experiment_over_them() -> None:
    given = ["llm=openai", "model=m", "temperature=[0.5,1.0]", "max_tokens=100", "seed=7", "price.output=2"]
    config = load_settings(GenerateConfig, None, given, input="starter", out="out/x")
    arms = arms_of(sweep_of(config))
    assert [(arm.group.method, arm.group.temperature, arm.seed) for arm in arms] == [
        ("dlcodegen", 0.5, 7),
        ("dlcodegen", 1.0, 7),
    ]
    assert all((arm.config.writing.max_tokens, arm.config.llm.price.output) == (100, 2) for arm in arms)
