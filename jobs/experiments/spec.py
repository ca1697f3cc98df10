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
from typing import Any

from pydantic import Field

from jobs.generation.settings import BudgetSettings, GenerateConfig
from pipeline.config import LLMSettings, Method, PipelineSettings, Settings, load_settings
from pipeline.errors import DLCodeGenError
from pipeline.methods import WITHOUT_LLM
from pipeline.storage.files import join

_BEST_TEMPERATURE = float(PipelineSettings.model_fields["temperature"].default)


class ModelSpec(LLMSettings):
    """A language model as in the settings of `dlcodegen generate`, and its `name` in the table."""

    name: str = ""

    @property
    def label(self) -> str:
        return self.name or self.model.rstrip("/").rsplit("/", 1)[-1] or self.llm

    def given(self) -> dict[str, Any]:
        """The settings that were given, as they are for a run."""
        return {field: getattr(self, field) for field in self.model_fields_set if field != "name"}


class ExperimentConfig(Settings):
    """Each method is run with each model, temperature and seed; one that asks no language model is run once.

    `settings` are further ones of `dlcodegen generate`, for all runs; dots reach into groups. `variants` are further
    ones under a name: everything is run with each of them. `budget` holds for all runs together. `baseline_items`:
    items that the baselines without a model answer when it is scored, at most.
    """

    input: str
    out: str
    methods: tuple[Method, ...] = Field(min_length=1)
    models: tuple[ModelSpec, ...] = ()
    temperatures: tuple[float, ...] = Field((_BEST_TEMPERATURE,), min_length=1)
    seeds: tuple[int, ...] = Field((0,), min_length=1)
    settings: dict[str, Any] = Field(default_factory=dict)
    variants: dict[str, dict[str, Any]] = Field({"": {}}, min_length=1)
    budget: BudgetSettings = BudgetSettings()
    baseline_items: int = Field(500, ge=0)
    workers: int | None = Field(None, ge=1)
    address: str | None = None
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Arm:
    """One run of an experiment; `model` is "" and `temperature` None where no language model is asked. `method` is with
    its variant, where there is one."""

    method: str
    model: str
    temperature: float | None
    seed: int
    config: GenerateConfig

    @property
    def group(self) -> tuple[str, str, float | None]:
        """What the runs that differ in their seed alone have in common."""
        return self.method, self.model, self.temperature

    @property
    def title(self) -> str:
        parts = [self.method, self.model, f"temperature {self.temperature:g}" if self.temperature is not None else ""]
        return ", ".join([part for part in parts if part] + [f"seed {self.seed}"])


def arms_of(spec: ExperimentConfig) -> list[Arm]:
    """All runs of the experiment. Those of one model, temperature and seed follow one another, so that what they have
    in common (a template, a draft) is asked for once. Raises DLCodeGenError for a specification that cannot work."""
    with_llm = [method for method in spec.methods if method not in WITHOUT_LLM]
    if with_llm and not spec.models:
        raise DLCodeGenError(f"experiment: {with_llm[0]} needs a language model; list at least one under `models`")
    labels = [model.label for model in spec.models]
    if len(set(labels)) < len(labels):
        raise DLCodeGenError(f"experiment: two models are called {labels}; give each a `name` of its own")
    without = [method for method in spec.methods if method in WITHOUT_LLM]
    arms = [_arm(spec, method, variant, None, None, spec.seeds[0]) for method in without for variant in spec.variants]
    for model in spec.models:
        for temperature in spec.temperatures:
            for seed in spec.seeds:
                for variant in spec.variants:
                    arms += [_arm(spec, method, variant, model, temperature, seed) for method in with_llm]
    return arms


def sweep_of(config: GenerateConfig) -> ExperimentConfig:
    """The experiment that `dlcodegen generate` with a list of temperatures stands for."""
    chosen = config.model_dump(exclude_defaults=True)
    model = {name: chosen.pop(name) for name in LLMSettings.model_fields if name in chosen}
    for name in ("method", "temperature", "sweep"):
        chosen.pop(name, None)
    known = {name: chosen.pop(name) for name in ExperimentConfig.model_fields if name in chosen}
    return ExperimentConfig(
        **known,
        methods=(config.method,),
        models=(ModelSpec(**model),),
        temperatures=config.sweep or (config.temperature,),
        seeds=(chosen.pop("seed", 0),),
        settings=chosen,
    )


def _arm(
    spec: ExperimentConfig, method: str, variant: str, model: ModelSpec | None, temperature: float | None, seed: int
) -> Arm:
    label = model.label if model else ""
    parts = [method, variant, label, "" if temperature is None else f"t{temperature:g}", f"s{seed}" if model else ""]
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", "-".join(part for part in parts if part))
    given: dict[str, Any] = {"input": spec.input, "out": join(spec.out, "runs", slug), "method": method, "seed": seed}
    if model is not None:
        given |= {"temperature": temperature, "cache": model.cache_for(spec.out) or "off"} | {
            name: value for name, value in model.given().items() if name != "cache"
        }
    given |= {"workers": spec.workers, "address": spec.address, "quiet": spec.quiet}
    beside = {"c_cot.chains": join(spec.out, "c-cot/")}  # under runs/ is nothing but runs
    chosen = beside | spec.settings | spec.variants[variant]
    overrides = [f"{name}={json.dumps(value)}" for name, value in chosen.items()]
    named = f"{method}, {variant}" if variant else method
    return Arm(named, label, temperature, seed, load_settings(GenerateConfig, None, overrides, **given))
