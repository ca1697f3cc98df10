"""Settings of the corpus job: what to read, where to write, and how to spread the work."""

from __future__ import annotations

from pydantic import Field

from corpus_build.settings import CorpusSettings


class CorpusConfig(CorpusSettings):
    """`input` is a folder or URL of notebooks, or of Parquet or JSONL shards of them; `meta_kaggle` a folder of Meta
    Kaggle's tables. `review` is a review sheet (CSV) whose approved rows alone may enter the sample pool.

    `shard_files` files are read and worked on together: the unit of progress that a kill can cost. `workers` is the
    number of one-CPU workers, by default one per CPU of the cluster; with `local` there are none, and this process does
    everything.
    """

    input: str
    out: str
    meta_kaggle: str | None = None
    review: str | None = None
    shard_files: int = Field(256, ge=1, le=100_000)
    workers: int | None = Field(None, ge=1)
    local: bool = False
    address: str | None = None
    quiet: bool = False

    def settings(self) -> CorpusSettings:
        """What decides the result, without places and workers."""
        return CorpusSettings(**{name: getattr(self, name) for name in CorpusSettings.model_fields})
