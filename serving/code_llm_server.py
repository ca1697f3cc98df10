"""The engine's replica: Ray's LLM server, asked by handle in the words of the HTTP API. Needs vLLM to be imported."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

from ray.serve.llm.deployment import LLMServer
from ray.serve.llm.openai_api_models import ChatCompletionRequest


class CodeLLMServer(LLMServer):  # type: ignore[misc]  # Ray is not typed
    """Takes and gives JSON as `/chat/completions` does, so that callers need neither vLLM nor HTTP."""

    async def complete(self, body: dict[str, Any]) -> dict[str, Any]:
        """The chat completion for a request's body, or `{"error": {"code": HTTP status, "message": ...}}`."""
        try:
            request = ChatCompletionRequest(**body)
        except ValueError as error:
            return {"error": {"code": 400, "message": str(error)}}
        async for answer in await self.chat(request):
            return dict(answer.model_dump(mode="json"))
        return {"error": {"code": 500, "message": "the engine gave no answer"}}

    async def stream(self, body: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        """The chunks of the chat completion for a request's body with `stream`, or one such error. To stop asking ends
        the request in the engine."""
        try:
            request = ChatCompletionRequest(**body)
        except ValueError as error:
            yield {"error": {"code": 400, "message": str(error)}}
            return
        async for batch in await self.chat(request):
            for chunk in _chunks(batch if isinstance(batch, list) else [batch]):
                yield chunk


def _chunks(batch: list[Any]) -> Iterator[dict[str, Any]]:
    """Ray's server gathers events of some milliseconds, each as the text of the HTTP API, or as an error."""
    for item in batch:
        if not isinstance(item, str):
            yield dict(item.model_dump(mode="json"))
            continue
        for event in item.split("\n\n"):
            data = event.removeprefix("data: ").strip()
            if data and data != "[DONE]":
                yield dict(json.loads(data))
