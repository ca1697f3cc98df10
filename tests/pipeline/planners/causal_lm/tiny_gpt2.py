"""Tiny GPT-2s with random weights, and texts for their tokenizers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from pipeline.planners.causal_lm.bpe import train_tokenizer
from pipeline.retrieval.sample_pool import load_known_plans

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # read when transformers is imported: no test waits for a network

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

torch.set_num_threads(1)  # more only cost time at this size


def starter_tokenizer(vocabulary: int = 1200) -> Any:
    known = load_known_plans()
    return train_tokenizer([f"{item.requirement}\n{item.plan.to_json()}" for item in known], vocabulary)


def random_gpt2(folder: Path, *, seed: int, spread: float = 0.02, context: int = 512, tokenizer: Any = None) -> str:
    """Saves a model of one layer whose weights have the given standard deviation, and its tokenizer."""
    tokenizer = tokenizer or starter_tokenizer()
    torch.manual_seed(seed)
    config = transformers.GPT2Config(
        vocab_size=len(tokenizer), n_positions=context, n_embd=16, n_layer=1, n_head=2, initializer_range=spread,
        bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    transformers.GPT2LMHeadModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)
