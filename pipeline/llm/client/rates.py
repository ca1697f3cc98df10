"""Rates that an endpoint allows: requests and tokens a minute."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

_BURST = 0.1
"""The share of a minute's allowance that may go out at once. The rest comes at an even rate, so that no window of a
minute ever sees more than the whole."""


class Rate:
    """An allowance of `per_minute` units; without a number, unlimited. Safe with many threads and event loops.

    Who comes first is served first: `reserve` takes the units at once and says how long to wait for them.
    """

    def __init__(self, per_minute: int | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._unlimited = per_minute is None
        units = per_minute or 1
        self._burst = max(1.0, _BURST * units)
        # Of a few units a minute the burst would leave nothing: then half of them come at an even rate.
        self._per_second = max(units - self._burst, 0.5 * units) / 60
        self._level, self._filled = self._burst, clock()
        self._lock = threading.Lock()

    def reserve(self, units: float) -> float:
        """Takes units; the seconds until they may be used."""
        if self._unlimited:
            return 0.0
        with self._lock:
            now = self._clock()
            self._level = min(self._burst, self._level + (now - self._filled) * self._per_second)
            self._filled = now
            # What is larger than the burst has to wait for a full bucket only, and leaves the debt to those behind it.
            lacking = min(units, self._burst) - self._level
            self._level -= units
            return max(0.0, lacking / self._per_second)

    def give_back(self, units: float) -> None:
        """Returns units that were taken and not used; a negative number takes those that were used on top."""
        with self._lock:
            self._level = min(self._burst, self._level + units)


class Rates:
    """The two rates that endpoints know. `share` is the part of them that this process may use."""

    def __init__(self, requests_per_minute: int | None, tokens_per_minute: int | None, *, share: float = 1.0) -> None:
        self._requests = Rate(_share_of(requests_per_minute, share))
        self._tokens = Rate(_share_of(tokens_per_minute, share))

    async def wait(self, tokens: int) -> None:
        """Returns when one request of about so many tokens may be sent."""
        seconds = max(self._requests.reserve(1), self._tokens.reserve(tokens))
        if seconds:
            await asyncio.sleep(seconds)

    def correct(self, estimated: int, used: int) -> None:
        """Sets right what a request took once its tokens are counted."""
        self._tokens.give_back(estimated - used)


def _share_of(per_minute: int | None, share: float) -> int | None:
    return None if per_minute is None else max(1, int(per_minute * share))
