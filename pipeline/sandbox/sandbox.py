"""What a sandbox is given and what it gives back."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from pipeline.records import SourceFile


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What a project may use, all its processes together. The defaults are for a smoke run on synthetic data."""

    seconds: float = 60.0
    """Wall-clock time. A bundled sample takes under 30 s on two cores (docs/starter.md)."""

    cpu_seconds: float | None = None
    """Processor time; None for as much as fits into `seconds`. Unlike those it does not depend on what else runs."""

    memory_bytes: int = 4 * 2**30
    """Room for TensorFlow, a small model and its data."""

    output_bytes: int = 64 * 2**10
    """How much of the end of each output stream is kept, not how much may be written. A traceback is at the end."""

    processes: int = 64
    """Threads do not count: TensorFlow starts several per core."""

    file_bytes: int = 512 * 2**20
    """The size of any file, and of all files in the project's folders together. They lie in memory, beside
    `memory_bytes`."""

    files: int = 65_536
    """How many files, folders and links there may be."""

    result_bytes: int = 16 * 2**20
    """The size of all files together that a project may leave for its caller."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ResultFile:
    """A file that a project has left for its caller."""

    path: str
    """In the project's folder, with slashes. Names are the project's: nothing to make files of outside a folder."""

    size: int

    content: bytes | None
    """None where it did not fit into Limits.result_bytes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Execution:
    """How a project's run ended."""

    exit_code: int
    """The program's, where it ended by itself; 128 + n for death by signal n."""

    stopped: str = ""
    """The limit that ended it ("seconds", "cpu_seconds", "memory_bytes", "processes", "file_bytes"); "" where it ended
    by itself."""

    seconds: float = 0.0
    """Wall-clock time."""

    cpu_seconds: float = 0.0
    """Processor time of all its processes together."""

    stdout_tail: str = ""
    stderr_tail: str = ""

    peak_memory_bytes: int = 0
    """Of all processes together."""

    results: tuple[ResultFile, ...] = ()
    """The files that were asked for, those in the fewest folders first, 200 at most."""

    @property
    def ok(self) -> bool:
        return self.exit_code == 0 and not self.stopped

    @property
    def timed_out(self) -> bool:
        return self.stopped in ("seconds", "cpu_seconds")

    def reason(self) -> str:
        """Why the run is not ok, in a line: the limit, or the last line of the traceback. Empty for one that is."""
        if self.ok:
            return ""
        if self.stopped:
            return f"stopped at its limit of {self.stopped} after {self.seconds:.1f} s"
        lines = [line.strip() for line in self.stderr_tail.splitlines() if line.strip()]
        # An error's message may go on over further lines, so its first line need not be the last one.
        errors = [line for line in lines if _ERROR_LINE.match(line)]
        if errors:
            return errors[-1]
        return lines[-1] if lines else f"exit code {self.exit_code}"


# "ValueError: ...", "tensorflow.python.framework.errors_impl.InvalidArgumentError: ...", "KeyboardInterrupt".
_ERROR_LINE = re.compile(r"(?:\w+\.)*[A-Z]\w*(?:Error|Exception|Warning|Exit|Interrupt|Iteration)\b(?::|$)")


class Sandbox(Protocol):
    """Runs a project's entry file with Python in a folder of its own that holds the project's files.

    `given` are files and folders of this machine that the project can read, by their paths in its folder, where they
    take the place of its own, or by absolute paths. Of the files that it leaves in its folder, those whose paths fit
    `results` (fnmatch patterns) come with the Execution.
    """

    def run(
        self,
        files: Sequence[SourceFile],
        entry: str,
        limits: Limits,
        *,
        given: Mapping[str, Path] | None = None,
        results: Sequence[str] = (),
    ) -> Execution: ...


@dataclass(slots=True)
class ScriptedSandbox:
    """Gives what `answer` says for a project's files instead of running them."""

    answer: Callable[[Sequence[SourceFile]], Execution] = lambda files: Execution(exit_code=0)

    runs: list[tuple[tuple[SourceFile, ...], str, Limits]] = field(default_factory=list)
    """What it was called with, in order."""

    def run(
        self,
        files: Sequence[SourceFile],
        entry: str,
        limits: Limits,
        *,
        given: Mapping[str, Path] | None = None,
        results: Sequence[str] = (),
    ) -> Execution:
        self.runs.append((tuple(files), entry, limits))
        return self.answer(files)
