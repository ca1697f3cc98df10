"""The specification of an experiment: methods x models x temperatures x seeds, and the runs that it stands for.

input: starter
out: out/temperatures
methods: [copy, direct, dlcodegen]
models:
  - {name: deepseek, llm: openai, model: deepseek-chat, base_url: https://api.deepseek.com/v1, price: {output: 1.1}}
temperatures: [0.5, 1.5]
seeds: [0, 1, 2]
settings: {retrieval.top: 2, max_tokens: 4096}
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

from pydantic import Field

from jobs.generation.model_presets import default_temperature
from jobs.generation.settings import BudgetSettings, GenerateConfig
from pipeline.config import WITHOUT_LLM, LLMSettings, Method, Settings, load_settings
from pipeline.errors import DLCodeGenError
from pipeline.storage.files import join


class ModelSpec(Settings):
    """A language model as in the settings of `dlcodegen generate`, and its name in the table."""

    llm: LLMSettings = LLMSettings()
    """The model, and how it is reached; short words will do (`llm: openai`, `model: NAME`)."""

    name: str = ""
    """What the table calls it; by default the last part of the model's name."""

    @property
    def label(self) -> str:
        return self.name or self.llm.model.rstrip("/").rsplit("/", 1)[-1] or self.llm.backend


class ExperimentConfig(Settings):
    """Each method is run with each model, temperature and seed; one that asks no language model is run once."""

    input: str
    """The requirements of all runs."""

    out: str
    """The experiment's folder."""

    methods: tuple[Method, ...] = Field(min_length=1)
    """The methods to compare."""

    models: tuple[ModelSpec, ...] = ()
    """The language models that write."""

    temperatures: tuple[float | None, ...] = Field((None,), min_length=1)
    """Sampling temperatures; by default each model's own."""

    seeds: tuple[int, ...] = Field((0,), min_length=1)
    """Seeds of the sampling."""

    settings: dict[str, Any] = Field(default_factory=dict)
    """Further settings of `dlcodegen generate`, for all runs; dots reach into groups."""

    variants: dict[str, dict[str, Any]] = Field({"": {}}, min_length=1)
    """Further settings under a name: everything is run with each of them."""

    budget: BudgetSettings = BudgetSettings()
    """What all runs together may spend."""

    baseline_items: int = Field(500, ge=0)
    """Items that the baselines without a model answer when the experiment is scored, at most."""

    workers: int | None = Field(None, ge=1)
    """One-CPU workers; by default one per CPU of the cluster."""

    address: str | None = None
    """A Ray cluster's address; by default a new local one."""

    quiet: bool = False
    """No progress."""


class Group(NamedTuple):
    """What the runs that differ in their seed alone have in common."""

    method: str
    """With its variant, where there is one."""

    model: str
    """What the table calls it; empty where no language model is asked."""

    temperature: float | None
    """None where no language model is asked."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One run of an experiment."""

    group: Group
    seed: int
    config: GenerateConfig

    @property
    def title(self) -> str:
        """What progress and manifest call it."""
        parts = [self.group.method]
        if self.group.model:
            parts.append(self.group.model)
        if self.group.temperature is not None:
            parts.append(f"temperature {self.group.temperature:g}")
        parts.append(f"seed {self.seed}")
        return ", ".join(parts)


def arms_of(spec: ExperimentConfig) -> list[Arm]:
    """All runs of the experiment. Raises DLCodeGenError for a specification that cannot work.

    Runs of one model, temperature and seed follow one another, so that what they have in common (a template, a
    draft) is asked for once.
    """
    without_llm = [method for method in spec.methods if method in WITHOUT_LLM]
    with_llm = [method for method in spec.methods if method not in WITHOUT_LLM]
    if with_llm and not spec.models:
        raise DLCodeGenError(f"experiment: {with_llm[0]} needs a language model; list at least one under `models`")
    labels = [model.label for model in spec.models]
    if len(set(labels)) < len(labels):
        raise DLCodeGenError(f"experiment: two models are called {labels}; give each a `name` of its own")
    arms: list[Arm] = []
    for method in without_llm:
        for variant in spec.variants:
            arms.append(_arm_without_llm(spec, method, variant))
    for model, asked, seed in product(spec.models, spec.temperatures, spec.seeds):
        temperature = default_temperature(model.llm) if asked is None else asked
        for variant in spec.variants:
            for method in with_llm:
                arms.append(_arm(spec, method, variant, model, temperature, seed))
    return arms


def sweep_of(config: GenerateConfig) -> ExperimentConfig:
    """The experiment that `dlcodegen generate` with a list of temperatures stands for."""
    changed = config.model_dump(exclude_defaults=True)
    changed.setdefault("planner", {})["use"] = config.planner.use  # a default depends on the model and the method
    writing, run = changed.pop("writing", {}), changed.pop("run")
    for name in ("method", "temperature", "seed"):
        writing.pop(name, None)
    for name in ("input", "out", "sweep", "budget", "workers", "address", "quiet"):
        run.pop(name, None)
    return ExperimentConfig(
        input=config.run.input,
        out=config.run.out,
        methods=(config.writing.method,),
        models=(ModelSpec(llm=changed.pop("llm", {})),),
        temperatures=config.run.sweep or (config.writing.temperature,),
        seeds=(config.writing.seed,),
        settings=changed | {"writing": writing, "run": run},
        budget=config.run.budget,
        workers=config.run.workers,
        address=config.run.address,
        quiet=config.run.quiet,
    )


def _arm_without_llm(spec: ExperimentConfig, method: Method, variant: str) -> Arm:
    group = Group(_with_variant(method, variant), "", None)
    seed = spec.seeds[0]
    config = _config(spec, variant, [method, variant], method=method, seed=seed)
    return Arm(group, seed, config)


def _arm(spec: ExperimentConfig, method: Method, variant: str, model: ModelSpec, temperature: float, seed: int) -> Arm:
    group = Group(_with_variant(method, variant), model.label, temperature)
    words = [method, variant, model.label, f"t{temperature:g}", f"s{seed}"]
    llm = model.llm.with_cache_for(spec.out)  # one cache for all runs
    config = _config(spec, variant, words, method=method, seed=seed, temperature=temperature, llm=llm)
    return Arm(group, seed, config)


def _with_variant(method: Method, variant: str) -> str:
    if not variant:
        return method
    return f"{method}, {variant}"


def _config(spec: ExperimentConfig, variant: str, words: list[str], **settings: object) -> GenerateConfig:
    """A run's settings: its own, over those of its variant, over those of the experiment.

    `words` name its folder.
    """
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", "-".join(filter(None, words)))
    chains = {"c_cot.chains": join(spec.out, "c-cot/")}  # not under runs/, where everything is a run
    shared = chains | spec.settings | spec.variants[variant]
    overrides = [f"{name}={json.dumps(value)}" for name, value in shared.items()]
    return load_settings(
        GenerateConfig,
        None,
        overrides,
        input=spec.input,
        out=join(spec.out, "runs", slug),
        workers=spec.workers,
        address=spec.address,
        quiet=spec.quiet,
        **settings,
    )
