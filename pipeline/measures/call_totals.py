"""What calls to language models add up to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.calls import LLMCall


@dataclass(slots=True)
class CallTotals:
    """Totals of calls."""

    calls: int = 0
    cached: int = 0
    """Calls that the response cache answered; they cost nothing."""
    prompt_tokens: int = 0
    cached_tokens: int = 0
    """Tokens of the prompts that were in the engine's prefix cache."""
    completion_tokens: int = 0
    cut: int = 0
    """Calls whose prompt was shortened."""
    cut_off: int = 0
    """Replies that ended at their length."""
    cost: float = 0.0
    """What was paid."""
    seconds: float = 0.0
    """Added up over calls, which waited side by side."""

    def add(self, call: LLMCall) -> None:
        self.calls += 1
        self.prompt_tokens += call.prompt_tokens
        self.completion_tokens += call.completion_tokens
        self.cut += bool(call.cut)
        self.cut_off += call.finish_reason == "length"
        if call.measured is not None:
            self.cached += call.measured.cached
            self.cached_tokens += call.measured.cached_tokens
            self.cost += call.measured.cost
            self.seconds += call.measured.seconds

    @classmethod
    def of(cls, calls: Iterable[LLMCall]) -> CallTotals:
        totals = cls()
        for call in calls:
            totals.add(call)
        return totals

    @classmethod
    def paid(cls, calls: Iterable[LLMCall]) -> CallTotals:
        """Those of the calls that a model answered: a reply from the response cache costs nothing."""
        return cls.of(call for call in calls if call.measured is None or not call.measured.cached)
