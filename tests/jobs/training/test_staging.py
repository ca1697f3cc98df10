"""What a training run starts from is staged once, and found again by later versions of the program."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

pytest.importorskip("transformers")

from jobs.training.settings import TrainConfig
from jobs.training.staging import TRAINING_VERSION, StagedRun, stage_run
from pipeline.errors import DLCodeGenError
from pipeline.storage.files import fingerprint
from pipeline.storage.shard_folder import write_description


def _staged(config: TrainConfig) -> StagedRun:
    sources = {"data": fingerprint(config.data), "model": fingerprint(config.model)}
    owner = {"settings": config.digest(), "sources": sources}
    return StagedRun(owner=owner, pad=3, context=64, train={"rows": 5}, evaluation={"rows": 1}, benchmarks={})


@pytest.fixture
def config(tmp_path: Path) -> TrainConfig:
    return TrainConfig(data=str(tmp_path / "plans.jsonl"), out=str(tmp_path / "run"))


def test_a_run_that_was_staged_before_goes_on(config: TrainConfig) -> None:
    write_description(f"{config.out}/staged.json", asdict(_staged(config)), TRAINING_VERSION)
    assert stage_run(config) == _staged(config)


def test_a_run_of_the_time_before_versions_goes_on(config: TrainConfig) -> None:
    Path(config.out).mkdir()
    Path(config.out, "staged.json").write_text(json.dumps(asdict(_staged(config))))
    assert stage_run(config) == _staged(config)


def test_a_run_of_a_newer_version_is_refused_in_one_line(config: TrainConfig) -> None:
    write_description(f"{config.out}/staged.json", asdict(_staged(config)), TRAINING_VERSION + 1)
    with pytest.raises(DLCodeGenError, match=r"newer version of this program.*choose another --out"):
        stage_run(config)


def test_a_run_with_other_settings_is_not_continued(config: TrainConfig) -> None:
    write_description(f"{config.out}/staged.json", asdict(_staged(config)), TRAINING_VERSION)
    with pytest.raises(DLCodeGenError, match="other settings, data or model"):
        stage_run(config.model_copy(update={"seed": config.seed + 1}))
