"""How much of what is asked an engine has computed before: its prefix cache, by blocks of tokens as vLLM keeps them.

An engine that caches prefixes keeps what it has computed of a prompt in blocks of so many tokens, each under all tokens
up to its end. A later prompt is served the blocks it begins with, up to the first that differs.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass

from pipeline.llm.protocol import ChatRequest
from pipeline.llm.tokens import CHARACTERS_PER_TOKEN

BLOCK = 16
"""Tokens of a block: vLLM's own."""

Tokenize = Callable[[str], Sequence[Hashable]]
"""A tokenizer: the tokens of a text, in order."""


@dataclass(frozen=True, slots=True)
class ServedPrompt:
    """A prompt, and what of it stands in the cache when it comes."""

    tokens: int
    """All of it."""

    served: int
    """Those that need not be computed."""


def served_prompts(requests: Iterable[ChatRequest], tokenize: Tokenize | None = None) -> list[ServedPrompt]:
    """What a cache that begins empty and forgets nothing serves of each request, in their order. Without a tokenizer
    a token is taken to have 3.5 characters."""
    known: set[int] = set()
    prompts: list[ServedPrompt] = []
    for request in requests:
        text = conversation(request)
        tokens = characters(text) if tokenize is None else tokenize(text)
        prefix, served, is_known = 0, 0, True
        for end in range(BLOCK, len(tokens) + 1, BLOCK):
            prefix = hash((prefix, tuple(tokens[end - BLOCK : end])))
            is_known = is_known and prefix in known
            served += BLOCK * is_known
            known.add(prefix)
        prompts.append(ServedPrompt(len(tokens), served))
    return prompts


def share(prompts: Sequence[ServedPrompt]) -> float:
    """The share of all tokens that is served, in [0, 1]; 0 of none."""
    tokens = sum(prompt.tokens for prompt in prompts)
    return sum(prompt.served for prompt in prompts) / tokens if tokens else 0.0


def conversation(request: ChatRequest) -> str:
    """The messages as one text, each under its role as a chat template has it."""
    return "\n".join(f"<|{message.role}|>\n{message.content}" for message in request.messages)


def characters(text: str) -> list[str]:
    """The text in pieces of a token's usual length: of 3 and 4 characters in turn."""
    pieces: list[str] = []
    start = 0
    while start < len(text):
        end = round((len(pieces) + 1) * CHARACTERS_PER_TOKEN)
        pieces.append(text[start:end])
        start = end
    return pieces
