"""A method's stages as a job runs them: with its language model, the response cache, the budget, and C-CoT's chains."""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import replace
from functools import partial

import ray

from jobs.config import GenerateConfig
from pipeline.config import PipelineSettings
from pipeline.errors import DLCodeGenError
from pipeline.generate.llm.asking import Asker
from pipeline.generate.llm.chains import Categories, make_chains, save_chains
from pipeline.llm.budget import Budget, BudgetedLLM
from pipeline.llm.build import LLMBuilder, build_llm, with_cache
from pipeline.llm.protocol import LLM
from pipeline.methods import WITH_CHAINS, generation_stages
from pipeline.retrieval.sample_pool import load_known_plans
from pipeline.stage import Stage
from pipeline.storage import exists, fingerprint


def method_stages(config: GenerateConfig, shards: int, budget: Budget | None = None) -> tuple[Stage, ...]:
    """The stages of `config.method` for `shards` shards of rows, with their language model where one is set. C-CoT's
    chains are made first where the method needs them and they are not there. Needs an initialised Ray.

    Raises DLCodeGenError for settings that cannot work, BudgetSpent where the chains cannot be paid for.
    """
    if config.llm == "none":
        return generation_stages(config)
    config = config.model_copy(update={"cache": config.cache_for(config.out) or "off"})
    processes = config.llm_workers or config.workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
    processes = min(processes, max(1, shards))
    llm = partial(_guarded, _backend(config, 1 / processes), config, budget)
    if config.method in WITH_CHAINS:
        config = with_chains(config, llm)
    stages = generation_stages(config, llm)
    return tuple(replace(stage, workers=processes) if stage.waits else stage for stage in stages)


def with_chains(config: GenerateConfig, llm: LLMBuilder) -> GenerateConfig:
    """The settings with the file of C-CoT's chains, which is made if it is not there: once for all temperatures and
    seeds, by the likeliest words."""
    made_from = [config.model, fingerprint(config.plans), config.c_cot.problems]
    digest = hashlib.sha256(json.dumps(made_from).encode()).hexdigest()[:12]
    file = config.c_cot.file_for(config.out, digest)
    config = config.model_copy(update={"c_cot": config.c_cot.model_copy(update={"chains": file})})
    if not exists(file):
        asker = Asker(llm(), config.model_copy(update={"temperature": 0.0, "seed": 0}))
        categories = Categories(load_known_plans(config.plans))
        save_chains(file, config.model, asyncio.run(make_chains(asker, categories, config.c_cot.problems)))
    return config


def _backend(settings: PipelineSettings, share: float) -> LLMBuilder:
    if settings.llm == "vllm":
        raise DLCodeGenError("llm=vllm is not in this version yet; use llm=openai with the address of a vLLM server")
    return partial(build_llm, settings.model_copy(update={"cache": "off"}), share=share)


def _guarded(backend: LLMBuilder, settings: PipelineSettings, budget: Budget | None) -> LLM:
    """A worker's model: the budget behind the cache, since what comes from there costs nothing."""
    llm = backend()
    if budget is not None:
        llm = BudgetedLLM(llm, budget, settings.price)
    return with_cache(llm, settings)
