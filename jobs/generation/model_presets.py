"""The model presets of `jobs/configs/models`: how a model is run on engines of our own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pipeline.config import PLAIN_TEMPERATURE, LLMSettings, load_settings
from pipeline.errors import DLCodeGenError
from serving.engine_settings import EngineSettings

PRESETS = Path(__file__).parents[1] / "configs" / "models"
_LONGEST_UNASKED = 16_384
"""Tokens of context that a model without a preset gets at most: all of 128k would fill the memory with one prompt."""


def engine_settings(settings: LLMSettings) -> EngineSettings:
    """How `settings.model` is run: its preset's values, or for a model without one the defaults, with the changes of
    `settings.engine` on top.

    A preset is found by its file's name, or by the last part of a hub id or folder, of which it is the beginning: that
    of deepseek-v3 serves deepseek-ai/DeepSeek-V3-0324. Raises DLCodeGenError for a missing model or changes that are no
    settings.
    """
    if not settings.model:
        raise DLCodeGenError(
            f"llm=vllm needs a model: model=HUB_ID, model=FOLDER, or a preset: {', '.join(preset_names())}"
        )
    file = _preset_file(settings.model)
    values: dict[str, Any] = load_settings(EngineSettings, str(file)).model_dump() if file else {}
    if file is None or file.stem != settings.model:
        values["model"] = settings.model
    if file is None and (length := _trained_length(settings.model)):
        values["context_length"] = min(length, _LONGEST_UNASKED)
    if settings.context_length is not None:
        values["context_length"] = settings.context_length
    try:
        return EngineSettings.model_validate(_merged(values, settings.engine))
    except ValidationError as error:
        problems = "; ".join(f"engine.{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        raise DLCodeGenError(f"settings: {problems}") from None


def default_temperature(settings: LLMSettings) -> float:
    """The temperature of a run that names none: that of the model's preset, of a local model's own configuration, or of
    its endpoint's preset, else 0.6."""
    chosen = settings.temperature
    if chosen is None and settings.backend == "vllm":
        chosen = engine_settings(settings).temperature
    if chosen is None and settings.backend == "vllm":
        chosen = _published_temperature(settings.model)
    return PLAIN_TEMPERATURE if chosen is None else chosen


def preset_names() -> list[str]:
    """The presets' names."""
    return sorted(file.stem for file in PRESETS.glob("*.yaml"))


def _preset_file(model: str) -> Path | None:
    name = model.rstrip("/").rsplit("/", 1)[-1].lower()
    fitting = [preset for preset in preset_names() if name == preset or name.startswith(f"{preset}-")]
    if not fitting:
        return None
    return PRESETS / f"{max(fitting, key=len)}.yaml"  # deepseek-v2.5 rather than a deepseek-v2, were there one


def _trained_length(model: str) -> int | None:
    """The context length that a local model's `config.json` names."""
    try:
        config = json.loads((Path(model).expanduser() / "config.json").read_text(encoding="utf-8"))
        return int(config["max_position_embeddings"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _published_temperature(model: str) -> float | None:
    """The temperature that a local model's `generation_config.json` samples with."""
    try:
        config = json.loads((Path(model).expanduser() / "generation_config.json").read_text(encoding="utf-8"))
        return float(config["temperature"]) if config.get("do_sample") else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _merged(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(values)
    for name, change in changes.items():
        value = merged.get(name)
        if isinstance(value, dict) and isinstance(change, dict):
            change = _merged(value, change)
        merged[name] = change
    return merged
