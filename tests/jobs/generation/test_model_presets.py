"""The model presets: valid, possible on the hardware they name, and found by a model's name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jobs.generation.language_model import language_model, with_context_length, with_preset
from jobs.generation.model_presets import PRESETS, engine_settings, preset_names
from jobs.generation.settings import GenerateConfig
from pipeline.config import PLAIN_TEMPERATURE, LLMSettings, load_settings
from pipeline.errors import DLCodeGenError
from serving.code_llm import llm_config
from serving.engine_settings import EngineSettings

GPU_GB = {"deepseek-coder-1.3b-instruct": 8, "deepseek-coder-6.7b-instruct": 24, "deepseek-coder-v2-lite-instruct": 48}
"""The smallest GPU that a preset's comment promises; 80 GB for the others."""


def vllm(model: str, **settings: object) -> LLMSettings:
    return LLMSettings.model_validate({"backend": "vllm", "model": model} | settings)


def test_all_models_of_the_readme_have_one() -> None:
    assert preset_names() == [
        "deepseek-coder-1.3b-instruct",
        "deepseek-coder-6.7b-instruct",
        "deepseek-coder-v2-lite-instruct",
        "deepseek-v2.5",
        "deepseek-v3",
    ]


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_is_valid_explained_and_fits_its_gpus(name: str) -> None:
    preset = load_settings(EngineSettings, str(PRESETS / f"{name}.yaml"))
    text = (PRESETS / f"{name}.yaml").read_text()
    assert preset.weights_gb is not None
    left = GPU_GB.get(name, 80) * preset.gpu_memory - preset.weights_gb / preset.gpus
    assert left > 2, "weights have to leave room for prompts and replies"
    assert text.startswith("# "), "the first line says what it is for"
    assert "GPU" in text.splitlines()[0]
    assert preset.replicas.target_requests <= preset.replicas.max_requests


@pytest.mark.parametrize("name", preset_names())
def test_ray_and_vllm_take_a_preset(name: str) -> None:
    pytest.importorskip("vllm")
    from ray.serve.llm import LLMConfig

    preset = load_settings(EngineSettings, str(PRESETS / f"{name}.yaml"))
    gpu = LLMConfig(**llm_config(preset, use_gpu=True)).get_engine_config()
    assert [bundle["GPU"] for bundle in gpu.placement_bundles] == [1] * preset.gpus
    cpu = LLMConfig(**llm_config(preset, use_gpu=False)).get_engine_config()
    assert [bundle["CPU"] for bundle in cpu.placement_bundles] == [preset.cpus]


@pytest.mark.parametrize(
    ("model", "parallel", "kept"),
    [
        ("deepseek-v3", (8, 2), "deepseek-ai/DeepSeek-V3"),
        ("deepseek-ai/DeepSeek-V3-0324", (8, 2), "deepseek-ai/DeepSeek-V3-0324"),
        ("deepseek-ai/DeepSeek-V2.5", (8, 1), "deepseek-ai/DeepSeek-V2.5"),
        ("/models/DeepSeek-Coder-V2-Lite-Instruct/", (1, 1), "/models/DeepSeek-Coder-V2-Lite-Instruct/"),
        ("someone/another-model", (1, 1), "someone/another-model"),
    ],
)
def test_a_preset_is_found_by_the_models_name(model: str, parallel: tuple[int, int], kept: str) -> None:
    found = engine_settings(vllm(model))
    assert (found.tensor_parallel, found.pipeline_parallel) == parallel
    assert found.model == kept


def test_changes_reach_into_a_preset() -> None:
    changes = {"replicas": {"max": 3}, "max_sequences": 7}
    found = engine_settings(vllm("deepseek-v2.5", context_length=9000, engine=changes))
    assert (found.replicas.max, found.replicas.max_requests) == (3, 512)
    assert (found.context_length, found.max_sequences) == (9000, 7)
    with pytest.raises(DLCodeGenError, match="min is 5 and max only 1"):
        engine_settings(vllm("deepseek-v2.5", engine={"replicas": {"min": 5}}))
    with pytest.raises(DLCodeGenError, match=r"engine\.replicas\.most"):
        engine_settings(vllm("deepseek-v2.5", engine={"replicas": {"most": 3}}))


def test_the_context_length_comes_from_the_preset_or_the_models_folder(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"max_position_embeddings": 2048}))
    assert with_context_length(vllm("deepseek-v2.5")).context_length == 32_768
    assert with_context_length(vllm(str(tmp_path))).context_length == 2048
    assert with_context_length(vllm(str(tmp_path), context_length=512)).context_length == 512
    assert with_context_length(LLMSettings()).context_length is None


def test_settings_that_cannot_work_fail_before_the_work() -> None:
    with pytest.raises(DLCodeGenError, match="a preset: deepseek-coder"):
        engine_settings(vllm(""))
    for settings in (
        LLMSettings(backend="openai"),
        LLMSettings(backend="openai", model="m", base_url="localhost:8000"),
        LLMSettings(backend="scripted", model="no.such:script"),
        LLMSettings(backend="scripted", model="nothing", cache="nothing://here"),
    ):
        with pytest.raises(DLCodeGenError), language_model(settings):
            pass


def test_no_model_is_no_error() -> None:
    with language_model(LLMSettings()) as builder:
        assert builder is None


def test_a_run_that_names_no_temperature_has_its_model_s(tmp_path: Path) -> None:
    def temperature(*words: str) -> float | None:
        config = load_settings(GenerateConfig, None, words, input="a", out="b")
        return with_preset(config).writing.temperature

    assert temperature() is None
    assert temperature("llm=openai", "model=m") == PLAIN_TEMPERATURE
    assert temperature("llm=openai", "model=m", "llm.temperature=0.9") == 0.9
    assert temperature("llm=deepseek", "model=deepseek-chat") == 0.0
    assert temperature("llm=deepseek", "model=deepseek-chat", "temperature=1.5") == 1.5
    assert temperature("llm=deepseek", "model=deepseek-chat", "temperature=auto") == 0.0
    assert temperature("llm=vllm", "model=deepseek-ai/DeepSeek-V3-0324") == 0.3
    (tmp_path / "generation_config.json").write_text('{"do_sample": true, "temperature": 0.2}')
    assert temperature("llm=vllm", f"model={tmp_path}") == 0.2
    (tmp_path / "generation_config.json").write_text("[]")
    assert temperature("llm=vllm", f"model={tmp_path}") == PLAIN_TEMPERATURE
