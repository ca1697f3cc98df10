"""The model to train: an existing GPT-2 with its tokenizer, or one from scratch with a tokenizer of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from jobs.training.settings import TrainConfig
from pipeline.errors import DLCodeGenError
from pipeline.planners.causal_lm.bpe import train_tokenizer
from pipeline.planners.causal_lm.model_folder import gpt2_config, local_model_folder
from pipeline.storage.opening import open_input
from pipeline.yaml_text import yaml_value

_SCRATCH = re.compile(r"scratch:(\d+)x(\d+)")
_HEAD_WIDTH = 64
"""Width of an attention head in all sizes of GPT-2 (Radford et al., 2019)."""


def prepare_model(config: TrainConfig, texts: Iterable[str], folder: Path) -> Any:
    """Writes what training starts from to a local folder; gives the tokenizer.

    That is a GPT-2's configuration and tokenizer, and its weights if it has any (else the workers draw them from
    the seed). Raises DLCodeGenError where there is no such model, or where it is no GPT-2.
    """
    from transformers import AutoTokenizer, GPT2Config, GPT2LMHeadModel

    values = _from_scratch(config.model)
    if values is not None:
        tokenizer = train_tokenizer(texts, config.vocabulary)
        values = {"n_positions": config.context} | dict(values)
        values |= {"vocab_size": len(tokenizer), "bos_token_id": tokenizer.eos_token_id}
        try:
            GPT2Config(**values, eos_token_id=tokenizer.eos_token_id).save_pretrained(folder)
        except (TypeError, ValueError) as error:
            raise DLCodeGenError(f"model={config.model}: no configuration of a GPT-2 ({error})") from error
        tokenizer.save_pretrained(folder)
        return tokenizer
    if Path(config.model).exists() or "://" in config.model:
        with local_model_folder(config.model) as path:
            return _copied(path, config.model, folder, AutoTokenizer, GPT2LMHeadModel)
    return _copied(config.model, config.model, folder, AutoTokenizer, GPT2LMHeadModel)


def build_model(folder: str) -> Any:
    """The model in a prepared folder, its weights drawn from torch's generator where the folder has none."""
    from transformers import GPT2LMHeadModel

    models: Any = GPT2LMHeadModel
    config = gpt2_config(folder)
    if (Path(folder) / "model.safetensors").exists():
        return models.from_pretrained(folder, config=config)
    return models(config)


def _copied(name: str, setting: str, folder: Path, tokenizers: Any, models: Any) -> Any:
    try:
        tokenizer, model = tokenizers.from_pretrained(name), models.from_pretrained(name)
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        reason = str(error).strip().split("\n")[0]
        raise DLCodeGenError(
            f"model={setting}: cannot be loaded as a GPT-2 ({reason}). Give a folder that holds one, a hub name "
            "where the hub can be reached, or scratch:LAYERSxWIDTH to start from nothing"
        ) from error
    model.save_pretrained(folder, max_shard_size="1000GB")  # one file, which build_model looks for
    tokenizer.save_pretrained(folder)
    return tokenizer


def _from_scratch(model: str) -> Mapping[str, Any] | None:
    """The GPT2Config fields that `model` describes, or None where it names an existing model."""
    if model.endswith((".yaml", ".yml", ".json")):
        try:
            with open_input(model) as stream:
                values = json.load(stream) if model.endswith(".json") else yaml_value(stream)
        except (OSError, ValueError, RecursionError) as error:
            raise DLCodeGenError(f"model={model}: cannot be read ({error})") from error
        if not isinstance(values, dict):
            raise DLCodeGenError(f"model={model}: not a mapping of GPT2Config's fields")
        return values
    if not model.startswith("scratch"):
        return None
    layers = width = 0
    match = _SCRATCH.fullmatch(model)
    if match:
        layers, width = int(match[1]), int(match[2])
    # A model up to one head wide has one head.
    divisor = _HEAD_WIDTH if width > _HEAD_WIDTH else 2
    if layers < 1 or width < 1 or width % divisor:
        raise DLCodeGenError(
            f"model={model}: write scratch:LAYERSxWIDTH, for example scratch:4x256, with an even width of up to "
            f"{_HEAD_WIDTH} or a multiple of it"
        )
    return {"n_layer": layers, "n_embd": width, "n_head": max(1, width // _HEAD_WIDTH)}
