"""One budget for all processes of a job: an actor that keeps what was spent in the run's folder."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import ray

from jobs.generation.settings import BudgetSettings
from pipeline.llm.spending.budget import LocalBudget, Spending
from pipeline.storage.files import exists, join, read_bytes, write_bytes

_FILE = "spent.json"
_SECONDS_BETWEEN_WRITES = 1.0


def spent_in(folder: str) -> Spending:
    """What was spent in a run's folder so far, up to a second before it was killed."""
    path = join(folder, _FILE)
    return Spending(**json.loads(read_bytes(path))) if exists(path) else Spending()


class _StoredBudget(LocalBudget):
    """The actor: a budget that writes down what was spent."""

    def __init__(self, folder: str, limits: BudgetSettings, spent: Spending) -> None:
        super().__init__(limits.cost, limits.tokens, spent=spent)
        self._path, self._written = join(folder, _FILE), 0.0

    async def settle(self, most: Spending, spent: Spending) -> None:
        await super().settle(most, spent)
        if time.monotonic() - self._written > _SECONDS_BETWEEN_WRITES:
            await self.write()

    async def write(self) -> None:
        self._written = time.monotonic()
        write_bytes(self._path, json.dumps(asdict(self.spent)).encode())


@contextmanager
def job_budget(folder: str, limits: BudgetSettings, paid: Spending) -> Iterator[JobBudget]:
    """The budget of a run in a folder, for as long as the block takes. `paid` is what the finished rows have cost; what
    was spent beyond that is in the folder. Needs an initialised Ray."""
    budget = JobBudget(folder, limits, max(spent_in(folder), paid, key=lambda item: (item.tokens, item.cost)))
    try:
        yield budget
    finally:
        budget.close()


class JobBudget:
    """The job's budget, as the driver and every worker hold it; `spent` before counts."""

    def __init__(self, folder: str, limits: BudgetSettings, spent: Spending) -> None:
        actor = ray.remote(num_cpus=0, max_concurrency=1000)(_StoredBudget)
        self._actor: Any = actor.remote(folder, limits, spent)

    async def reserve(self, most: Spending) -> str | None:
        refused: str | None = await self._actor.reserve.remote(most)
        return refused

    async def settle(self, most: Spending, spent: Spending) -> None:
        await self._actor.settle.remote(most, spent)

    def close(self) -> None:
        """Writes down what was spent."""
        ray.get(self._actor.write.remote())
        ray.kill(self._actor)
