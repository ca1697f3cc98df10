"""What a run may spend: a call is made only if it cannot exceed that, and what calls really cost is counted."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pipeline.config import PriceSettings
from pipeline.errors import BudgetSpent, StageFailure
from pipeline.llm.protocol import LLM, ChatReply, ChatRequest, Usage
from pipeline.llm.spending.cost import cost_of
from pipeline.llm.tokens import estimate_prompt


@dataclass(frozen=True, kw_only=True, slots=True)
class Spending:
    """What calls came to, or can come to."""

    calls: int = 0
    """How many."""

    tokens: int = 0
    """Of prompts and replies together."""

    cost: float = 0.0
    """In the price list's currency."""

    def __add__(self, other: Spending) -> Spending:
        return Spending(calls=self.calls + other.calls, tokens=self.tokens + other.tokens, cost=self.cost + other.cost)

    def __sub__(self, other: Spending) -> Spending:
        return Spending(calls=self.calls - other.calls, tokens=self.tokens - other.tokens, cost=self.cost - other.cost)


class Budget(Protocol):
    """Where calls are announced and accounted for; one for all processes of a job."""

    async def reserve(self, most: Spending) -> str | None:
        """Puts aside what a call can come to at most. None if it may be made, else why not."""
        ...

    async def settle(self, most: Spending, spent: Spending) -> None:
        """Counts what the call came to in the place of what was put aside."""
        ...

    async def note_step(self, words: str) -> None:
        """Keeps what a server did not take, for the job's summary."""
        ...


class LocalBudget:
    """A budget in one process. `max_cost` and `max_tokens` hold for `spent` and all that follows; None is no limit.

    A call that would fit but for what others have put aside waits until they are settled, up to `patience` seconds
    without any (a process that died settles nothing). Once a call was refused, all later ones are.
    """

    def __init__(
        self,
        max_cost: float | None,
        max_tokens: int | None,
        *,
        spent: Spending | None = None,
        patience: float = 900.0,
    ) -> None:
        self.spent = spent or Spending()
        self._max_cost, self._max_tokens, self._patience = max_cost, max_tokens, patience
        self.reserved = Spending()
        self.steps: list[str] = []
        self._refused: str | None = None
        self._changed = asyncio.Condition()

    async def reserve(self, most: Spending) -> str | None:
        async with self._changed:
            while self._refused is None and (excess := self._excess(most)):
                if self.reserved.calls <= 0 or not await self._settled():
                    self._refused = excess
                    self._changed.notify_all()
            if self._refused is None:
                self.reserved += most
            return self._refused

    async def settle(self, most: Spending, spent: Spending) -> None:
        async with self._changed:
            self.reserved -= most
            self.spent += spent
            self._changed.notify_all()

    async def note_step(self, words: str) -> None:
        if words not in self.steps:
            self.steps.append(words)

    async def _settled(self) -> bool:
        try:
            await asyncio.wait_for(self._changed.wait(), self._patience)
        except TimeoutError:
            return False
        return True

    def _excess(self, most: Spending) -> str:
        """Why the call does not fit, or ""."""
        total = self.spent + self.reserved + most
        if self._max_cost is not None and total.cost > self._max_cost:
            return f"max-cost {self._max_cost:g} is reached: {self.spent.cost:.4f} spent in {self.spent.calls} calls"
        if self._max_tokens is not None and total.tokens > self._max_tokens:
            return f"max-tokens {self._max_tokens:,} is reached: {self.spent.tokens:,} used in {self.spent.calls} calls"
        return ""


class BudgetedLLM:
    """`inner` within a budget. It belongs behind the response cache: what comes from there costs nothing."""

    def __init__(self, inner: LLM, budget: Budget, price: PriceSettings) -> None:
        self.model = inner.model
        self._inner, self._budget, self._price = inner, budget, price
        self._noted = 0

    async def chat(self, request: ChatRequest) -> ChatReply:
        """The model's reply. Raises BudgetSpent where the call could exceed the budget, and what the model raises."""
        prompt, reply_tokens = estimate_prompt(request), request.sampling.max_tokens
        usage = Usage(prompt_tokens=prompt, completion_tokens=reply_tokens)
        most = Spending(calls=1, tokens=prompt + reply_tokens, cost=cost_of(usage, self._price))
        refused = await self._budget.reserve(most)
        if refused:
            raise BudgetSpent(refused)
        spent = Spending()
        try:
            reply = await self._inner.chat(request)
            tokens = reply.usage.prompt_tokens + reply.usage.completion_tokens
            spent = Spending(calls=1, tokens=tokens, cost=cost_of(reply.usage, self._price))
        except asyncio.CancelledError:
            spent = most  # given up after it was sent: the model may have answered all the same
            raise
        except StageFailure as failure:
            if failure.kind == "llm_timeout":  # likewise
                spent = most
            raise
        finally:
            await self._budget.settle(most, spent)
            await self._note_steps()
        return reply

    async def _note_steps(self) -> None:
        """Hands on what the model's client has found out about its server since the last call."""
        steps: Sequence[str] = getattr(self._inner, "steps", ())
        noted, self._noted = self._noted, len(steps)
        for words in steps[noted:]:
            await self._budget.note_step(words)
