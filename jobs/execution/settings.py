"""Settings of the job that runs the bundled samples and generated projects."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckConfig:
    """What `jobs.check_starter` runs, and how."""

    python: Path | None = None
    """A Python that has TensorFlow; by default that of the environment `keras3`."""
    torch_python: Path | None = None
    """A Python that has PyTorch; by default that of the environment `torch`."""
    generated: Path | None = None
    """A folder of generated projects, `<id>/project.py`."""
    samples: bool = True
    """Whether the bundled samples are run."""
    workers: int = os.cpu_count() or 1
    """Projects at a time."""
    threads: int = 1
    """Threads of each project."""
    seconds: float = 180.0
    """Time limit of each project."""
    report: Path = Path("out/starter-check.json")
    """Where the JSON report goes."""
    allow_network: bool = False
    """Leaves the network on."""
    accept_weaker: bool = False
    """Runs on a machine that gives less than the sandbox's floor."""
