"""The LLM protocol: what a stage asks of a language model, and what it gets back.

A request is a value: two equal requests to the same model may share one answer, and a response cache relies on it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

Role = Literal["system", "user", "assistant"]
FinishReason = Literal["stop", "length", "content_filter"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Role
    """Whose turn it is."""

    content: str
    """What is said."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sampling:
    """How tokens are drawn; the names and meanings of the OpenAI API."""

    temperature: float = 0.0
    """0 is the likeliest token each time."""

    top_p: float | None = 1.0
    """Share of the probability that tokens are drawn from; None for the engine's own."""

    max_tokens: int = 2048
    """Bounds the reply, not the prompt."""

    seed: int | None = None
    """For equal replies to equal requests, as far as the engine can do that."""

    stop: tuple[str, ...] = ()
    """Texts that end the reply."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ChatRequest:
    """All that decides a reply, but the model."""

    messages: tuple[Message, ...]
    """The conversation so far."""

    sampling: Sampling = Sampling()
    """How tokens are drawn."""

    schema: str | None = None
    """The text of a JSON schema that the reply has to fit; None for free text."""

    continues: bool = False
    """Whether the last two messages are a reply that was cut off, and the words that ask to go on. A server that can go
    on with the reply itself is not sent the words."""

    logprobs: bool = False
    """Whether the reply is to carry the log-probability of each of its tokens, where the backend gives them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """Tokens of one call as the engine counted them."""

    prompt_tokens: int = 0
    """All of the prompt."""

    completion_tokens: int = 0
    """Of the reply."""

    cached_tokens: int = 0
    """Those of the prompt that came from the engine's prefix cache."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ChatReply:
    """A reply, with what it took."""

    text: str
    """What the model says."""

    finish_reason: FinishReason = "stop"
    """How it ended."""

    usage: Usage = field(default_factory=Usage)
    """Its tokens."""

    seconds: float = 0.0
    """Of waiting."""

    cached: bool = False
    """Whether it came from the response cache."""

    goes_on: bool = False
    """Whether it begins where the reply that was cut off ended: the server went on with that itself."""

    token_logprobs: tuple[float, ...] | None = None
    """For each token, where the request wanted them and the backend gives them."""


class LLM(Protocol):
    """A language model. Many calls may be under way at once."""

    model: str

    async def chat(self, request: ChatRequest) -> ChatReply:
        """The model's reply. Raises StageFailure where there will be none for this request (kinds `llm_*`), and
        DLCodeGenError where no request can succeed (no such model, no access)."""
        ...
