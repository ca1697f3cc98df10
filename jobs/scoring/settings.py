"""The settings of `dlcodegen score` and `dlcodegen judge`."""

from __future__ import annotations

from pydantic import Field

from pipeline.config import LLMSettings, Settings
from pipeline.time_limit import ROW_SECONDS


class ScoreConfig(Settings):
    """How runs are scored and compared."""

    runs: tuple[str, ...] = Field(min_length=1)
    """Folders of runs of `dlcodegen generate`."""
    out: str
    """The folder that tables and report are written to."""
    against: str | None = None
    """The run that the others are compared with; by default the first."""
    baseline_items: int = Field(500, ge=0)
    """Items with a reference that the baselines answer, at most, evenly spaced."""
    seeds: int = Field(5, ge=1)
    """Draws of the random baseline."""
    row_seconds: float = Field(ROW_SECONDS, gt=0)
    """Processor time that an output may take; one that takes longer is not measured (`timeout`)."""
    report_items: int = Field(60, ge=0)
    """Items that the page opens."""
    address: str | None = None
    """A Ray cluster's address; without one Ray is started here."""
    workers: int | None = Field(None, ge=1)
    """CPUs of a Ray that is started here."""
    quiet: bool = False
    """No progress."""


class JudgeConfig(Settings):
    """Which model judges, and what it is asked."""

    llm: LLMSettings = LLMSettings()
    """The judge; short words will do (`llm=openai`, `model=NAME`)."""
    runs: tuple[str, ...] = Field(min_length=1)
    """Folders of runs of `dlcodegen generate`."""
    out: str
    """The folder that tables and report are written to."""
    against: str | None = None
    """The run that the others are compared with; by default the first."""
    samples: int = Field(3, ge=1)
    """How often each question is asked, each time with another seed."""
    temperature: float = Field(0.7, ge=0)
    """Of the judge's answers."""
    max_tokens: int = Field(600, ge=50)
    """Of an answer."""
    seed: int = 0
    """The first of the `samples` seeds."""
    pairs: bool = True
    """Whether projects are compared side by side as well."""
    items: int | None = Field(None, ge=1)
    """How many items are judged, evenly spaced over the first run; by default all."""
    at_once: int = Field(32, ge=1)
    """Questions under way."""
    report_items: int = Field(60, ge=0)
    """Items that the page opens."""
    address: str | None = None
    """A Ray cluster's address, for `llm=vllm`."""
    quiet: bool = False
    """No progress."""
