"""The engine's replica: Ray's LLM server, asked by handle in the words of the HTTP API. Needs vLLM to be imported."""

from __future__ import annotations

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
