"""How a model is run on an engine of our own: its size on the hardware, and its replicas. The presets hold these."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from pipeline.config import Settings


class ReplicaSettings(Settings):
    """Copies of the engine: Serve adds one where each has more than `target_requests` under way, up to `max`. A replica
    takes at most `max_requests` at once, the rest waits in line."""

    min: int = Field(1, ge=0)
    max: int = Field(1, ge=1)
    target_requests: int = Field(64, ge=1)
    max_requests: int = Field(256, ge=1)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min > self.max:
            raise ValueError(f"min is {self.min} and max only {self.max}")
        return self


class EngineSettings(Settings):
    """A model on vLLM. `model` is a hub id or a local folder that every machine sees.

    `context_length` is prompt and reply, in tokens. One replica takes `tensor_parallel` (within a machine) times
    `pipeline_parallel` (over machines) GPUs of `accelerator` type (any, by default), of each the share `gpu_memory`; on
    CPUs, `cpus` cores, and memory for the weights (`weights_gb`) and for `kv_cache_gb` of prompts and replies. `device`
    `auto` is the GPU where the cluster has one. `max_sequences` requests are computed together. `options` are vLLM's
    own engine arguments.
    """

    model: str
    weights_gb: float | None = Field(None, gt=0)
    context_length: int = Field(4096, ge=64)
    device: Literal["auto", "gpu", "cpu"] = "auto"
    tensor_parallel: int = Field(1, ge=1)
    pipeline_parallel: int = Field(1, ge=1)
    accelerator: str | None = None
    gpu_memory: float = Field(0.9, gt=0, le=1)
    cpus: int = Field(1, ge=1)
    kv_cache_gb: float = Field(4, gt=0)
    max_sequences: int = Field(256, ge=1)
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = "auto"
    options: dict[str, Any] = Field(default_factory=dict)
    replicas: ReplicaSettings = ReplicaSettings()

    @property
    def gpus(self) -> int:
        """GPUs of one replica."""
        return self.tensor_parallel * self.pipeline_parallel
