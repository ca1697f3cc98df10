"""One budget for all processes of a job: an actor that keeps in the run's folder what was spent, and may yet be.

    spent.json      what calls came to, and under `in_flight` what those that are under way can come to at most

It is written before a call is sent, so whatever a killed job had sent stands there: the calls that were under way then
count with the most they could come to, and a limit is not passed however often the job is killed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import Any

import ray
from ray.exceptions import RayActorError

from jobs.generation.settings import BudgetSettings
from pipeline.llm.spending.budget import LocalBudget, Spending
from pipeline.storage.files import join, read_json, write_json

_FILE = "spent.json"
_IN_FLIGHT = "in_flight"

_RESTARTS_AWAITED = 60
"""Seconds that a call waits for an actor whose process died and is started again."""


def spent_in(folder: str) -> Spending:
    """What was spent in a run's folder so far, and may have been by calls that were under way when it was killed."""
    values = read_json(join(folder, _FILE))
    if values is None:
        return Spending()
    in_flight = values.pop(_IN_FLIGHT, {})
    return Spending(**values) + Spending(**in_flight)


class StoredBudget(LocalBudget):
    """A budget whose account in a run's folder is never below what was sent. `paid` is what finished rows have cost."""

    def __init__(self, folder: str, limits: BudgetSettings, paid: Spending) -> None:
        spent = max(spent_in(folder), paid, key=lambda item: (item.tokens, item.cost))
        super().__init__(limits.cost, limits.tokens, spent=spent)
        self._path = join(folder, _FILE)
        self._changes = self._written = 0
        self._writing = asyncio.Lock()

    async def reserve(self, most: Spending) -> str | None:
        refused = await super().reserve(most)
        if refused is None:
            await self._write()
        return refused

    async def settle(self, most: Spending, spent: Spending) -> None:
        await super().settle(most, spent)
        await self._write()

    async def _write(self) -> None:
        """Returns when all changes so far are on the disk. Those that come while it is written share the next write."""
        self._changes += 1
        wanted = self._changes
        async with self._writing:
            if self._written >= wanted:
                return
            written = self._changes
            account = asdict(self.spent) | {_IN_FLIGHT: asdict(self.reserved)}
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
    """The job's budget, as the driver and every worker hold it."""

    def __init__(self, folder: str, limits: BudgetSettings, paid: Spending) -> None:
        # An actor that is started again goes on from the account, with what was under way as spent.
        actor = ray.remote(num_cpus=0, max_concurrency=1000, max_restarts=-1)(StoredBudget)
        self._actor: Any = actor.remote(folder, limits, paid)

    async def reserve(self, most: Spending) -> str | None:
        for _ in range(_RESTARTS_AWAITED):
            with suppress(RayActorError):
                refused: str | None = await self._actor.reserve.remote(most)
                return refused
            await asyncio.sleep(1)
        return "the process that keeps the account died and does not start again"

    async def settle(self, most: Spending, spent: Spending) -> None:
        with suppress(RayActorError):  # not told, the account keeps the most that the call could come to
            await self._actor.settle.remote(most, spent)

    def close(self) -> None:
        """Ends the actor; all is written down."""
        ray.kill(self._actor)
