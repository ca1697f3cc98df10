"""How projects are run: in `dlcodegen execute`, and as the last stage of a method (`execute=on`)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipeline.config.settings import Settings
from pipeline.sandbox.sandbox import Limits

CPU_SECONDS = 120.0
"""A bundled sample trains in under 60 on synthetic data (docs/starter.md)."""

WALL_FACTOR, WALL_SPARE = 10.0, 60.0
"""How many times its processor time a project may take by the clock, and seconds more: as on a machine with ten times
the work it has cores for. As a rule only one that waits for something meets this limit."""

_DECIDING = ("env", "cpu_seconds", "seconds", "memory_mb", "disk_mb", "threads")


class RunningSettings(Settings):
    """What projects run in, and how far they may go."""

    env: Literal["auto", "keras3", "torch", "tf215"] = "auto"
    """The environment; `auto` goes by what each project imports."""

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

    runs: int = Field(1, ge=1, le=10)
    """Runs of each project: one that comes to another rung the second time is told as flaky, with both."""

    warm: bool = True
    """Whether projects are forked from a process that has their framework imported."""

    accept_weaker: bool = False
    """Whether projects are run on a machine that cannot keep them in as docs/execution.md says."""

    def limits(self) -> Limits:
        """Of one project."""
        return Limits(
            seconds=self.seconds or WALL_SPARE + WALL_FACTOR * self.cpu_seconds,
            cpu_seconds=self.cpu_seconds,
            memory_bytes=self.memory_mb * 2**20,
            file_bytes=self.disk_mb * 2**20,
        )

    def deciding(self) -> dict[str, object]:
        """What decides how far a project comes. Runs are among it where there are several: they are in the results."""
        settings = {name: getattr(self, name) for name in _DECIDING}
        return settings | {"runs": self.runs} if self.runs > 1 else settings


class ExecutionSettings(RunningSettings):
    """Whether each project of a run is also run itself, and how."""

    enabled: bool = False
    """Whether it is. `execute=on` says the same."""
