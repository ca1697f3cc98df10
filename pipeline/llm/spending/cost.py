"""What calls cost, from a price list in tokens."""

from __future__ import annotations

from pipeline.config import PriceSettings
from pipeline.llm.protocol import Usage

_PER = 1_000_000


def cost_of(usage: Usage, price: PriceSettings) -> float:
    """The cost of a call in the price list's currency; prompt tokens that the engine had cached at their own price."""
    cached_price = price.input if price.cached_input is None else price.cached_input
    new_tokens = usage.prompt_tokens - usage.cached_tokens
    return (
        new_tokens * price.input + usage.cached_tokens * cached_price + usage.completion_tokens * price.output
    ) / _PER
