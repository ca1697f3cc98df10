"""A number of slots, for which those who come back stand in line before those who come anew."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Slots:
    """As a semaphore of one event loop. A call that comes back after a failed attempt is not put behind all the calls
    that have not begun: its row has waited, and the last calls of a job would otherwise be those that had failed."""

    def __init__(self, number: int) -> None:
        self._free = number
        self._back: deque[asyncio.Future[None]] = deque()
        self._new: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def taken(self, *, back: bool) -> AsyncIterator[None]:
        """Holds a slot within the block; `back` is for those who held one before."""
        if self._free:
            self._free -= 1
        else:
            await self._wait(self._back if back else self._new)
        try:
            yield
        finally:
            self._give()

    async def _wait(self, line: deque[asyncio.Future[None]]) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        line.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._give()  # the slot came just before the cancellation
            raise

    def _give(self) -> None:
        """Hands a slot that was given up to the first in line, or keeps it free."""
        for line in (self._back, self._new):
            while line:
                turn = line.popleft()
                if not turn.done():  # who was cancelled while waiting is still in line
                    turn.set_result(None)
                    return
        self._free += 1
