"""Asking until there is an answer, or a reason to stop: what all clients of engines do alike."""

from __future__ import annotations

import asyncio
import time
import weakref
from asyncio import AbstractEventLoop
from collections.abc import Awaitable, Callable
from dataclasses import replace

from pipeline.config import LimitSettings
from pipeline.errors import DLCodeGenError, StageFailure
from pipeline.llm.client.backoff import pause
from pipeline.llm.client.breaker import CircuitBreaker
from pipeline.llm.client.slots import Slots
from pipeline.llm.protocol import ChatReply


class Transient(Exception):
    """An attempt that gave nothing, and may give something when made again.

    `after`: seconds that the server asked to wait. `alive`: the server is busy, not in trouble.
    """

    def __init__(self, reason: str, *, kind: str, after: float | None = None, alive: bool = False) -> None:
        super().__init__(reason)
        self.kind, self.after, self.alive = kind, after, alive

    @property
    def is_down(self) -> bool:
        """Whether the server was not there, or could do nothing for anyone."""
        return self.kind == "llm_unavailable" and not self.alive


async def _no_wait() -> None:
    return None


class Retrying:
    """Makes calls of one engine, called `name` in messages: so many at once, again with growing pauses, each within its
    time, and none at all while the engine is down. Serves all event loops of a process."""

    def __init__(self, name: str, limits: LimitSettings) -> None:
        self._name, self._limits = name, limits
        self._breaker = CircuitBreaker(name, limits.breaker_failures, limits.outage_seconds)
        self._slots: weakref.WeakKeyDictionary[AbstractEventLoop, Slots] = weakref.WeakKeyDictionary()

    async def call(
        self,
        attempt: Callable[[float], Awaitable[ChatReply]],
        allowance: Callable[[], Awaitable[None]] = _no_wait,
    ) -> ChatReply:
        """The reply of the first attempt that gives one. An attempt is told how many seconds it may take, and is made
        after `allowance` returned. Raises StageFailure of the last Transient's kind, and what an attempt raises.

        In an outage a call goes on for `outage_seconds`, whatever it has left of its attempts and its time."""
        started, attempts = time.monotonic(), 0
        spent, failed = 0.0, 0
        outage: float | None = None  # the one that the call is waiting out
        while True:
            start = time.monotonic()
            try:
                # The slot is given up while the call pauses: what fails costs the others nothing.
                async with self._slots_of_loop().taken(back=attempts > 0):
                    probe = await self._breaker.enter()
                    await allowance()
                    start = time.monotonic()
                    reply = await self._report(attempt, self._limits.call_seconds - spent, probe, outage)
                return replace(reply, seconds=spent + time.monotonic() - start)
            except Transient as error:
                attempts += 1
                wait, patience = pause(attempts, error.after), self._breaker.patience_left()
                goes_on = error.is_down and outage is not None and self._breaker.down_since == outage
                failed += not goes_on
                is_over = failed > self._limits.retries
                if error.is_down and patience > 0:
                    outage, wait = self._breaker.down_since, min(wait, patience)
                else:
                    outage = None
                    spent += time.monotonic() - start
                    is_over = is_over or goes_on or spent + wait >= self._limits.call_seconds
                    spent += wait
                if is_over:
                    tried = f"{attempts} attempt{'s' * (attempts > 1)} in {time.monotonic() - started:.3g} s"
                    raise StageFailure(error.kind, f"{self._name} gave no reply in {tried}; last: {error}") from error
                await asyncio.sleep(wait)

    async def _report(
        self, attempt: Callable[[float], Awaitable[ChatReply]], left: float, probe: bool, outage: float | None
    ) -> ChatReply:
        """One attempt, whose outcome the breaker learns: who answers, even with a refusal, is not down. `outage` is the
        one that the call is waiting out."""
        try:
            reply = await attempt(min(self._limits.attempt_seconds, left))
        except Transient as error:
            if not error.alive:
                again = error.is_down and self._breaker.down_since == outage
                self._breaker.failed(str(error), probe=probe, again=again)
            raise
        except (StageFailure, DLCodeGenError):
            self._breaker.succeeded()
            raise
        self._breaker.succeeded()
        return reply

    def _slots_of_loop(self) -> Slots:
        """The running event loop's slots: who waits for one is bound to their loop."""
        loop = asyncio.get_running_loop()
        if loop not in self._slots:
            self._slots[loop] = Slots(self._limits.concurrency)
        return self._slots[loop]
