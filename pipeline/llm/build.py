"""The language model that settings name."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from pipeline.config import AUTO, LLMSettings
from pipeline.errors import DLCodeGenError
from pipeline.llm.client.openai_compatible import OpenAICompatibleLLM
from pipeline.llm.protocol import LLM
from pipeline.llm.scripted import ScriptedLLM
from pipeline.llm.spending.cache import ResponseCache
from pipeline.llm.spending.cached_llm import CachedLLM

LLMBuilder = Callable[[], LLM]
"""Makes a worker's language model. Travels to the worker, so it is picklable: a function, or a `partial` of one."""


def build_llm(settings: LLMSettings, *, share: float = 1.0) -> LLM:
    """The model of `llm=openai` or `llm=scripted`, behind its response cache; `share` is the part of the job's rate
    limits that this process may use (1 / number of processes). An engine of our own (`llm=vllm`) lives on Ray:
    `jobs.generation.language_model` makes that one.

    Raises DLCodeGenError for settings that name no model.
    """
    if settings.llm == "openai":
        return with_cache(OpenAICompatibleLLM(settings, share=share), settings)
    if settings.llm == "scripted":
        return with_cache(ScriptedLLM(_script(settings.model), model=settings.model), settings)
    raise DLCodeGenError(f"llm={settings.llm} is no model that can be built here; use openai or scripted")


def with_cache(llm: LLM, settings: LLMSettings) -> LLM:
    """The model behind the cache that the settings name; as it is where they name none, or left it to `auto`."""
    if settings.cache in ("", "off", AUTO):
        return llm
    return CachedLLM(llm, ResponseCache(settings.cache))


def _script(name: str) -> Callable[..., str]:
    module, _, function = name.partition(":")
    try:
        script: Callable[..., str] = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise DLCodeGenError(f"llm=scripted takes model=package.module:function, not {name!r} ({error})") from error
    return script
