"""One budget for all processes of a job: an actor that keeps in the run's folder what was spent, and may yet be.

    spent.json      what calls came to, under `in_flight` what those that are under way can come to at most, and under
                    `server_steps` what the model's server did not take

Where there is a limit, it is written before a call is sent, so whatever a killed job had sent stands there: the calls
that were under way then count with the most they could come to, and the limit is not passed however often the job is
killed. Without one, calls are only counted, and the file is written now and then.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayActorError

from jobs.generation.settings import BudgetSettings
from jobs.runs.spent import IN_FLIGHT, SERVER_STEPS, SPENT_FILE, server_steps_in, spending_words, spent_in
from pipeline.llm.spending.budget import LocalBudget, Spending
from pipeline.storage.files import join, write_json

_SECONDS_BETWEEN_WRITES = 5.0
"""Where nothing is limited."""

_ANSWER_SECONDS = 10.0
"""What the account may take to answer the driver."""

_RESTARTS_AWAITED = 60
"""Seconds that a call waits for an actor whose process died and is started again."""


class StoredBudget(LocalBudget):
    """A budget whose account in a run's folder is never below what was sent. `paid` is what finished rows have cost."""

    def __init__(self, folder: str, limits: BudgetSettings, paid: Spending) -> None:
        spent = max(spent_in(folder), paid, key=lambda item: (item.tokens, item.cost))
        super().__init__(limits.cost, limits.tokens, spent=spent)
        self.steps = server_steps_in(folder)
        self._path = join(folder, SPENT_FILE)
        self._limited = limits.limited
        self._changes = self._written = 0
        self._writing = asyncio.Lock()
        self._last_write = 0.0

    async def reserve(self, most: Spending) -> str | None:
        refused = await super().reserve(most)
        if refused is None:
            await self._write()
        return refused

    async def settle(self, most: Spending, spent: Spending) -> None:
        await super().settle(most, spent)
        if self._limited or time.monotonic() - self._last_write > _SECONDS_BETWEEN_WRITES:
            await self._write()

    async def account(self) -> Spending:
        """What calls came to so far."""
        return self.spent

    async def count(self, spent: Spending) -> None:
        """Counts a call for which nothing was put aside."""
        await self.settle(Spending(), spent)

    async def close(self) -> None:
        """Writes down what was not yet."""
        await self._write()

    async def _write(self) -> None:
        """Returns when all changes so far are on the disk. Those that come while it is written share the next write."""
        self._changes += 1
        wanted = self._changes
        async with self._writing:
            if self._written >= wanted:
                return
            written = self._changes
            self._last_write = time.monotonic()
            account = asdict(self.spent) | {IN_FLIGHT: asdict(self.reserved), SERVER_STEPS: self.steps}
            await asyncio.to_thread(write_json, self._path, account)
            self._written = written


@contextmanager
def job_budget(folder: str, limits: BudgetSettings, paid: Spending) -> Iterator[JobBudget]:
    """The budget of a run in a folder, for as long as the block takes. `paid` is what the finished rows have cost; what
    was spent beyond that is in the folder. Needs an initialised Ray."""
    budget = JobBudget(folder, limits, paid)
    try:
        yield budget
    finally:
        budget.close()


class JobBudget:
    """The job's budget, as the driver and every worker hold it. Where nothing is limited, no call waits for it."""

    def __init__(self, folder: str, limits: BudgetSettings, paid: Spending) -> None:
        # An actor that is started again goes on from the account, with what was under way as spent.
        actor = ray.remote(num_cpus=0, max_concurrency=1000, max_restarts=-1)(StoredBudget)
        self._actor: Any = actor.remote(folder, limits, paid)
        self._limited = limits.limited

    async def reserve(self, most: Spending) -> str | None:
        if not self._limited:
            return None
        for _ in range(_RESTARTS_AWAITED):
            with suppress(RayActorError):
                refused: str | None = await self._actor.reserve.remote(most)
                return refused
            await asyncio.sleep(1)
        return "the process that keeps the account died and does not start again"

    async def settle(self, most: Spending, spent: Spending) -> None:
        if not self._limited:
            self._actor.count.remote(spent)
            return
        with suppress(RayActorError):  # not told, the account keeps the most that the call could come to
            await self._actor.settle.remote(most, spent)

    async def note_step(self, words: str) -> None:
        self._actor.note_step.remote(words)

    def spent(self) -> Spending | None:
        """What calls came to so far, for the driver; None where the account cannot be asked just now."""
        try:
            spent: Spending = ray.get(self._actor.account.remote(), timeout=_ANSWER_SECONDS)
        except (RayActorError, GetTimeoutError):
            return None
        return spent

    def close(self) -> None:
        """Ends the actor; all is written down."""
        with suppress(RayActorError, GetTimeoutError):
            ray.get(self._actor.close.remote(), timeout=_ANSWER_SECONDS)
        ray.kill(self._actor)


def calls_so_far(budget: JobBudget) -> str:
    """What calls came to, in words; empty before the first, and where the account cannot be asked just now."""
    spent = budget.spent()
    return "" if spent is None else spending_words(spent)
