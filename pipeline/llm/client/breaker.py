"""A circuit breaker: an endpoint that fails again and again is probed by one call at a time, not hammered by all."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Literal

from pipeline.errors import StageFailure

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 15.0
"""Seconds between probes."""

_LOOK_AGAIN = 0.1
"""Seconds after which a call that waits looks whether it may go."""


class CircuitBreaker:
    """Closed while calls succeed. Opens after `failures` failures in a row; then one call after each pause (doubling,
    up to a quarter of a minute) goes through as a probe, and its success closes it again.

    Calls that meet it open wait while the outage is younger than `patience` seconds, counted from when it opened: a
    dead endpoint costs a job that long once, not once a row. Safe with many threads and event loops.
    """

    def __init__(
        self,
        name: str,
        failures: int,
        patience: float,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name, self._failures, self._patience, self._clock = name, failures, patience, clock
        self._lock = threading.Lock()
        self._in_a_row = 0
        self._opened: float | None = None
        self._next_probe, self._pause = 0.0, _FIRST_PAUSE
        self._last_error = ""

    @property
    def is_open(self) -> bool:
        return self._opened is not None

    async def enter(self) -> bool:
        """Returns when a call may be made; True for a probe, whose outcome then decides. Raises StageFailure
        `llm_unavailable` in an outage that lasts too long."""
        while (state := self._admit()) == "wait":
            await asyncio.sleep(_LOOK_AGAIN)
        if state == "fail":
            raise StageFailure("llm_unavailable", f"{self._name} is down: {self._last_error}")
        return state == "probe"

    def _admit(self) -> Literal["go", "probe", "wait", "fail"]:
        with self._lock:
            if self._opened is None:
                return "go"
            now = self._clock()
            if now >= self._next_probe:
                # No other probe goes out until this one reports, or for another pause should it never do so.
                self._next_probe = now + self._pause
                return "probe"
            return "wait" if now - self._opened < self._patience else "fail"

    def succeeded(self) -> None:
        """A call was answered, with whatever it was."""
        with self._lock:
            self._in_a_row, self._opened, self._pause = 0, None, _FIRST_PAUSE

    def failed(self, error: str, *, probe: bool = False) -> None:
        """A call was not answered, or by an endpoint in trouble. Only probes lengthen the pause: the calls that were
        under way when the breaker opened all fail at once."""
        with self._lock:
            self._in_a_row += 1
            self._last_error = error
            now = self._clock()
            if self._opened is None and self._in_a_row >= self._failures:
                self._opened, self._next_probe = now, now + self._pause
            elif probe:
                self._pause = min(2 * self._pause, _LONGEST_PAUSE)
                self._next_probe = now + self._pause
