"""A request with its reply: what is read of it, and how long a prompt may be that an engine found too long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from pipeline.llm.asking.replies import ReplyError, clean_text
from pipeline.llm.client.context_errors import context_counts
from pipeline.llm.protocol import ChatRequest, Message
from pipeline.llm.tokens import estimate_prompt
from pipeline.retrieval.tokenize import shingles, words

_REFERENCE_WORDS = 5
"""Words of the sequences by which a reference is looked for in what is sent."""

_SHORTER = 0.75
"""Share of a prompt that is tried next where the engine does not say how long it is."""

_LESS_THAN_COUNTED = 0.97
"""Share of what the engine's own count leaves: the rest of a prompt may have more tokens a character than the whole."""

_T = TypeVar("_T")

Reader = Callable[[str, bool], _T]
"""Reads a reply's text, which may have been cut off. Raises ReplyError where it is useless."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request with its reply."""

    request: ChatRequest
    """As it was sent."""

    text: str
    """The whole reply, continuations included."""

    finish_reason: str
    """Of the last part; `length` where the reply is not whole."""

    @property
    def is_cut(self) -> bool:
        return self.finish_reason == "length"


def read_exchange(exchange: Exchange, read: Reader[_T]) -> _T:
    """What `read` makes of the reply. Raises ReplyError where that is nothing."""
    if exchange.finish_reason == "content_filter":
        raise ReplyError("refused", "the model's content filter held the answer back")
    if exchange.is_cut and not clean_text(exchange.text).strip():
        tokens = exchange.request.sampling.max_tokens
        raise ReplyError("cut_off", f"the model spent all {tokens} tokens on thinking; max_tokens=NUMBER gives it more")
    return read(exchange.text, exchange.is_cut)


def smaller_room(request: ChatRequest, reason: str) -> int:
    """The estimated tokens that a prompt may have of which an engine says, for a `reason`, that it is too long: by the
    engine's own count where it names one, else three quarters of what it had."""
    estimated = estimate_prompt(request)
    counts = context_counts(reason)
    shorter = int(estimated * _SHORTER)
    if counts is None or counts.prompt <= 0:
        return shorter
    wanted = counts.context - min(request.sampling.max_tokens, counts.context // 2)
    by_count = int(estimated * wanted / counts.prompt * _LESS_THAN_COUNTED)
    return by_count if by_count < estimated else shorter


def continued(request: ChatRequest, *messages: Message) -> ChatRequest:
    """The request with further messages."""
    return replace(request, messages=(*request.messages, *messages))


def word_sequences(text: str) -> frozenset[tuple[str, ...]]:
    """A text's sequences of words, by which it is looked for in another."""
    return shingles(words(text), _REFERENCE_WORDS)
