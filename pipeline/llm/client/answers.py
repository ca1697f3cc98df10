"""What an endpoint's HTTP answer means: a reply, a reason to ask again, a failure of the row, or of the whole job."""

from __future__ import annotations

import re
from typing import Any

import httpx
import orjson

from pipeline.errors import DLCodeGenError, StageFailure
from pipeline.llm.client.backoff import retry_after
from pipeline.llm.client.context_errors import TOO_LONG, room_for_reply
from pipeline.llm.client.hopeless import hopeless_status, passing_status, web_page
from pipeline.llm.client.retrying import Transient
from pipeline.llm.protocol import ChatReply, FinishReason, Usage

_KEEP_ALIVE = re.compile(rb"\A(?:\s++|:[^\n]*+\n)*+")
"""What relays send while the model thinks: blank lines, and comments as in a stream of events."""

_FILTERED = re.compile(r"content_filter|ResponsibleAIPolicy|content management policy", re.IGNORECASE)

_FINISH: dict[str, FinishReason] = {
    "length": "length",
    "max_tokens": "length",
    "max_output_tokens": "length",
    "model_length": "length",
    "content_filter": "content_filter",
    "safety": "content_filter",
    "recitation": "content_filter",
    "prohibited_content": "content_filter",
    "blocklist": "content_filter",
    "refusal": "content_filter",
    "sensitive": "content_filter",
}
"""How servers say that a reply ended, in lower case; any other word is taken for its natural end."""

_BROKEN_OFF = frozenset(
    {"error", "abort", "aborted", "cancelled", "insufficient_system_resource", "load", "network_error"}
)
"""A reply that the server gave up: DeepSeek's API out of resources, a relay's provider gone, Ollama still loading."""

_TEXT_PARTS = ("text", "output_text")
_ERROR_CHARACTERS = 300


GRAMMAR = re.compile(r"grammar\b", re.IGNORECASE)
"""What servers say of a schema that they cannot make a grammar of; some by status 500."""


class Refused(Exception):
    """A request that this server does not take as it is (400, 422)."""


def read_answer(response: httpx.Response) -> dict[str, Any]:
    """The answer's JSON object. Raises Transient, Refused, StageFailure (`llm_context`) or DLCodeGenError."""
    status, after = response.status_code, retry_after(response.headers.get("retry-after"))
    if status != 200:
        raise refusal(status, _error_text(response), after)
    try:
        answer = orjson.loads(_KEEP_ALIVE.sub(b"", response.content))
    except orjson.JSONDecodeError as error:
        page = web_page(response.text)
        if page:
            raise DLCodeGenError(f"404 (as {page})") from error
        raise Transient(f"the answer is no JSON ({error})", kind="llm_bad_answer") from error
    if isinstance(answer, dict) and answer.get("choices"):
        return answer
    text = _error_text(response)
    told = _code_of(answer)
    hopeless = hopeless_status(text)
    if told is None and hopeless is not None:
        raise DLCodeGenError(f"{hopeless} (as 200: {text})")
    if told is not None or (isinstance(answer, dict) and answer.get("error")):
        # A relay that names no status has lost its upstream.
        raise refusal(told or 502, text, after)
    raise Transient(f"the answer has no choices: {text}", kind="llm_bad_answer")


def refusal(status: int, text: str, after: float | None = None) -> Exception:
    """The exception for an HTTP status and what was said with it."""
    said = f"{status}: {text}"
    hopeless = hopeless_status(text)
    if status in (400, 403, 404, 422, 499) and hopeless is None:
        status = passing_status(text) or status
    if status == 429 and hopeless != 402:
        return Transient(said, kind="llm_busy", after=after, alive=True)
    if status in (400, 422, 500) and GRAMMAR.search(text):
        return Refused(said)
    if status in (408, 409, 425, 499) or status >= 500:
        return Transient(said, kind="llm_unavailable", after=after, alive=status < 500)
    if status == 413 or (status in (400, 422) and TOO_LONG.search(text) and room_for_reply(text) is None):
        return StageFailure("llm_context", f"the prompt is longer than the model's context ({said})")
    if _FILTERED.search(text):
        return StageFailure("refused", f"the endpoint's content filter held the prompt back ({said})")
    if status in (400, 422):
        return Refused(said) if hopeless is None else DLCodeGenError(f"{hopeless} (as {said})")
    return DLCodeGenError(said)


def _code_of(answer: object) -> int | None:
    """The HTTP status that an error within an answer names, by whichever key; None where it names none."""
    error = answer.get("error") if isinstance(answer, dict) else None
    for part in (error, answer):
        for name in ("code", "status", "status_code", "statusCode"):
            code = part.get(name) if isinstance(part, dict) else None
            if isinstance(code, str) and code.isdigit():
                code = int(code)
            if isinstance(code, int) and 400 <= code < 600:
                return code
    return None


def _error_text(response: httpx.Response) -> str:
    """What a server says about an error, shortened: the `message` and `code` of its JSON, or its text."""
    try:
        answer = orjson.loads(_KEEP_ALIVE.sub(b"", response.content))
    except orjson.JSONDecodeError:
        return web_page(response.text) or _cut(response.text)
    if isinstance(answer, list) and answer:  # Google's
        answer = answer[0]
    inner = answer.get("error", answer) if isinstance(answer, dict) else answer
    if isinstance(inner, dict):
        parts = [inner.get("message") or inner.get("detail") or inner.get("msg"), inner.get("code"), inner.get("param")]
        metadata = inner.get("metadata")
        if isinstance(metadata, dict):  # OpenRouter's: what the provider behind it said
            parts.append(metadata.get("raw"))
        return _cut(" ".join(str(part) for part in parts if part) or response.text)
    return _cut(str(inner))


def _cut(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _ERROR_CHARACTERS else text[:_ERROR_CHARACTERS] + "..."


def read_reply(answer: dict[str, Any]) -> ChatReply:
    """The reply in an answer. Raises Transient where it is none, or one that the server broke off."""
    try:
        choice = answer["choices"][0]
        finish = str(choice.get("finish_reason") or "stop").lower()
        # Older servers complete a text.
        message = choice["message"] if "message" in choice else {"content": choice["text"]}
        text = _text_of(message.get("content"))
        if not text:
            text = _arguments(message.get("tool_calls")) or _misplaced_json(message)
        refusal = message.get("refusal")
        usage = _usage(answer.get("usage") or {})
        logprobs = _logprobs(choice.get("logprobs"))
    except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
        raise Transient(f"the answer is no chat completion ({error!r})", kind="llm_bad_answer") from error
    if finish in _BROKEN_OFF or choice.get("error"):
        said = _cut(str(choice.get("error") or finish))
        raise Transient(f"the server broke the reply off: {said}", kind="llm_unavailable", alive=True)
    return ChatReply(
        text=text or refusal or "",
        finish_reason="content_filter" if refusal and not text else _FINISH.get(finish, "stop"),
        usage=usage,
        token_logprobs=logprobs,
    )


def _text_of(content: object) -> str:
    """What a message says: a text, or a list of typed parts of which the thinking is left out."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise TypeError("the reply is no text")
    texts: list[str] = []
    for part in content:
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, dict) and part.get("type", "text") in _TEXT_PARTS and isinstance(part.get("text"), str):
            texts.append(part["text"])
    return "".join(texts)


def _arguments(tool_calls: object) -> str:
    """What a model says by the arguments of the one function it calls; "" where it calls none, or several."""
    if not isinstance(tool_calls, list) or len(tool_calls) != 1:
        return ""
    arguments = tool_calls[0]["function"]["arguments"]
    return arguments if isinstance(arguments, str) else ""


def _misplaced_json(message: dict[str, Any]) -> str:
    """The JSON object that a server took for thinking: vLLM, of a model that answers a schema without thinking. Other
    thinking is no reply."""
    thinking = message.get("reasoning_content") or message.get("reasoning")
    if not isinstance(thinking, str) or not thinking.lstrip().startswith("{"):
        return ""
    try:
        orjson.loads(thinking)
    except orjson.JSONDecodeError:
        return ""
    return thinking


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
