"""Settings of the generation job: what to read, where to write, and how to spread the work."""

from __future__ import annotations

from pydantic import Field

from pipeline.config import PipelineSettings


class GenerateConfig(PipelineSettings):
    """`shard_rows` rows are read, worked on and written together: the unit of progress that a kill can cost.

    `workers` is the number of one-CPU workers; by default one per CPU of the cluster. `report_items` rows are shown
    whole in the HTML report. `address` is a Ray cluster's; by default the one this job was submitted to, or a new
    local one.
    """

    input: str
    out: str
    shard_rows: int = Field(64, ge=1, le=10_000)
    workers: int | None = Field(None, ge=1)
    projects: bool = False
    report_items: int = Field(100, ge=0)
    address: str | None = None
    quiet: bool = False
