"""Settings of planner training; `jobs/configs/train_planner.yaml` holds the defaults with their sources."""

from __future__ import annotations

import hashlib
from typing import Literal

from pydantic import Field

from pipeline.config import AUTO, Settings
from pipeline.planners.causal_lm.codec import CONTEXT


class TrainConfig(Settings):
    """`data` and `eval` are locations of plans: `starter`, an artifact checkout, a .jsonl, .txt or .parquet file.

    `model`: a hub name or folder of a GPT-2, `scratch:LAYERSxWIDTH`, or a YAML or JSON file of GPT2Config's fields; the
    latter two start from random weights, with a tokenizer of `vocabulary` tokens learned from the data. `batch_size` is
    of all `workers` together. `warm_up` and `eval_share` are shares of all steps and rows; `patience`: epochs without a
    better evaluation loss until training stops. `checkpoint_steps`: steps a kill can cost, at most. `benchmarks`:
    locations of requirements that training data may not (nearly) repeat; `auto` is the DLCodeEval of the checkout that
    the data are in.
    """

    data: str
    out: str
    eval: str = AUTO
    eval_share: float = Field(0.1, gt=0, lt=1)
    model: str = "openai-community/gpt2-large"
    vocabulary: int = Field(8192, ge=257)
    context: int = Field(CONTEXT, ge=64)
    learning_rate: float = Field(1e-3, gt=0)
    batch_size: int = Field(16, ge=1)
    epochs: int = Field(8, ge=1)
    weight_decay: float = Field(0.01, ge=0)
    warm_up: float = Field(0.06, ge=0, lt=1)
    largest_gradient: float = Field(1.0, gt=0)
    patience: int = Field(2, ge=1)
    seed: int = Field(0, ge=0)
    benchmarks: tuple[str, ...] = (AUTO,)
    allow_overlap: bool = False
    drop_overlap: bool = False
    workers: int = Field(1, ge=1)
    cpus_per_worker: int | None = Field(None, ge=1)
    device: Literal["auto", "cpu", "gpu"] = "auto"
    checkpoint_steps: int = Field(200, ge=1)
    max_failures: int = Field(3, ge=0)
    address: str | None = None
    quiet: bool = False

    def digest(self) -> str:
        """Twelve hexadecimal digits that name what decides the trained model; where and how it runs does not."""
        aside = {"out", "workers", "cpus_per_worker", "device", "checkpoint_steps", "max_failures", "address", "quiet"}
        return hashlib.sha256(self.model_dump_json(exclude=aside).encode()).hexdigest()[:12]
