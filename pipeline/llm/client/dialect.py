"""What OpenAI-compatible servers understand differently, found out from their refusals."""

from __future__ import annotations

import re
from typing import Any, Literal

import orjson

from pipeline.llm.protocol import ChatRequest

Structured = Literal["json_schema", "guided_json", "json_object", "none"]

_WEAKER: dict[Structured, Structured] = {
    "json_schema": "json_object",
    "guided_json": "json_object",
    "json_object": "none",
}
"""What is tried where a server refuses a form."""

# Servers name what they refuse in words alone.
_NOT_STRUCTURED = re.compile(r"response_format|json_schema|json_object|guided_json|structured", re.IGNORECASE)
_NOT_MAX_TOKENS = re.compile(r"max_completion_tokens", re.IGNORECASE)


class Dialect:
    """How requests are put to one server. Begins with today's API and steps back where the server refuses.

    A schema that a server cannot enforce is told in words, in a last system message.
    """

    def __init__(self, structured: Structured | Literal["auto"] = "auto") -> None:
        self._settled = structured != "auto"
        self._structured: Structured = "json_schema" if structured == "auto" else structured
        self._max_tokens = "max_tokens"  # OpenAI's newer models take `max_completion_tokens` alone

    def body(self, model: str, request: ChatRequest) -> dict[str, Any]:
        """The JSON body of `/chat/completions` for a request."""
        sampling = request.sampling
        body: dict[str, Any] = {
            "model": model,
            "messages": [{"role": message.role, "content": message.content} for message in request.messages],
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            self._max_tokens: sampling.max_tokens,
        }
        if sampling.seed is not None:
            body["seed"] = sampling.seed
        if sampling.stop:
            body["stop"] = list(sampling.stop)
        if request.logprobs:
            body["logprobs"] = True
        if request.schema is not None:
            self._ask_for_schema(body, request.schema)
        return body

    def _ask_for_schema(self, body: dict[str, Any], schema: str) -> None:
        if self._structured == "json_schema":
            body["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "reply", "schema": orjson.loads(schema)},
            }
            return
        if self._structured == "guided_json":
            body["guided_json"] = orjson.loads(schema)
            return
        if self._structured == "json_object":
            body["response_format"] = {"type": "json_object"}
        words = f"Answer with one JSON object of this JSON schema, and nothing else:\n{schema}"
        body["messages"] = [*body["messages"], {"role": "system", "content": words}]

    def adapt(self, refused: dict[str, Any], reason: str) -> bool:
        """Steps back from what a server refused in a body; whether asking again may help."""
        if "max_tokens" in refused and _NOT_MAX_TOKENS.search(reason):
            self._max_tokens = "max_completion_tokens"
            return True
        form: Structured | None = None
        if "guided_json" in refused:
            form = "guided_json"
        elif "response_format" in refused:
            form = refused["response_format"]["type"]
        if form is None or self._settled or not _NOT_STRUCTURED.search(reason):
            return False
        if self._structured == form:  # another call may have stepped back already
            self._structured = _WEAKER[form]
        return True
