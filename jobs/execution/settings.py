"""Settings of the jobs that run projects: `dlcodegen execute`, and the check of the bundled samples."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from pydantic import Field
from pydantic_core import to_json

from pipeline.config.execution import CPU_SECONDS, RunningSettings


class ExecuteConfig(RunningSettings):
    """What `dlcodegen execute` runs, in what, and how far."""

    inputs: tuple[str, ...] = Field(min_length=1)
    """Folders of runs, folders of projects, Python files."""
    out: str
    """The folder that the results are written to."""
    data: str = ""
    """A local file or folder that projects find as `data` in their own folder; "" for none."""
    shard_rows: int | None = Field(None, ge=1, le=1000)
    """Projects run and written together, what a kill can cost a worker; by default 1, of thousands of projects 8."""
    workers: int | None = Field(None, ge=1)
    """One-CPU workers, each with a project at a time; by default one per CPU of the cluster."""
    address: str | None = None
    """A Ray cluster's address; by default the one this job was submitted to, or a new local one."""
    report_items: int = Field(100, ge=0)
    """Projects shown whole in the HTML report."""
    quiet: bool = False
    """No progress."""

    def digest(self) -> str:
        """Of what decides a project's result."""
        return hashlib.sha256(to_json(self.deciding() | {"data": self.data})).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckConfig:
    """What `jobs.check_starter` runs, and how."""

    generated: str | None = None
    """A run of `dlcodegen generate`, or a folder of projects."""
    samples: bool = True
    """Whether the bundled samples are run."""
    out: str = "out/starter-check"
    """The folder of the results, as of `dlcodegen execute`."""
    workers: int | None = None
    """Projects at a time; by default one per CPU."""
    cpu_seconds: float = CPU_SECONDS
    """Processor time after which a project is ended."""
    accept_weaker: bool = False
    """Runs on a machine that gives less than the sandbox's floor."""
