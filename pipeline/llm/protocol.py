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
    role: Role
    content: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Sampling:
    """How tokens are drawn; the names and meanings of the OpenAI API. `max_tokens` bounds the reply, not the prompt."""

    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 2048
    seed: int | None = None
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class ChatRequest:
    """`schema` is the text of a JSON schema that the reply has to fit; None for free text. With `logprobs` the reply
    carries the log-probability of each of its tokens, where the backend gives them."""

    messages: tuple[Message, ...]
    sampling: Sampling = Sampling()
    schema: str | None = None
    logprobs: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """Tokens of one call as the engine counted them; `cached_tokens` of the prompt came from its prefix cache."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class ChatReply:
    """A reply, with what it took: `seconds` of waiting, and whether it came from the response cache."""

    text: str
    finish_reason: FinishReason = "stop"
    usage: Usage = field(default_factory=Usage)
    seconds: float = 0.0
    cached: bool = False
    token_logprobs: tuple[float, ...] | None = None


class LLM(Protocol):
    """A language model. Many calls may be under way at once."""

    model: str

    async def chat(self, request: ChatRequest) -> ChatReply:
        """The model's reply. Raises StageFailure where there will be none for this request (kinds `llm_*`), and
        DLCodeGenError where no request can succeed (no such model, no access)."""
        ...
