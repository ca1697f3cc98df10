"""Training tokens/s and model FLOPs utilisation of `dlcodegen train-planner`, against a plain loop in one process."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from jobs.train_planner import main as train
from jobs.training.data import read_examples
from jobs.training.loop import collate
from jobs.training.model import build_model
from jobs.training.settings import TrainConfig
from jobs.training.state import read_history


def measure_training(data: str, size: str, out: Path) -> None:
    """Trains one epoch on Ray, then the same examples in a plain loop with as many threads: batches of 16 rows as they
    come, padded to the longest, loss by transformers."""
    threads = os.cpu_count() or 1
    train(TrainConfig(data=data, out=str(out), model=size, vocabulary=4096, epochs=1, drop_overlap=True, quiet=True))
    ours = read_history(str(out)).epochs[0]["tokens_per_second"]
    torch.set_num_threads(threads)
    examples = read_examples(str(out / "data" / "train.parquet"))
    model: Any = build_model(str(out / "model-start"))
    plain = _plain_loop(model, examples)
    flops, peak = _flops_per_token(model, float(np.mean([len(example.tokens) for example in examples]))), _peak()
    print(
        f"\nTraining, {size}: {model.num_parameters():,} weights, {len(examples)} examples, one epoch, "
        f"{threads} threads"
    )
    print(f"{'':24}{'tokens/s':>10}{'GFLOP/s':>10}{'of peak':>9}")
    for name, rate in (("train-planner", ours), ("plain loop", plain)):
        print(f"{name:24}{rate:>10,.0f}{rate * flops / 1e9:>10.1f}{rate * flops / peak:>9.0%}")
    print(
        f"train-planner / plain: {ours / plain:.2f} x tokens/s; peak (a matrix product here): {peak / 1e9:.0f} GFLOP/s"
    )


def _plain_loop(model: Any, examples: list[Any]) -> float:
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    order, tokens = np.random.default_rng(0).permutation(len(examples)).tolist(), 0
    model.train()
    start = time.perf_counter()
    for at in range(0, len(order), 16):
        chosen = [examples[row] for row in order[at : at + 16]]
        optimizer.zero_grad()
        model(**collate(chosen, 0)).loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        tokens += sum(len(example.tokens) for example in chosen)
    return tokens / (time.perf_counter() - start)


def _flops_per_token(model: Any, length: float) -> float:
    """6 a weight that multiplies (the embedding counts once, as the output layer), and causal attention's products
    (Kaplan et al., 2020; Chowdhery et al., 2022)."""
    config = model.config
    weights = model.num_parameters() - model.transformer.wpe.weight.numel()
    return 6.0 * weights + 6.0 * config.n_layer * config.n_embd * length


def _peak() -> float:
    """FLOP/s of a large matrix product with the threads that are in use."""
    matrix = torch.randn(1536, 1536)
    best = 0.0
    for _ in range(5):
        start = time.perf_counter()
        matrix @ matrix
        best = max(best, 2 * 1536**3 / (time.perf_counter() - start))
    return best
