"""The account of a job: never below what was sent, whenever the job is killed."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from jobs.generation.budget import StoredBudget
from jobs.generation.settings import BudgetSettings
from jobs.runs.spent import spent_in
from pipeline.llm.spending.budget import Spending

LIMITS = BudgetSettings(tokens=1000)
MOST = Spending(calls=1, tokens=300)


def test_what_was_put_aside_is_on_the_disk_before_the_call_is_sent(tmp_path: Path) -> None:
    budget = StoredBudget(str(tmp_path), LIMITS, Spending())
    assert asyncio.run(budget.reserve(MOST)) is None
    assert spent_in(str(tmp_path)) == MOST


def test_calls_under_way_at_a_kill_count_with_the_most_they_could_come_to(tmp_path: Path) -> None:
    for _ in range(3):  # each time killed with a call under way
        assert asyncio.run(StoredBudget(str(tmp_path), LIMITS, Spending()).reserve(MOST)) is None
    refused = asyncio.run(StoredBudget(str(tmp_path), LIMITS, Spending()).reserve(MOST))
    assert refused == "max-tokens 1,000 is reached: 900 used in 3 calls"


def test_many_calls_at_once_are_all_counted_when_they_are_settled(tmp_path: Path) -> None:
    budget = StoredBudget(str(tmp_path), BudgetSettings(tokens=100_000), Spending(calls=1, tokens=7))

    async def one_call() -> None:
        await budget.reserve(MOST)
        await budget.settle(MOST, Spending(calls=1, tokens=50))

    async def many() -> None:
        await asyncio.gather(*(one_call() for _ in range(100)))

    asyncio.run(many())
    assert spent_in(str(tmp_path)) == Spending(calls=101, tokens=5007)
    assert json.loads((tmp_path / "spent.json").read_text())["in_flight"]["calls"] == 0


def test_an_account_of_before_is_read(tmp_path: Path) -> None:
    (tmp_path / "spent.json").write_text('{"calls": 2, "tokens": 40, "cost": 0.5}')
    assert spent_in(str(tmp_path)) == Spending(calls=2, tokens=40, cost=0.5)


def test_without_a_limit_calls_are_counted_and_written_down_at_the_end(tmp_path: Path) -> None:
    budget = StoredBudget(str(tmp_path), BudgetSettings(), Spending())

    async def run() -> None:
        for _ in range(20):
            await budget.count(Spending(calls=1, tokens=10))
        assert await budget.account() == Spending(calls=20, tokens=200)
        await budget.close()

    asyncio.run(run())
    assert spent_in(str(tmp_path)) == Spending(calls=20, tokens=200)
