"""What calls to language models add up to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.records import LLMCall


@dataclass(slots=True)
class CallTotals:
    """Totals of calls. `cached` of them were answered by the response cache, and cost nothing; `cached_tokens` of the
    prompts' tokens were in the engine's prefix cache; of `cut` calls the prompt was shortened; `cut_off` replies ended
    at their length. `seconds` add up over calls that waited side by side; `cost` is what was paid."""

    calls: int = 0
    cached: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    cut: int = 0
    cut_off: int = 0
    cost: float = 0.0
    seconds: float = 0.0

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
