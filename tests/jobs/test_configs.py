"""The shipped settings files are the defaults, and say so truly."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.generation.settings import GenerateConfig
from jobs.training.settings import TrainConfig
from pipeline.config import load_settings
from pipeline.errors import DLCodeGenError
from pipeline.planners.causal_lm.planner import BEAMS

CONFIGS = Path(__file__).parents[2] / "jobs" / "configs"


def test_generate_yaml_holds_the_defaults() -> None:
    loaded = load_settings(GenerateConfig, str(CONFIGS / "generate.yaml"), input="a", out="b")
    assert loaded == GenerateConfig(input="a", out="b")


def test_train_planner_yaml_holds_the_defaults() -> None:
    loaded = load_settings(TrainConfig, str(CONFIGS / "train_planner.yaml"), data="a", out="b")
    assert loaded == TrainConfig(data="a", out="b")
    # The paper's settings (DLCodeGen, section IV.A): GPT-2-large, AdamW at 1e-3, batches of 16, 8 epochs, 3 beams.
    assert (loaded.learning_rate, loaded.batch_size, loaded.epochs, BEAMS) == (1e-3, 16, 8, 3)


def test_arguments_win_over_overrides_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text("input: file\nout: file\nseed: 1\nretrieval: {top: 3, code_similarity: 0.9}\n")
    loaded = load_settings(GenerateConfig, str(file), ["retrieval.top=5", "seed=2", "workers=4"], out="argument")
    assert (loaded.run.input, loaded.run.out, loaded.writing.seed, loaded.run.workers) == ("file", "argument", 2, 4)
    assert (loaded.retrieval.top, loaded.retrieval.code_similarity) == (5, 0.9)


def test_the_digest_names_what_decides_a_result_and_nothing_else() -> None:
    base = GenerateConfig(input="a", out="b")
    assert base.digest() == GenerateConfig(input="x", out="y", workers=9, shard_rows=3, projects=True).digest()
    assert base.digest() != GenerateConfig(input="a", out="b", seed=1).digest()


@pytest.mark.parametrize("text", ["- a\n- b\n", "a: [\n", "seed: many\n", "nothing: 1\n"])
def test_a_file_that_cannot_be_settings_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "run.yaml"
    file.write_text(text)
    with pytest.raises(DLCodeGenError, match=r"run\.yaml"):
        load_settings(GenerateConfig, str(file), input="a", out="b")
