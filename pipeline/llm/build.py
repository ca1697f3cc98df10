"""The language model that settings name, and the asker that stages ask it by."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import lru_cache

from pipeline.config import AUTO, LLMSettings, PriceSettings, WritingSettings
from pipeline.errors import DLCodeGenError
from pipeline.llm.asking.asker import Asker
from pipeline.llm.client.openai_compatible import OpenAICompatibleLLM
from pipeline.llm.protocol import LLM
from pipeline.llm.scripted import ScriptedLLM
from pipeline.llm.spending.cache import ResponseCache
from pipeline.llm.spending.cached_llm import CachedLLM

LLMBuilder = Callable[[], LLM]
"""Makes a worker's language model. Travels to the worker, so it is picklable: a function, or a `partial` of one."""

AskerBuilder = Callable[[], Asker]
"""Makes an asker in the worker, likewise."""


def build_llm(settings: LLMSettings, *, share: float = 1.0) -> LLM:
    """The model of `llm=openai` or `llm=scripted`, behind its response cache; `share` is the part of the job's rate
    limits that this process may use (1 / number of processes). An engine of our own (`llm=vllm`) lives on Ray:
    `jobs.generation.language_model` makes that one.

    Raises DLCodeGenError for settings that name no model.
    """
    if settings.backend == "openai":
        return with_cache(OpenAICompatibleLLM(settings, share=share), settings.cache)
    if settings.backend == "scripted":
        return with_cache(ScriptedLLM(_script(settings.model), model=settings.model), settings.cache)
    raise DLCodeGenError(f"llm={settings.backend} is no model that can be built here; use openai or scripted")


def build_asker(llm: LLMBuilder, writing: WritingSettings, context_length: int | None, price: PriceSettings) -> Asker:
    """The asker of a stage. All stages of a worker ask the same client."""
    return Asker(_client(llm), writing, context_length=context_length, price=price)


@lru_cache(maxsize=4)
def _client(llm: LLMBuilder) -> LLM:
    return llm()


def with_cache(llm: LLM, location: str) -> LLM:
    """The model behind the cache at a location; as it is where that is `off`, or still `auto`."""
    if location in ("", "off", AUTO):
        return llm
    return CachedLLM(llm, ResponseCache(location))


def _script(name: str) -> Callable[..., str]:
    module, _, function = name.partition(":")
    try:
        script: Callable[..., str] = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise DLCodeGenError(f"llm=scripted takes model=package.module:function, not {name!r} ({error})") from error
    return script
