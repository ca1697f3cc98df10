"""What training starts from: a size from scratch, a configuration file, an existing folder, or a clear error."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jobs.training.model import build_model, prepare_model
from jobs.training.settings import TrainConfig
from pipeline.errors import DLCodeGenError
from tests.pipeline.planners.causal_lm.tiny_gpt2 import random_gpt2, torch, transformers

TEXTS = ["Classify photos of shells.", '{"Task Category": "Image Classification"}'] * 20


def _config(**settings: object) -> TrainConfig:
    return TrainConfig.model_validate({"data": "starter", "out": "nowhere", "vocabulary": 300} | settings)


def test_a_size_from_scratch_gets_a_tokenizer_of_its_own(tmp_path: Path) -> None:
    tokenizer = prepare_model(_config(model="scratch:3x128", context=256), TEXTS, tmp_path)
    torch.manual_seed(7)
    model = build_model(str(tmp_path))
    assert (model.config.n_layer, model.config.n_embd, model.config.n_head) == (3, 128, 2)
    assert model.config.n_positions == 256
    assert model.config.vocab_size == len(tokenizer)
    assert model.config.eos_token_id == tokenizer.eos_token_id
    torch.manual_seed(7)
    assert torch.equal(build_model(str(tmp_path)).transformer.wte.weight, model.transformer.wte.weight)


def test_a_configuration_file_from_scratch(tmp_path: Path) -> None:
    file = tmp_path / "gpt2.yaml"
    file.write_text("n_layer: 1\nn_embd: 32\nn_head: 4\nn_positions: 300\n")
    prepare_model(_config(model=str(file)), TEXTS, tmp_path / "out")
    model = build_model(str(tmp_path / "out"))
    assert (model.config.n_layer, model.config.n_head, model.config.n_positions) == (1, 4, 300)


def test_an_existing_folder_keeps_its_weights_and_tokenizer(tmp_path: Path) -> None:
    folder = random_gpt2(tmp_path / "given", seed=3)
    tokenizer = prepare_model(_config(model=folder), TEXTS, tmp_path / "out")
    weights = transformers.GPT2LMHeadModel.from_pretrained(folder).transformer.wte.weight
    assert torch.equal(build_model(str(tmp_path / "out")).transformer.wte.weight, weights)
    assert len(tokenizer) == len(weights)


@pytest.mark.parametrize("model", ["scratch", "scratch:0x64", "scratch:2x100", "scratch:2x64x3"])
def test_a_size_that_cannot_be_is_an_error(tmp_path: Path, model: str) -> None:
    with pytest.raises(DLCodeGenError, match="write scratch:LAYERSxWIDTH"):
        prepare_model(_config(model=model), TEXTS, tmp_path)


def test_models_that_cannot_be_loaded_are_named(tmp_path: Path) -> None:
    with pytest.raises(DLCodeGenError, match="openai-community/gpt2-nowhere: cannot be loaded"):
        prepare_model(_config(model="openai-community/gpt2-nowhere"), TEXTS, tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DLCodeGenError, match="an empty one"):
        prepare_model(_config(model=str(tmp_path / "empty")), TEXTS, tmp_path / "out")
    (tmp_path / "list.json").write_text(json.dumps([1]))
    with pytest.raises(DLCodeGenError, match="not a mapping"):
        prepare_model(_config(model=str(tmp_path / "list.json")), TEXTS, tmp_path / "out")
