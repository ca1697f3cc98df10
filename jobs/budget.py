"""One budget for all processes of a job: an actor that keeps what was spent in the run's folder."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import Any

import ray

from jobs.config import BudgetSettings
from pipeline.llm.budget import Purse, Spending
from pipeline.storage import exists, join, read_bytes, write_bytes

_FILE = "spent.json"
_SECONDS_BETWEEN_WRITES = 1.0


def spent_in(folder: str) -> Spending:
    """What was spent in a run's folder so far, up to a second before it was killed."""
    path = join(folder, _FILE)
    return Spending(**json.loads(read_bytes(path))) if exists(path) else Spending()


class _Treasurer(Purse):
    """The actor: a purse that writes down what was spent."""

    def __init__(self, folder: str, limits: BudgetSettings, spent: Spending) -> None:
        super().__init__(limits.cost, limits.tokens, spent=spent)
        self._path, self._written = join(folder, _FILE), 0.0

    async def settle(self, most: Spending, spent: Spending) -> None:
        await super().settle(most, spent)
        if time.monotonic() - self._written > _SECONDS_BETWEEN_WRITES:
            await self.write()

    async def write(self) -> Spending:
        self._written = time.monotonic()
        write_bytes(self._path, json.dumps(asdict(self.spent)).encode())
        return self.spent


class JobBudget:
    """The job's budget, as the driver and every worker hold it. Needs an initialised Ray."""

    def __init__(self, folder: str, limits: BudgetSettings, paid: Spending) -> None:
        """`paid` is what the finished rows have cost; what was spent beyond that is in the folder."""
        before = max(spent_in(folder), paid, key=lambda item: (item.tokens, item.cost))
        actor = ray.remote(num_cpus=0, max_concurrency=1000)(_Treasurer)
        self._actor: Any = actor.remote(folder, limits, before)

    async def reserve(self, most: Spending) -> str | None:
        refused: str | None = await self._actor.reserve.remote(most)
        return refused

    async def settle(self, most: Spending, spent: Spending) -> None:
        await self._actor.settle.remote(most, spent)

    def close(self) -> Spending:
        """Writes down, and gives, what was spent."""
        spent: Spending = ray.get(self._actor.write.remote())
        ray.kill(self._actor)
        return spent
