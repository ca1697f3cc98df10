"""How many tokens a text has, without its model's tokenizer."""

from __future__ import annotations

import math

from pipeline.llm.protocol import ChatRequest

CHARACTERS_PER_TOKEN = 3.5
"""Between those of code and of English, see `estimate_tokens`."""

_TOKENS_PER_MESSAGE = 4
"""About what a chat template puts around a message."""


def estimate_tokens(text: str) -> int:
    """About how many tokens a text has: code and English of the usual tokenizers have 3 to 4.5 characters a token.

    Meant for limits, budgets and cuts, where an engine's own count comes afterwards.
    """
    return math.ceil(len(text) / CHARACTERS_PER_TOKEN)


def estimate_prompt(request: ChatRequest) -> int:
    """About how many tokens the request's messages have, the chat template's marks included."""
    return sum(estimate_tokens(message.content) + _TOKENS_PER_MESSAGE for message in request.messages)


def estimate_request(request: ChatRequest) -> int:
    """About how many tokens the request may take, its longest reply included: what endpoints count against a rate."""
    return estimate_prompt(request) + request.sampling.max_tokens
