"""Settings of planner training; `jobs/configs/train_planner.yaml` holds the defaults with their sources."""

from __future__ import annotations

import hashlib
from typing import Literal

from pydantic import Field

from pipeline.config import AUTO, Settings
from pipeline.planners.causal_lm.codec import CONTEXT


class TrainConfig(Settings):
    """Where plans are asked for, a location is `starter`, an artifact checkout, or a .jsonl, .txt or .parquet file."""

    data: str
    """Location of the plans to learn from."""
    out: str
    """The run's folder."""
    eval: str = AUTO
    """Location of the plans to evaluate on; `auto` is the Evaluation.txt of the checkout that the data are in, else
    `eval_share` of the data's rows."""
    eval_share: float = Field(0.1, gt=0, lt=1)
    model: str = "openai-community/gpt2-large"
    """A hub name or folder of a GPT-2, `scratch:LAYERSxWIDTH`, or a YAML or JSON file of GPT2Config's fields.

    The latter two start from random weights, with a tokenizer learned from the data.
    """
    vocabulary: int = Field(8192, ge=257)
    """Tokens of the tokenizer that a model from scratch gets: the 256 bytes, the end token, and what is learned."""
    context: int = Field(CONTEXT, ge=64)
    """Tokens of an example; longer ones are shortened."""
    learning_rate: float = Field(1e-3, gt=0)
    batch_size: int = Field(16, ge=1)
    """Rows a step, of all `workers` together."""
    epochs: int = Field(8, ge=1)
    weight_decay: float = Field(0.01, ge=0)
    warm_up: float = Field(0.06, ge=0, lt=1)
    """Share of all steps in which the learning rate rises."""
    largest_gradient: float = Field(1.0, gt=0)
    """Norm to which gradients are clipped."""
    patience: int = Field(2, ge=1)
    """Epochs without a better evaluation loss until training stops."""
    seed: int = Field(0, ge=0)
    benchmarks: tuple[str, ...] = (AUTO,)
    """Locations of requirements that no row may (nearly) repeat; `auto` is the DLCodeEval of the checkout that the data
    are in."""
    allow_overlap: bool = False
    """Train on such rows all the same."""
    drop_overlap: bool = False
    """Leave such rows out."""
    workers: int = Field(1, ge=1)
    cpus_per_worker: int | None = Field(None, ge=1)
    """By default the CPUs there are, divided among the workers."""
    device: Literal["auto", "cpu", "gpu"] = "auto"
    """`auto`: a GPU a worker where the cluster has one."""
    checkpoint_steps: int = Field(200, ge=1)
    """Steps a kill can cost, at most."""
    max_failures: int = Field(3, ge=0)
    """Times that workers which died are replaced."""
    address: str | None = None
    """The Ray cluster's; by default one is found or started."""
    quiet: bool = False
    """Show no progress."""

    def digest(self) -> str:
        """Twelve hexadecimal digits that name what decides the trained model; where and how it runs does not."""
        aside = {"out", "workers", "cpus_per_worker", "device", "checkpoint_steps", "max_failures", "address", "quiet"}
        return hashlib.sha256(self.model_dump_json(exclude=aside).encode()).hexdigest()[:12]
