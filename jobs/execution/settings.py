"""Settings of the jobs that run projects: `dlcodegen execute`, and the check of the bundled samples."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from pipeline.config import Settings
from pipeline.sandbox.sandbox import Limits

CPU_SECONDS = 120.0
"""A bundled sample trains in under 60 on synthetic data (docs/starter.md)."""

WALL_FACTOR, WALL_SPARE = 10.0, 60.0
"""How many times its processor time a project may take by the clock, and seconds more: as on a machine with ten times
the work it has cores for. As a rule only one that waits for something meets this limit."""


class ExecuteConfig(Settings):
    """What `dlcodegen execute` runs, in what, and how far."""

    inputs: tuple[str, ...] = Field(min_length=1)
    """Folders of runs, folders of projects, Python files."""
    out: str
    """The folder that the results are written to."""
    env: Literal["auto", "keras3", "torch", "tf215"] = "auto"
    """The environment; `auto` goes by what each project imports."""
    data: str = ""
    """A local file or folder that projects find as `data` in their own folder; "" for none."""
    cpu_seconds: float = Field(CPU_SECONDS, gt=0)
    """Processor time of a project, all its processes together."""
    seconds: float | None = Field(None, gt=0)
    """Time by the clock; by default a minute and ten times `cpu_seconds`."""
    memory_mb: int = Field(4096, ge=64)
    """Memory of all processes of a project."""
    disk_mb: int = Field(512, ge=1)
    """What a project may write."""
    threads: int = Field(1, ge=1)
    """Threads of each pool of a project's libraries."""
    warm: bool = True
    """Whether projects are forked from a process that has their framework imported."""
    accept_weaker: bool = False
    """Whether projects are run on a machine that cannot keep them in as docs/execution.md says."""
    shard_rows: int | None = Field(None, ge=1, le=1000)
    """Projects run and written together, what a kill can cost a worker; by default 1, of thousands of projects 8."""
    workers: int | None = Field(None, ge=1)
    """One-CPU workers, each with a project at a time; by default one per CPU of the cluster."""
    address: str | None = None
    """A Ray cluster's address; by default the one this job was submitted to, or a new local one."""
    quiet: bool = False
    """No progress."""

    def limits(self) -> Limits:
        """Of one project."""
        return Limits(
            seconds=self.seconds or WALL_SPARE + WALL_FACTOR * self.cpu_seconds,
            cpu_seconds=self.cpu_seconds,
            memory_bytes=self.memory_mb * 2**20,
            file_bytes=self.disk_mb * 2**20,
        )

    def digest(self) -> str:
        """Of what decides a project's result."""
        deciding = self.model_dump_json(
            include={"env", "data", "cpu_seconds", "seconds", "memory_mb", "disk_mb", "threads"}
        )
        return hashlib.sha256(deciding.encode()).hexdigest()[:16]


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
