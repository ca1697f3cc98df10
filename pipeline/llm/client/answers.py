"""What an endpoint's HTTP answer means: a reply, a reason to ask again, a failure of the row, or of the whole job."""

from __future__ import annotations

import re
from typing import Any

import httpx
import orjson

from pipeline.errors import DLCodeGenError, StageFailure
from pipeline.llm.client.backoff import retry_after
from pipeline.llm.client.retrying import Transient
from pipeline.llm.protocol import ChatReply, FinishReason, Usage

_TOO_LONG = re.compile(
    r"context_length_exceeded|context length|context window|maximum length|max_model_len|prompt is too long"
    r"|too many tokens",
    re.IGNORECASE,
)
_FINISH: dict[str, FinishReason] = {"length": "length", "content_filter": "content_filter"}
_ERROR_CHARACTERS = 300


class Refused(Exception):
    """A request that this server does not take as it is (400, 422)."""


def read_answer(response: httpx.Response) -> dict[str, Any]:
    """The answer's JSON object. Raises Transient, Refused, StageFailure (`llm_context`) or DLCodeGenError."""
    status = response.status_code
    if status != 200:
        raise refusal(status, _error_text(response), retry_after(response.headers.get("retry-after")))
    try:
        answer = orjson.loads(response.content)
    except orjson.JSONDecodeError as error:
        raise Transient(f"the answer is no JSON ({error})", kind="llm_bad_answer") from error
    if not isinstance(answer, dict) or not answer.get("choices"):
        raise Transient(f"the answer has no choices: {_cut(response.text)}", kind="llm_bad_answer")
    return answer


def refusal(status: int, text: str, after: float | None = None) -> Exception:
    """The exception for an HTTP status and what was said with it."""
    said = f"{status}: {text}"
    if status == 429 and "insufficient_quota" not in text:
        return Transient(said, kind="llm_busy", after=after, alive=True)
    if status in (408, 409, 425) or status >= 500:
        return Transient(said, kind="llm_unavailable", after=after)
    if status == 413 or (status in (400, 422) and _TOO_LONG.search(text)):
        return StageFailure("llm_context", f"the prompt is longer than the model's context ({said})")
    if status in (400, 422):
        return Refused(said)
    return DLCodeGenError(said)


def _error_text(response: httpx.Response) -> str:
    """What a server says about an error, shortened: the `message` and `code` of its JSON, or its text."""
    try:
        answer = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        return _cut(response.text)
    inner = answer.get("error", answer) if isinstance(answer, dict) else answer
    if isinstance(inner, dict):
        parts = [inner.get("message") or inner.get("detail"), inner.get("code")]
        return _cut(" ".join(str(part) for part in parts if part) or response.text)
    return _cut(str(inner))


def _cut(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _ERROR_CHARACTERS else text[:_ERROR_CHARACTERS] + "..."


def read_reply(answer: dict[str, Any]) -> ChatReply:
    """The reply in an answer. Raises Transient where it is none, as from a server that ran out of resources."""
    try:
        choice = answer["choices"][0]
        finish = choice.get("finish_reason") or "stop"
        message = choice["message"]
        text = message.get("content")
        refusal = message.get("refusal")
        usage = _usage(answer.get("usage") or {})
        logprobs = _logprobs(choice.get("logprobs"))
    except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
        raise Transient(f"the answer is no chat completion ({error!r})", kind="llm_bad_answer") from error
    if finish == "insufficient_system_resource":  # DeepSeek's API, in the middle of a reply
        raise Transient("the server ran out of resources", kind="llm_unavailable")
    if text is not None and not isinstance(text, str):
        raise Transient("the reply is no text", kind="llm_bad_answer")
    return ChatReply(
        text=text or refusal or "",
        finish_reason="content_filter" if refusal and not text else _FINISH.get(finish, "stop"),
        usage=usage,
        token_logprobs=logprobs,
    )


def _usage(usage: dict[str, Any]) -> Usage:
    details = usage.get("prompt_tokens_details") or {}
    cached = details.get("cached_tokens") or usage.get("prompt_cache_hit_tokens") or 0
    return Usage(
        prompt_tokens=int(usage.get("prompt_tokens") or 0),
        completion_tokens=int(usage.get("completion_tokens") or 0),
        cached_tokens=int(cached),
    )


def _logprobs(logprobs: dict[str, Any] | None) -> tuple[float, ...] | None:
    if not logprobs or logprobs.get("content") is None:
        return None
    return tuple(float(token["logprob"]) for token in logprobs["content"])
