"""Progress of a job: rows done, rate, time left, failures; a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from jobs.runs.terminal import Screen, say

_SECONDS_BETWEEN_LINES = 10


class RowProgress:
    """Counts rows, or what `unit` says, on standard error. `done` of `total` were finished by an earlier run and are
    not in the rate."""

    def __init__(self, label: str, total: int, done: int = 0, *, unit: str = "rows", quiet: bool = False) -> None:
        self._label = label
        self._total = total
        self._done_before = done
        self._unit = unit
        self._quiet = quiet
        self._rows = 0
        self._failed = 0
        self._start = self._last_line = time.monotonic()
        self._bar: Progress | None = None
        screen = Screen(stderr=True)
        if screen.is_terminal and not quiet:
            self._bar = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn(f"{{task.fields[rate]}} {unit}/s"),
                TimeRemainingColumn(),
                TextColumn("{task.fields[failed]} failed"),
                console=screen,
            )
            self._task = self._bar.add_task(label, total=total, completed=done, rate=_rate_text(0.0), failed=0)

    def __enter__(self) -> RowProgress:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def advance(self, rows: int, failed: int) -> None:
        """Counts rows that have just been finished, and how many of them failed."""
        self._rows += rows
        self._failed += failed
        elapsed = max(time.monotonic() - self._start, 1e-6)
        rate = self._rows / elapsed
        done = self._done_before + self._rows
        if self._bar:
            self._bar.update(self._task, completed=done, rate=_rate_text(rate), failed=self._failed)
            return
        is_due = time.monotonic() - self._last_line > _SECONDS_BETWEEN_LINES or done == self._total
        if is_due and not self._quiet:
            self._last_line = time.monotonic()
            left = (self._total - done) / rate
            say(
                f"{self._label}: {done}/{self._total} {self._unit}, {_rate_text(rate)} {self._unit}/s, "
                f"{left:.0f} s left, {self._failed} failed",
                sys.stderr,
            )


def _rate_text(rate: float) -> str:
    """Whole numbers from ten on, two digits below."""
    if rate >= 10:
        return f"{rate:.0f}"
    return f"{rate:.2g}"
