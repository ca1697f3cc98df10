"""The code model's replies as the OpenAI API has them: whole or streamed, counted, several at once."""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator
from typing import Any, Protocol

from fastapi import Response
from fastapi.responses import JSONResponse
from ray.exceptions import RayError
from ray.serve.exceptions import BackPressureError, RayServeException

from serving.api.code_model import CodeModel
from serving.api.errors import ApiError, error_body, over_quota
from serving.api.service import Service
from serving.api.streams import event_lines, event_stream
from serving.store.keys import Key
from serving.store.quotas import OverQuota, Used

_DEFAULT_REPLY = 1_024
"""Tokens of a reply where the client names no limit."""


class Asked(Protocol):
    """What counts of a request here."""

    stream: bool
    n: int
    max_tokens: int | None
    max_completion_tokens: int | None

    @property
    def wants_usage(self) -> bool: ...


async def code_chat(service: Service, key: Key, body: dict[str, Any], asked: Asked) -> Response:
    """The model's reply to a conversation."""
    call = _Call(service, key, body, asked)
    if asked.stream:
        return event_stream(call.streamed())
    return JSONResponse(await call.whole())


async def code_text(service: Service, key: Key, prompt: str, asked: Asked) -> Response:
    """How the model goes on from a prompt: the reply to it as the only message, since the engine chats."""
    body = asked.model_dump(exclude_unset=True, exclude={"prompt"})  # type: ignore[attr-defined]
    body["messages"] = [{"role": "user", "content": prompt}]
    call = _Call(service, key, body, asked, text=True)
    if asked.stream:
        return event_stream(call.streamed())
    return JSONResponse(await call.whole())


class _Call:
    """One call: reserved before it is made, settled by what the engine counted, however it ends."""

    def __init__(self, service: Service, key: Key, body: dict[str, Any], asked: Asked, *, text: bool = False) -> None:
        assert service.code_model is not None
        self._service, self._asked, self._text = service, asked, text
        self._model: CodeModel = service.code_model
        reply = asked.max_completion_tokens or asked.max_tokens or _DEFAULT_REPLY
        reply = min(reply, self._model.context_length)
        self._body = body | {"max_tokens": reply}
        self._body.pop("max_completion_tokens", None)
        self._used = Used(completions=1)
        self._id = f"call_{secrets.token_hex(12)}"
        service.require_room()
        most = self._model.context_length * asked.n
        try:
            with service.database.transaction():
                service.quotas.reserve(self._id, key, tokens=most)
        except OverQuota as error:
            raise over_quota(error) from error

    async def whole(self) -> dict[str, Any]:
        """The reply as one object. Raises ApiError in plain words."""
        body = self._body | {"stream": False}
        body.pop("stream_options", None)
        try:
            answer = await self._model.complete(body)
            _raise_refusal(answer)
            self._count(answer.get("usage"))
            return _as_text(answer) if self._text else answer
        except (RayError, RayServeException) as error:
            raise _trouble(error) from error
        finally:
            self._settle()

    async def streamed(self) -> AsyncGenerator[str, None]:
        """The reply as events; an error after the first of them is the last one."""
        # The engine's usage is what is settled, so it is asked for whether the client wants it or not.
        body = self._body | {"stream": True, "stream_options": {"include_usage": True, "continuous_usage_stats": True}}
        chunks = self._model.stream(body)
        try:
            async for chunk in chunks:
                _raise_refusal(chunk)
                self._count(chunk.get("usage"))
                if not chunk.get("choices") and not self._asked.wants_usage:
                    continue
                if chunk.get("choices"):
                    chunk = {name: value for name, value in chunk.items() if name != "usage"}
                yield event_lines(_as_text(chunk) if self._text else chunk)
            yield event_lines("[DONE]")
        except (ApiError, RayError, RayServeException) as error:
            known = error if isinstance(error, ApiError) else _trouble(error)
            yield event_lines(error_body(known.status, known.code, str(known)))
        finally:
            self._settle()
            await chunks.aclose()  # type: ignore[attr-defined]

    def _count(self, usage: Any) -> None:
        if isinstance(usage, dict):
            prompt, reply = int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0)
            self._used = Used(completions=1, prompt_tokens=prompt, completion_tokens=reply)

    def _settle(self) -> None:
        with self._service.database.transaction():
            self._service.quotas.settle(self._id, self._used)
        self._service.runs.metrics.completed(self._used)


def _raise_refusal(answer: dict[str, Any]) -> None:
    """The engine's own no. Of its own trouble only that it is in trouble is told."""
    problem = answer.get("error")
    if not problem:
        return
    status = int(problem.get("code") or 500)
    if 400 <= status < 500:
        raise ApiError(status, "invalid_request", str(problem.get("message"))[:1_000])
    raise _trouble(None)


def _trouble(error: Exception | None) -> ApiError:
    if isinstance(error, BackPressureError):
        return ApiError(503, "overloaded", "the code model has too much to do; try again shortly", retry_after=5)
    return ApiError(503, "engine_unavailable", "the code model did not answer; try again shortly", retry_after=5)


def _as_text(answer: dict[str, Any]) -> dict[str, Any]:
    """A chat reply, or a chunk of one, as a text completion."""
    choices = []
    for choice in answer.get("choices", ()):
        said = choice.get("message") or choice.get("delta") or {}
        choices.append(
            {
                "index": choice.get("index", 0),
                "text": said.get("content") or "",
                "finish_reason": choice.get("finish_reason"),
                "logprobs": None,
            }
        )
    return {**answer, "object": "text_completion", "choices": choices}
