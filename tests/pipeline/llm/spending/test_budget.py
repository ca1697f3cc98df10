"""Budgets: never passed, used up as far as calls allow, and shared by calls under way."""

from __future__ import annotations

import asyncio

import pytest

from pipeline.config import PriceSettings
from pipeline.errors import BudgetSpent, StageFailure
from pipeline.llm.protocol import ChatReply, ChatRequest, Message, Sampling, Usage
from pipeline.llm.scripted import ScriptedLLM
from pipeline.llm.spending.budget import BudgetedLLM, LocalBudget, Spending

PRICE = PriceSettings(input=1.0, output=10.0)
USAGE = Usage(prompt_tokens=20, completion_tokens=30)
COST = (20 * 1.0 + 30 * 10.0) / 1e6


def _request(number: int = 0) -> ChatRequest:
    return ChatRequest(messages=(Message(role="user", content=f"q{number}"),), sampling=Sampling(max_tokens=100))


class Slow(ScriptedLLM):
    async def chat(self, request: ChatRequest) -> ChatReply:
        await asyncio.sleep(0.01)
        return await super().chat(request)


def _answer(request: ChatRequest) -> ChatReply:
    return ChatReply(text="a", usage=USAGE)


def _spend(budget: LocalBudget, calls: int, *, at_once: bool) -> tuple[int, int]:
    """Calls made and refused."""
    llm = BudgetedLLM(Slow(_answer), budget, PRICE)

    async def all_calls() -> list[object]:
        if at_once:
            return await asyncio.gather(*(llm.chat(_request(n)) for n in range(calls)), return_exceptions=True)
        found: list[object] = []
        for number in range(calls):
            found += await asyncio.gather(llm.chat(_request(number)), return_exceptions=True)
        return found

    found = asyncio.run(all_calls())
    assert all(isinstance(item, ChatReply | BudgetSpent) for item in found)
    made = sum(isinstance(item, ChatReply) for item in found)
    return made, calls - made


@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize("limit", [0, 104, 150, 500, 1000])
def test_a_limit_of_tokens_is_never_passed_and_is_used_as_far_as_a_whole_call_fits(limit: int, at_once: bool) -> None:
    budget = LocalBudget(None, limit)
    made, refused = _spend(budget, 30, at_once=at_once)
    assert budget.spent.tokens == 50 * made <= limit
    assert budget.spent.calls == made
    # The next call could have taken 105 tokens: 5 of its prompt as estimated, and 100 of a reply.
    assert limit - budget.spent.tokens < 105
    assert refused == 30 - made


def test_a_limit_of_cost_holds_with_what_was_spent_before() -> None:
    budget = LocalBudget(0.01, None, spent=Spending(calls=9, tokens=900, cost=0.008))
    made, _ = _spend(budget, 20, at_once=True)
    assert made == 4  # a fifth could have cost 0.001005
    assert budget.spent.cost == pytest.approx(0.008 + 4 * COST)
    assert budget.spent.calls == 13


def test_once_refused_always_refused() -> None:
    async def scenario() -> list[str | None]:
        budget = LocalBudget(None, 100)
        return [await budget.reserve(Spending(calls=1, tokens=tokens)) for tokens in (200, 1)]

    first, second = asyncio.run(scenario())
    assert first == second
    assert first is not None
    assert "max-tokens 100 is reached: 0 used in 0 calls" in first


def test_a_call_that_fails_gives_back_what_was_put_aside() -> None:
    def failing(request: ChatRequest) -> str:
        raise StageFailure("llm_unavailable", "gone")

    budget = LocalBudget(None, 150)
    llm = BudgetedLLM(ScriptedLLM(failing), budget, PRICE)
    for _ in range(3):
        with pytest.raises(StageFailure):
            asyncio.run(llm.chat(_request()))
    assert budget.spent == Spending()


def test_what_a_dead_worker_put_aside_stops_the_run_instead_of_holding_it() -> None:
    async def scenario() -> str | None:
        budget = LocalBudget(None, 100, patience=0.05)
        assert await budget.reserve(Spending(calls=1, tokens=90)) is None
        return await budget.reserve(Spending(calls=1, tokens=90))

    assert asyncio.run(scenario()) is not None
