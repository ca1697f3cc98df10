"""A method's stages as a job runs them: with its language model, the response cache, the budget, and C-CoT's chains."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import ray

from jobs.generation.language_model import language_model
from jobs.generation.settings import GenerateConfig, RunSettings
from jobs.runs.store import RunStore
from pipeline.calls import LLMCall
from pipeline.config import LLMSettings
from pipeline.generate.llm.chains import Categories, kept_calls, make_chains, save_chains
from pipeline.llm.asking.asker import Asker
from pipeline.llm.asking.prompt_files import prompts_version
from pipeline.llm.build import LLMBuilder, with_cache
from pipeline.llm.protocol import LLM
from pipeline.llm.spending.budget import Budget, BudgetedLLM
from pipeline.llm.spending.cache import ResponseCache
from pipeline.methods import WITH_CHAINS, generation_stages
from pipeline.retrieval.sample_pool import load_known_plans
from pipeline.stage import Stage
from pipeline.storage.files import exists, fingerprint


@contextmanager
def opened_model(config: GenerateConfig, shards: int | None = None) -> Iterator[LLMBuilder | None]:
    """The language model of a run of `shards` shards, or of several runs that share it, for as long as the block takes;
    None for `llm=none`. Needs an initialised Ray. Raises DLCodeGenError for a model that cannot be had."""
    # The cache comes in front of the budget, which comes in front of this.
    uncached = config.llm.model_copy(update={"cache": "off"})
    with language_model(uncached, workers=processes(config.run, shards)) as backend:
        yield backend


def method_stages(
    config: GenerateConfig, shards: int, backend: LLMBuilder | None, budget: Budget | None = None
) -> tuple[Stage, ...]:
    """The stages of the settings' method for `shards` shards of rows, with their language model where one is set.
    C-CoT's chains are made first where the method needs them and they are not there; their calls become the run's.

    Raises DLCodeGenError for settings that cannot work, BudgetSpent where the chains cannot be paid for.
    """
    if backend is None:
        return _limited(generation_stages(config), config.run.row_seconds)
    settings = config.llm.with_cache_for(config.run.out)
    if settings.cache != "off":
        ResponseCache(settings.cache)  # what is wrong with the location is said here too, not only in workers' logs
    llm = partial(_guarded, backend, settings, budget)
    chains = None
    if config.writing.method in WITH_CHAINS:
        chains = chains_file(config)
        RunStore(config.run.out).note_calls(ensure_chains(chains, config, llm))
    workers = processes(config.run, shards)
    stages = generation_stages(config, llm, chains)
    stages = tuple(replace(stage, workers=workers) if stage.waits else stage for stage in stages)
    return _limited(stages, config.run.row_seconds)


def _limited(stages: Sequence[Stage], row_seconds: float) -> tuple[Stage, ...]:
    """The stages with the run's limit for a row; those that bound themselves have none."""
    return tuple(stage if stage.row_seconds is None else replace(stage, row_seconds=row_seconds) for stage in stages)


def processes(run: RunSettings, shards: int | None = None) -> int:
    """How many processes wait for the model. Needs an initialised Ray."""
    wanted = run.llm_workers or run.workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
    return wanted if shards is None else min(wanted, max(1, shards))


def ensure_chains(file: str, config: GenerateConfig, llm: LLMBuilder) -> tuple[LLMCall, ...]:
    """Makes the file of C-CoT's chains where it is not there: once for all temperatures and seeds, by the likeliest
    words. Returns the calls for it, of now or of when it was made."""
    if exists(file):
        return kept_calls(file)
    likeliest = config.writing.model_copy(update={"temperature": 0.0, "seed": 0})
    asker = Asker(llm(), likeliest, context_length=config.llm.context_length, price=config.llm.price)
    categories = Categories(load_known_plans(config.planner.plans))
    made = asyncio.run(make_chains(asker, categories, config.writing.c_cot.problems))
    save_chains(file, config.llm.model, made)
    return made.calls


def chains_file(config: GenerateConfig) -> str:
    """Where the chains are that go with the settings' model and known plans, and with the prompts."""
    c_cot = config.writing.c_cot
    made_from = [config.llm.model, fingerprint(config.planner.plans), c_cot.problems, prompts_version()]
    return c_cot.file_for(config.run.out, hashlib.sha256(json.dumps(made_from).encode()).hexdigest()[:12])


def _guarded(backend: LLMBuilder, settings: LLMSettings, budget: Budget | None) -> LLM:
    """A worker's model: the budget behind the cache, since what comes from there costs nothing."""
    llm = backend()
    if budget is not None:
        llm = BudgetedLLM(llm, budget, settings.price)
    return with_cache(llm, settings.cache)
