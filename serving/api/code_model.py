"""The code model by handle: `CodeLLMServer`, or whatever speaks as it does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from ray import serve
from ray.serve.handle import DeploymentHandle


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeModelAddress:
    """Where the code model is. Travels to the gateway."""

    name: str
    """What clients call it."""

    app: str
    deployment: str
    context_length: int
    """Tokens of prompt and reply together."""


class CodeModel:
    """The engine's deployment, in the words of the OpenAI API."""

    def __init__(self, address: CodeModelAddress) -> None:
        self.name, self.context_length = address.name, address.context_length
        self._address = address
        self._known: DeploymentHandle | None = None

    async def complete(self, body: dict[str, Any]) -> dict[str, Any]:
        """The chat completion, or `{"error": {"code": HTTP status, "message": ...}}`."""
        answer: dict[str, Any] = await self._handle.complete.remote(body)
        return answer

    async def stream(self, body: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        """The chunks of the chat completion, or one such error. To stop asking frees the engine's slot."""
        response = self._handle.options(stream=True).stream.remote(body)
        try:
            async for chunk in response:
                yield chunk
        finally:
            response.cancel()

    @property
    def _handle(self) -> DeploymentHandle:
        if self._known is None:
            self._known = serve.get_deployment_handle(self._address.deployment, self._address.app)
        return self._known
