"""Settings of the corpus job: what to read, where to write, and how to spread the work."""

from __future__ import annotations

from pydantic import Field

from corpus_build.settings import CorpusSettings
from pipeline.config import LLMSettings, Settings
from pipeline.storage.files import fingerprint
from pipeline.time_limit import ROW_SECONDS


class CorpusConfig(CorpusSettings):
    """What decides the result, and how the build is run."""

    input: str
    """A folder or URL of notebooks, or of Parquet or JSONL shards of them."""

    out: str
    """The build's folder."""

    meta_kaggle: str | None = None
    """A folder of Meta Kaggle's tables."""

    review: str | None = None
    """A review sheet (CSV) whose approved rows alone may enter the sample pool."""

    shard_files: int = Field(256, ge=1, le=100_000)
    """Files read and worked on together: the unit of progress that a kill can cost."""

    workers: int | None = Field(None, ge=1)
    """One-CPU workers; by default one per CPU of the cluster."""

    local: bool = False
    """No workers: this process does everything."""

    address: str | None = None
    """A Ray cluster's address; by default the one this job was submitted to, or a new local one."""

    row_seconds: float = Field(ROW_SECONDS, gt=0)
    """Processor time that a notebook may take in one step; one that takes longer is dropped (`timeout`)."""

    quiet: bool = False
    """No progress."""

    def settings(self) -> CorpusSettings:
        """What decides the result, without paths and workers."""
        return CorpusSettings(**{name: getattr(self, name) for name in CorpusSettings.model_fields})

    def reading_key(self) -> str:
        """Names what decides the steps from reading to extraction: settings, and the tables of Meta Kaggle."""
        tables = fingerprint(self.meta_kaggle) if self.meta_kaggle else ""
        return f"{self.settings().read_digest()} {tables}"


class ExposureConfig(Settings):
    """Which language model is asked to continue the references of DLCodeEval."""

    llm: LLMSettings = LLMSettings()
    """The language model, and how it is reached."""
