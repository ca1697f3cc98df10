"""Settings of the generation job: what decides the rows, what to read, where to write, and how to spread the work."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from pipeline.config import PipelineSettings, Settings
from pipeline.stage import ROWS_IN_FLIGHT
from pipeline.time_limit import ROW_SECONDS

_SHARD, _EXECUTED_SHARD = 64, 4
"""Rows of a shard where nothing is said, and where projects are run too."""


class BudgetSettings(Settings):
    """What a run may spend on calls to language models, all its earlier calls included. None is no limit."""

    cost: float | None = Field(None, ge=0)
    """In the currency of `llm.price`."""

    tokens: int | None = Field(None, ge=0)
    """Of prompts and replies together."""

    @property
    def limited(self) -> bool:
        return self.cost is not None or self.tokens is not None


class RunSettings(Settings):
    """One run: its input, its folder, and how the work is spread."""

    input: str
    """Where the requirements are: a file, a folder, a checkout of the published artifact, or `starter`."""

    out: str
    """The run's folder, a path or fsspec URL."""

    shard_rows: int | None = Field(None, ge=1, le=10_000)
    """Rows read, worked on and written together: the unit of progress that a kill can cost. By default 64; 4 where the
    projects are run, which takes a minute each."""

    workers: int | None = Field(None, ge=1)
    """One-CPU workers; by default one per CPU of the cluster."""

    llm_workers: int | None = Field(None, ge=1)
    """Processes that wait for a language model; by default as many as workers."""

    rows_in_flight: int = Field(ROWS_IN_FLIGHT, ge=1, le=4096)
    """Rows under way in each of these processes."""

    row_seconds: float = Field(ROW_SECONDS, gt=0)
    """Processor time that a row may take in one stage, waiting not counted; one that takes longer fails (`timeout`)."""

    budget: BudgetSettings = BudgetSettings()
    """What calls to the language model may cost."""

    projects: bool = False
    """Whether each project is also written as a folder."""

    report_items: int = Field(100, ge=0)
    """Rows shown whole in the HTML report."""

    address: str | None = None
    """A Ray cluster's address; by default the one this job was submitted to, or a new local one."""

    quiet: bool = False
    """No progress."""

    sweep: tuple[float, ...] = ()
    """Temperatures, with a run for each, as an experiment (`jobs.experiment`); a list as `temperature` is one."""


class GenerateConfig(PipelineSettings):
    """What decides a row's result, and how it is run."""

    run: RunSettings
    """Input, folder, and how the work is spread."""

    def __init__(self, **settings: Any) -> None:
        """Takes groups (`run=...`) and short words (`input=...`)."""
        super().__init__(**settings)

    @classmethod
    def _completed(cls, groups: dict[str, Any]) -> dict[str, Any]:
        """Several temperatures are a sweep, which begins with the first of them."""
        groups = super()._completed(groups)
        writing, run = groups["writing"], groups["run"]
        if isinstance(writing, dict) and isinstance(run, dict):
            temperature = writing.get("temperature")
            if isinstance(temperature, list | tuple) and temperature:
                writing["temperature"] = temperature[0]
                run["sweep"] = tuple(temperature)
        return groups

    @property
    def rows_in_shard(self) -> int:
        """Rows of a shard."""
        return self.run.shard_rows or (_EXECUTED_SHARD if self.execution.enabled else _SHARD)
