"""What a sandbox is given and what it gives back."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pipeline.records import SourceFile


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What a project may use, all its processes together.

    `output_bytes` is how much of the end of each output stream is kept, not how much may be written. `processes` does
    not count threads. `file_bytes` bounds every single file, and all files in the working directory together.
    """

    seconds: float = 60.0
    memory_bytes: int = 4 * 2**30
    output_bytes: int = 64 * 2**10
    processes: int = 64
    file_bytes: int = 512 * 2**20


@dataclass(frozen=True, kw_only=True, slots=True)
class Execution:
    """How a project's run ended.

    `stopped` names the limit that ended it ("seconds", "memory_bytes", "processes", "file_bytes") and is empty where
    it ended by itself; then `exit_code` is the program's, 128 + n for death by signal n. `seconds` is wall-clock time.
    `peak_memory_bytes` adds up all processes, pages that they share counted for each.
    """

    exit_code: int
    stopped: str = ""
    seconds: float = 0.0
    stdout_tail: str = ""
    stderr_tail: str = ""
    peak_memory_bytes: int = 0

    @property
    def ok(self) -> bool:
        return self.exit_code == 0 and not self.stopped

    @property
    def timed_out(self) -> bool:
        return self.stopped == "seconds"

    def reason(self) -> str:
        """Why the run is not ok, in a line: the limit, or the last line of the traceback. Empty for one that is."""
        if self.ok:
            return ""
        if self.stopped:
            return f"stopped at its limit of {self.stopped} after {self.seconds:.1f} s"
        lines = [line.strip() for line in self.stderr_tail.splitlines() if line.strip()]
        errors = [line for line in lines if _ERROR_LINE.match(line)]
        return next(reversed(errors or lines), f"exit code {self.exit_code}")


# "ValueError: ...", "tensorflow.python.framework.errors_impl.InvalidArgumentError: ...", "KeyboardInterrupt".
_ERROR_LINE = re.compile(r"(?:\w+\.)*[A-Z]\w*(?:Error|Exception|Warning|Exit|Interrupt|Iteration)\b(?::|$)")


class Sandbox(Protocol):
    """Runs a project's entry file with Python in a folder of its own that holds the project's files."""

    def run(self, files: Sequence[SourceFile], entry: str, limits: Limits) -> Execution: ...


@dataclass(slots=True)
class ScriptedSandbox:
    """Gives what `answer` says for a project's files instead of running them, and remembers what it was given."""

    answer: Callable[[Sequence[SourceFile]], Execution] = lambda files: Execution(exit_code=0)
    runs: list[tuple[tuple[SourceFile, ...], str, Limits]] = field(default_factory=list)

    def run(self, files: Sequence[SourceFile], entry: str, limits: Limits) -> Execution:
        self.runs.append((tuple(files), entry, limits))
        return self.answer(files)
