"""Settings of the generation job: what to read, where to write, and how to spread the work."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from pipeline.config import PipelineSettings, Settings
from pipeline.stage import ROWS_IN_FLIGHT


class BudgetSettings(Settings):
    """What a run may spend on calls to language models, all its earlier calls included: `cost` in the currency of
    `price`, `tokens` of prompts and replies together. None is no limit."""

    cost: float | None = Field(None, ge=0)
    tokens: int | None = Field(None, ge=0)

    @property
    def limited(self) -> bool:
        return self.cost is not None or self.tokens is not None


class GenerateConfig(PipelineSettings):
    """`shard_rows` rows are read, worked on and written together: the unit of progress that a kill can cost.

    `workers` is the number of one-CPU workers; by default one per CPU of the cluster. `llm_workers` processes wait for
    a language model, by default as many, each with `rows_in_flight` rows under way. `report_items` rows are shown whole
    in the HTML report. `address` is a Ray cluster's; by default the one this job was submitted to, or a new local one.

    A list of temperatures is a `sweep`: one run for each, as an experiment (`jobs.experiment`).
    """

    input: str
    out: str
    shard_rows: int = Field(64, ge=1, le=10_000)
    workers: int | None = Field(None, ge=1)
    llm_workers: int | None = Field(None, ge=1)
    rows_in_flight: int = Field(ROWS_IN_FLIGHT, ge=1, le=4096)
    budget: BudgetSettings = BudgetSettings()
    projects: bool = False
    report_items: int = Field(100, ge=0)
    address: str | None = None
    quiet: bool = False
    sweep: tuple[float, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _several_temperatures(cls, values: Any) -> Any:
        given = values.get("temperature") if isinstance(values, dict) else None
        if isinstance(given, list | tuple) and given:
            return values | {"temperature": given[0], "sweep": tuple(given)}
        return values
