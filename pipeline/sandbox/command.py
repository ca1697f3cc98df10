"""What a supervisor is told, and what it tells. Standard library only: see `supervisor`."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from pipeline.sandbox.confinement import Policy
from pipeline.sandbox.linux.root_folder import RootFolder
from pipeline.sandbox.results import ResultFile


@dataclass(frozen=True, kw_only=True, slots=True)
class SupervisedCommand:
    """A project and its limits (as in Limits)."""

    python: str
    entry: str
    files: list[list[str]]
    """Pairs of path and text, laid in the project's folder."""

    environment: dict[str, str]
    policy: Policy

    seconds: float
    cpu_seconds: float | None
    memory_bytes: int
    processes: int
    file_bytes: int

    results: list[str]
    """Patterns of files that are wanted afterwards."""
    result_bytes: int

    def to_line(self) -> bytes:
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def from_line(cls, line: str) -> SupervisedCommand:
        values: dict[str, Any] = json.loads(line)
        policy = values.pop("policy")
        root = RootFolder(**policy.pop("root"))
        return cls(policy=Policy(root=root, **policy), **values)


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """How it ended, as in Execution."""

    exit_code: int
    stopped: str
    seconds: float
    cpu_seconds: float
    peak_memory_bytes: int
    results: list[ResultFile] = field(default_factory=list)

    control_group: bool = False
    """Whether the kernel counted what it used."""

    other_user: bool = False
    """Whether it ran as another user than its supervisor."""

    error: str = ""
    """Why the project was not started; "" where it was."""

    def to_line(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_line(cls, line: str) -> Report:
        values: dict[str, Any] = json.loads(line)
        results = [ResultFile(**file) for file in values.pop("results")]
        return cls(results=results, **values)
