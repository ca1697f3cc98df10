"""Settings by their paths and by the short words for them, which are what all settings were called once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from jobs.experiments.spec import ExperimentConfig, arms_of
from jobs.generation.settings import GenerateConfig
from jobs.judge import JudgeConfig
from jobs.training.settings import TrainConfig
from pipeline.config import load_settings
from pipeline.errors import DLCodeGenError
from serving.engine_settings import EngineSettings

CONFIGS = Path(__file__).parents[3] / "jobs" / "configs"

OLD_WORDS: dict[str, tuple[object, str]] = {
    "llm": ("openai", "llm.backend"),
    "model": ("x", "llm.model"),
    "base_url": ("http://here/v1", "llm.base_url"),
    "api_key_env": ("KEY", "llm.api_key_env"),
    "cache": ("off", "llm.cache"),
    "context_length": (512, "llm.context_length"),
    "engine": ({"replicas": {"max": 4}}, "llm.engine"),
    "structured": ("none", "llm.structured"),
    "limits": ({"retries": 2}, "llm.limits"),
    "price": ({"output": 2.0}, "llm.price"),
    "method": ("ps", "writing.method"),
    "temperature": (1.0, "writing.temperature"),
    "top_p": (0.5, "writing.top_p"),
    "max_tokens": (100, "writing.max_tokens"),
    "continuations": (0, "writing.continuations"),
    "c_cot": ({"problems": 2}, "writing.c_cot"),
    "seed": (7, "writing.seed"),
    "pool": ("samples.jsonl", "retrieval.pool"),
    "plans": ("plans.jsonl", "planner.plans"),
    "planner": ("hybrid:out/planner", "planner.use"),
    "retrieval": ({"top": 5}, "retrieval"),
    "input": ("other.jsonl", "run.input"),
    "out": ("other", "run.out"),
    "shard_rows": (8, "run.shard_rows"),
    "workers": (2, "run.workers"),
    "llm_workers": (3, "run.llm_workers"),
    "rows_in_flight": (4, "run.rows_in_flight"),
    "budget": ({"cost": 5.0}, "run.budget"),
    "projects": (True, "run.projects"),
    "report_items": (1, "run.report_items"),
    "address": ("auto", "run.address"),
    "quiet": (True, "run.quiet"),
    "sweep": ([0.5, 1.0], "run.sweep"),
}
"""The 33 settings of `dlcodegen generate` before they were grouped, with a value and where it belongs now."""


def _at(config: GenerateConfig, path: str) -> object:
    value: Any = config
    for name in path.split("."):
        value = getattr(value, name)
    return value


@pytest.mark.parametrize("word", OLD_WORDS)
def test_a_word_from_before_the_groups_is_its_path_wherever_it_is_given(word: str, tmp_path: Path) -> None:
    value, path = OLD_WORDS[word]
    base: dict[str, object] = {"input": "a", "out": "b"}
    expected = GenerateConfig(**base | {word: value})
    assert _at(expected, path) != _at(GenerateConfig(**base), path)
    file = tmp_path / "run.yaml"
    file.write_text(yaml.safe_dump(base | {word: value}))
    assert load_settings(GenerateConfig, str(file)) == expected
    for name in (word, path):
        override = f"{name}={json.dumps(value)}"
        assert load_settings(GenerateConfig, None, ["input=a", "out=b", override]) == expected


def test_words_and_paths_of_one_setting_meet(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text("llm: openai\nmodel: a\ntemperature: 0.5\nprice: {input: 1}\nplanner: {neighbours: 5}\nplans: p\n")
    words = ["llm.model=b", "writing.temperature=0.7", "price.output=2", "planner=hybrid", "llm.llm=vllm"]
    loaded = load_settings(GenerateConfig, str(file), words, input="a", out="b")
    assert (loaded.llm.backend, loaded.llm.model, loaded.writing.temperature) == ("vllm", "b", 0.7)
    assert (loaded.llm.price.input, loaded.llm.price.output) == (1, 2)
    assert (loaded.planner.use, loaded.planner.neighbours, loaded.planner.plans) == ("hybrid", 5, "p")


@pytest.mark.parametrize("word", ["temperature", "writing.temperature"])
def test_a_list_of_temperatures_is_a_sweep(word: str) -> None:
    loaded = load_settings(GenerateConfig, None, [f"{word}=[0.5, 1.0]"], input="a", out="b")
    assert (loaded.writing.temperature, loaded.run.sweep) == (0.5, (0.5, 1.0))


def test_a_judge_takes_the_words_of_a_model_and_has_a_temperature_of_its_own() -> None:
    words = ["llm=openai", "model=x", "price.output=1", "temperature=0.1"]
    judge = load_settings(JudgeConfig, None, words, runs=("out/a",), out="out/judged")
    assert (judge.llm.backend, judge.llm.model, judge.llm.price.output, judge.temperature) == ("openai", "x", 1, 0.1)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("temprature=1", "temperature"),
        ("writing.temprature=1", "writing.temperature"),
        ("run.model=x", "llm.model"),
        ("top=3", "retrieval.top"),
        ("shards_rows=8", "shard_rows"),
    ],
)
def test_a_wrong_word_is_answered_with_the_nearest_right_one(wrong: str, right: str) -> None:
    with pytest.raises(DLCodeGenError, match=rf"there is no setting .*; did you mean {right}\?"):
        load_settings(GenerateConfig, None, [wrong], input="a", out="b")


def test_a_missing_setting_is_named_by_its_word() -> None:
    with pytest.raises(DLCodeGenError, match=r"out is missing; give out=\.\.\. or --out DIR"):
        load_settings(GenerateConfig, None, [], input="a")


def test_a_value_that_cannot_be_is_named_by_its_word() -> None:
    with pytest.raises(DLCodeGenError, match="temperature: Input should be less than or equal to 2"):
        load_settings(GenerateConfig, None, ["writing.temperature=9"], input="a", out="b")
    for text in ("writing=5", "run=5", "llm.price=5"):
        with pytest.raises(DLCodeGenError, match="Input should be"):
            load_settings(GenerateConfig, None, [text])


@pytest.mark.parametrize("file", sorted(CONFIGS.rglob("*.yaml")), ids=lambda file: file.stem)
def test_every_shipped_file_is_read(file: Path) -> None:
    if file.parent.name == "experiments":
        assert arms_of(load_settings(ExperimentConfig, str(file)))
    elif file.parent.name == "models":
        assert load_settings(EngineSettings, str(file)).model
    elif file.stem == "train_planner":
        assert load_settings(TrainConfig, str(file), data="a", out="b") == TrainConfig(data="a", out="b")
    elif file.stem == "generate":
        assert load_settings(GenerateConfig, str(file), input="a", out="b") == GenerateConfig(input="a", out="b")
    else:
        assert file.stem == "published"  # what the paper prints, no settings


ENDPOINT = (
    "llm=openai",
    "model=deepseek-chat",
    "base_url=http://x/v1",
    "price.output=2",
    "temperature=0.7",
    "retrieval.top=3",
    "planner=hybrid:out/p",
    "context_length=8192",
    "c_cot.chains=out/c-cot/",
    "seed=3",
    "pool=starter#1/2",
)
ODD = ("llm=vllm", "model=é/m", "top_p=1e-7", "retrieval.code_similarity=1e20", "max_tokens=100", "planner=retrieval")


@pytest.mark.parametrize(("words", "digest"), [((), "33cdbfd39060"), (ENDPOINT, "6de98e1d163e"), (ODD, "6f40f8cd6c80")])
def test_a_run_of_the_flat_settings_is_still_the_same_run(words: tuple[str, ...], digest: str) -> None:
    """The digests are those of the version with flat settings: a folder that was begun with it is continued."""
    assert load_settings(GenerateConfig, None, words, input="a", out="b").for_input("starter").digest() == digest


def test_projects_that_are_run_are_other_results_in_smaller_shards() -> None:
    plain = GenerateConfig(input="a", out="b")
    unused = GenerateConfig(input="a", out="b", execution={"cpu_seconds": 9, "env": "torch"})
    assert unused.digest() == plain.digest() == "f28bdb8fc51a"
    assert (plain.rows_in_shard, unused.rows_in_shard) == (64, 64)
    run = load_settings(GenerateConfig, None, ["execute=on"], input="a", out="b")
    assert (run.execution.enabled, run.rows_in_shard) == (True, 4)
    assert load_settings(GenerateConfig, None, ["execute=on", "shard_rows=9"], input="a", out="b").rows_in_shard == 9
    digests = {plain.digest(), run.digest()}
    for word in ("execution.cpu_seconds=9", "execution.env=torch", "execution.runs=2"):
        digests.add(load_settings(GenerateConfig, None, ["execute=on", word], input="a", out="b").digest())
    assert len(digests) == 5
    for word in ("execution.warm=false", "execution.accept_weaker=true"):
        same = load_settings(GenerateConfig, None, ["execute=on", word], input="a", out="b")
        assert same.digest() == run.digest()
