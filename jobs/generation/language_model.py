"""The language model of a job: made ready before the stages run, and put away after them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from jobs.generation.model_presets import default_temperature, engine_settings
from jobs.runs.terminal import say_error
from pipeline.config import LLMSettings, PipelineSettings
from pipeline.llm.build import LLMBuilder, build_llm, with_cache
from pipeline.llm.protocol import LLM
from pipeline.stage import Stage
from pipeline.stages import MethodStages
from pipeline.storage.files import fingerprint

_Settings = TypeVar("_Settings", bound=PipelineSettings)


@contextmanager
def language_model(settings: LLMSettings, *, workers: int = 1) -> Iterator[LLMBuilder | None]:
    """What the stages of `workers` processes make their model with; None for `llm=none`.

    For `llm=vllm` the engine runs as long as the block does, and Ray has to be initialised. Raises DLCodeGenError for
    settings that cannot work, before anything is sent.
    """
    if settings.backend == "none":
        yield None
    elif settings.backend != "vllm":
        build_llm(settings)  # what is wrong with the settings is said here, not in a worker
        _warn_without_key(settings)
        yield partial(build_llm, settings, share=1 / workers)
    else:
        from serving.code_llm import APP, deploy, served_name, undeploy

        chosen = engine_settings(settings)
        deploy(chosen)
        try:
            yield partial(serve_llm, settings, _identity(chosen.model), served_name(chosen.model), APP)
        finally:
            undeploy()


def _warn_without_key(settings: LLMSettings) -> None:
    """Says that an endpoint on another machine will be asked without a key. Some want none, so it is no error."""
    host = urlsplit(settings.base_url).hostname or ""
    if settings.backend != "openai" or host in ("localhost", "127.0.0.1", "::1"):
        return
    if settings.api_key_env and not os.environ.get(settings.api_key_env):
        say_error(
            f"warning: ${settings.api_key_env} is not set in this job, so {host} is asked without a key; on a cluster "
            "its machines need the variable (docs/clusters.md), and api_key_env= says that none is wanted"
        )


@contextmanager
def planning(settings: PipelineSettings) -> Iterator[Stage]:
    """The stage that plans in this process, with the language model of `planner=llm` where that is used. A row
    that it gives no plan for fails: who is asked for plans is told whose they are."""
    if settings.planner.kind != "llm":
        yield MethodStages(settings).plan(falls_back=False)
        return
    if settings.llm.backend == "vllm":
        from jobs.cluster.ray_start import start_ray

        start_ray(None, None)
    settings = with_preset(settings)
    with language_model(settings.llm) as llm:
        yield MethodStages(settings, llm).plan(falls_back=False)


def with_preset(settings: _Settings) -> _Settings:
    """The settings with what they leave to the model's preset: the context's length and the temperature."""
    if settings.llm.backend == "none":
        return settings
    writing = settings.writing
    if writing.temperature is None:
        writing = writing.model_copy(update={"temperature": default_temperature(settings.llm)})
    return settings.model_copy(update={"llm": with_context_length(settings.llm), "writing": writing})


def with_context_length(settings: LLMSettings) -> LLMSettings:
    """The settings with the context length that `llm=vllm` gets from the model's preset."""
    if settings.backend != "vllm" or settings.context_length is not None:
        return settings
    return settings.model_copy(update={"context_length": engine_settings(settings).context_length})


def serve_llm(settings: LLMSettings, identity: str, served: str, app: str) -> LLM:
    """The engine's model by handle, behind the response cache; `identity` names it there."""
    from serving.serve_llm import ServeLLM

    return with_cache(ServeLLM(identity, served, app, settings.limits), settings.cache)


def _identity(model: str) -> str:
    """What a cached reply belongs to: a hub id, or a folder's name with what its files are now."""
    folder = Path(model).expanduser()
    return f"{folder.resolve().name}@{fingerprint(str(folder))}" if folder.is_dir() else model
