"""How a model is run on an engine of our own: its size on the hardware, and its replicas. The presets hold these."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from pipeline.config import Settings


class ReplicaSettings(Settings):
    """How many copies of the engine there are, as Serve's autoscaling decides."""

    min: int = Field(1, ge=0)
    """Copies that are always there."""

    max: int = Field(1, ge=1)
    """Copies at most."""

    target_requests: int = Field(64, ge=1)
    """Requests under way in each copy from which Serve adds one."""

    max_requests: int = Field(256, ge=1)
    """Requests that a copy takes at once; the rest waits in line."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min > self.max:
            raise ValueError(f"min is {self.min} and max only {self.max}")
        return self


class EngineSettings(Settings):
    """A model on vLLM."""

    model: str
    """A hub id, or a local folder that every machine sees."""

    weights_gb: float | None = Field(None, gt=0)
    """Memory of the weights."""

    context_length: int = Field(4096, ge=64)
    """Prompt and reply together, in tokens."""

    temperature: float | None = Field(None, ge=0, le=2)
    """What the model is published with, for runs that name none."""

    device: Literal["auto", "gpu", "cpu"] = "auto"
    """`auto` is the GPU where the cluster has one."""

    tensor_parallel: int = Field(1, ge=1)
    """GPUs of one machine that share each layer."""

    pipeline_parallel: int = Field(1, ge=1)
    """Groups of such GPUs, on one machine or several, that share the layers in turn."""

    accelerator: str | None = None
    """The GPUs' type, as Ray calls it; any by default."""

    gpu_memory: float = Field(0.9, gt=0, le=1)
    """Share of a GPU's memory that the engine takes."""

    cpus: int = Field(1, ge=1)
    """Cores of one replica, on CPUs."""

    kv_cache_gb: float = Field(4, gt=0)
    """Memory for prompts and replies, on CPUs."""

    max_sequences: int = Field(256, ge=1)
    """Requests that are computed together."""

    dtype: Literal["auto", "bfloat16", "float16", "float32"] = "auto"
    """The numbers that it computes with."""

    options: dict[str, Any] = Field(default_factory=dict)
    """vLLM's own engine arguments."""

    replicas: ReplicaSettings = ReplicaSettings()
    """Copies of the engine."""

    @property
    def gpus(self) -> int:
        """GPUs of one replica."""
        return self.tensor_parallel * self.pipeline_parallel
