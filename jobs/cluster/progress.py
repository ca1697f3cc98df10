"""Progress of a job: rows done, rate, time left, failures; a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from jobs.cluster.metrics import JobMetrics
from jobs.runs.terminal import Screen, say

_SECONDS_BETWEEN_LINES = 10
_SECONDS_BETWEEN_LOOKS = 1


class RowProgress:
    """Counts rows, or what `unit` says, on standard error. `done` of `total` were finished by an earlier run and are
    not in the rate. `under_way` tells what has happened since, in a few words: it is shown while no row is done yet."""

    def __init__(
        self,
        label: str,
        total: int,
        done: int = 0,
        *,
        unit: str = "rows",
        quiet: bool = False,
        under_way: Callable[[], str] | None = None,
    ) -> None:
        self._label = label
        self._total = total
        self._done_before = done
        self._unit = unit
        self._quiet = quiet
        self._under_way = under_way
        self._metrics = JobMetrics(label, total)
        self._rows = 0
        self._failed = 0
        self._start = self._last_line = time.monotonic()
        self._last_done = -1
        self._showing = threading.Lock()
        self._ended = threading.Event()
        self._ticks = threading.Thread(target=self._tick, name="progress", daemon=True)
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
                TextColumn("{task.fields[under_way]}", markup=False),
                console=screen,
            )
            self._task = self._bar.add_task(label, total=total, completed=done, rate="0", failed=0, under_way="")

    def __enter__(self) -> RowProgress:
        if self._bar:
            self._bar.start()
        self._ticks.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._ticks.join()
        if self._bar:
            self._bar.stop()

    def advance(self, rows: int, failed: int) -> None:
        """Counts rows that have just been finished, and how many of them failed."""
        self._rows += rows
        self._failed += failed
        self._show()

    def _tick(self) -> None:
        while not self._ended.wait(_SECONDS_BETWEEN_LOOKS):
            self._show()

    def _show(self) -> None:
        self._metrics.show(self._done, self._failed)
        if self._quiet:
            return
        with self._showing:
            if self._bar:
                self._bar.update(
                    self._task,
                    completed=self._done,
                    rate=_rate_text(self._rate),
                    failed=self._failed,
                    under_way=self._also(),
                )
            elif self._is_due():
                self._last_line, self._last_done = time.monotonic(), self._done
                say(self._line(), sys.stderr)

    def _is_due(self) -> bool:
        """Whether a line is to be printed: now and then, and once when all is done."""
        if self._done == self._total:
            return self._last_done != self._total
        return time.monotonic() - self._last_line > _SECONDS_BETWEEN_LINES

    def _line(self) -> str:
        left = f"{(self._total - self._done) / self._rate:.0f} s left, " if self._rows else ""
        parts = [
            f"{self._label}: {self._done}/{self._total} {self._unit}",
            f"{_rate_text(self._rate)} {self._unit}/s",
            f"{left}{self._failed} failed",
            self._also(),
        ]
        return ", ".join(part for part in parts if part)

    @property
    def _done(self) -> int:
        return self._done_before + self._rows

    @property
    def _rate(self) -> float:
        return self._rows / max(time.monotonic() - self._start, 1e-6)

    def _also(self) -> str:
        return self._under_way() if self._under_way else ""


def _rate_text(rate: float) -> str:
    """Whole numbers from ten on, two digits below."""
    if rate >= 10:
        return f"{rate:.0f}"
    return f"{rate:.2g}"
