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

    An outage begins with the first failure in a row. Calls that meet the breaker open wait while the outage is younger
    than `patience` seconds: a dead endpoint costs a job that long once, not once a row. Safe with many threads and
    event loops.
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
        self._is_open = False
        self._down_since: float | None = None
        self._next_probe, self._pause = 0.0, _FIRST_PAUSE
        self._last_error = ""

    @property
    def is_open(self) -> bool:
        return self._is_open

    @property
    def down_since(self) -> float | None:
        """When the outage began that is still going on, by the breaker's clock; None where the last call succeeded."""
        return self._down_since

    def patience_left(self) -> float:
        """Seconds for which calls still wait in this outage."""
        since = self._down_since
        return self._patience if since is None else self._patience - (self._clock() - since)

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
            if not self._is_open:
                return "go"
            now = self._clock()
            if now >= self._next_probe:
                # No other probe goes out until this one reports, or for another pause should it never do so.
                self._next_probe = now + self._pause
                return "probe"
            return "wait" if self.patience_left() > 0 else "fail"

    def succeeded(self) -> None:
        """A call was answered, with whatever it was."""
        with self._lock:
            self._in_a_row, self._is_open, self._down_since, self._pause = 0, False, None, _FIRST_PAUSE

    def failed(self, error: str, *, probe: bool = False, again: bool = False) -> None:
        """A call was not answered, or by an endpoint in trouble. Only probes lengthen the pause: the calls that were
        under way when the breaker opened all fail at once. A call that fails `again` in the same outage counts no
        further: what one prompt alone meets is no reason to turn others away."""
        with self._lock:
            self._in_a_row += not again
            self._last_error = error
            now = self._clock()
            if self._down_since is None:
                self._down_since = now
            if not self._is_open and self._in_a_row >= self._failures:
                self._is_open, self._next_probe = True, now + self._pause
            elif probe:
                self._pause = min(2 * self._pause, _LONGEST_PAUSE)
                self._next_probe = now + self._pause
