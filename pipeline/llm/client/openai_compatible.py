"""Any endpoint that speaks OpenAI's chat completions: DeepSeek's API, a vLLM server, others."""

from __future__ import annotations

import asyncio
import json
import os
import uuid
import weakref
from asyncio import AbstractEventLoop
from functools import partial
from typing import Any
from urllib.request import getproxies

import httpx
import orjson

from pipeline.config import LLMSettings
from pipeline.config.endpoints import Prefill
from pipeline.errors import DLCodeGenError, StageFailure
from pipeline.foreign_text import MASK, masked_url, secrets_in
from pipeline.llm.client.answers import read_answer, read_reply
from pipeline.llm.client.connections import Connections
from pipeline.llm.client.dialect import Dialect
from pipeline.llm.client.rates import Rates
from pipeline.llm.client.retrying import Retrying, Transient
from pipeline.llm.protocol import ChatReply, ChatRequest
from pipeline.llm.tokens import estimate_request

_MODELS_SECONDS = 10.0
"""How long an endpoint is asked for the models it has, once the one that was set is unknown to it."""

_SHORTEST_SECRET = 6
"""Characters; see `_secrets`."""

_PREFILL_OF: dict[str, Prefill] = {
    "vllm": "continue_final_message",
    "sglang": "continue_final_message",
    "llamacpp": "last_message",
}
"""How servers that say what they are go on with a reply."""

_MODELS_SHOWN = 20
"""Models of an endpoint that a message names; some have hundreds."""


async def _post(
    connections: Connections, body: dict[str, Any], headers: dict[str, str], seconds: float
) -> httpx.Response:
    """The server's answer, read to its end. Raises Transient where none comes whole or in time."""
    try:
        with connections.client() as client:
            async with asyncio.timeout(seconds):
                return await client.post("/chat/completions", content=json.dumps(body).encode(), headers=headers)
    except TimeoutError as error:
        raise Transient(f"no answer within {seconds:.3g} s", kind="llm_timeout") from error
    except (httpx.TransportError, httpx.DecodingError) as error:
        reason = str(error) or type(error).__name__
        raise Transient(f"the connection failed ({reason})", kind="llm_unavailable") from error


def _address(base_url: str, shown: str) -> httpx.URL:
    """The endpoint's address. Raises DLCodeGenError, which has it as `shown`, where it is none."""
    try:
        address = httpx.URL(base_url)
    except httpx.InvalidURL:
        address = httpx.URL()
    if address.scheme not in ("http", "https") or not address.host:
        raise DLCodeGenError(f"base_url={shown} is no address; write it like https://host/v1")
    return address


def _secrets(key: str, base_url: str) -> list[str]:
    """What no message may hold, the longest first: the key, and what is secret in the addresses of endpoint and
    proxies. Words of a few letters (`v1`, a user called `me`) stay: they would be found everywhere."""
    addresses = [base_url, *getproxies().values()]
    secrets = {secret for address in addresses for secret in secrets_in(address) if len(secret) >= _SHORTEST_SECRET}
    if key:
        secrets.add(key)
    return sorted(secrets, key=len, reverse=True)


class OpenAICompatibleLLM:
    """The model `settings.model` at `settings.base_url`. One instance serves all event loops of a process; limits,
    breaker and what was found out about the server are common to them.

    Asks again, with growing pauses, what was not answered: 408, 409, 429, 5xx, resets, stalls, cut-off or unreadable
    answers. All attempts of a call carry one `Idempotency-Key`. `share` is this process's part of the rate limits.
    """

    def __init__(self, settings: LLMSettings, *, share: float = 1.0) -> None:
        if not settings.model:
            raise DLCodeGenError("llm=openai needs a model: model=NAME, as the endpoint calls it")
        self.model = settings.model
        self._url = masked_url(settings.base_url).rstrip("/")  # for messages
        self._address = _address(settings.base_url, self._url)
        self._key_name, self._key = settings.api_key_env, os.environ.get(settings.api_key_env, "")
        self._secrets = _secrets(self._key, settings.base_url)
        self._limits = settings.limits
        self._rates = Rates(self._limits.requests_per_minute, self._limits.tokens_per_minute, share=share)
        self._retrying = Retrying(self._url, self._limits)
        self._dialect = Dialect(settings.structured, settings.prefill)
        self._connections: weakref.WeakKeyDictionary[AbstractEventLoop, Connections] = weakref.WeakKeyDictionary()
        self._hopeless: DLCodeGenError | None = None

    async def chat(self, request: ChatRequest) -> ChatReply:
        """The model's reply. Raises StageFailure `llm_unavailable`, `llm_busy`, `llm_timeout` or `llm_bad_answer` after
        the last attempt, `llm_context` for a prompt that is too long, `llm_refused` for a request the server does not
        take; DLCodeGenError for a wrong model, address or key."""
        connections, headers = self._connected(), {"Idempotency-Key": uuid.uuid4().hex}
        estimated = estimate_request(request)

        async def attempt(seconds: float) -> ChatReply:
            used = 0
            try:
                reply = await self._ask(connections, request, headers, seconds)
                used = reply.usage.prompt_tokens + reply.usage.completion_tokens
                return reply
            finally:
                self._rates.correct(estimated, used)

        try:
            return await self._retrying.call(attempt, partial(self._rates.wait, estimated))
        except StageFailure as error:
            raise StageFailure(error.kind, self._without_secrets(str(error))) from None

    async def _ask(
        self, connections: Connections, request: ChatRequest, headers: dict[str, str], seconds: float
    ) -> ChatReply:
        """One attempt; asked anew at once in a weaker dialect where the server does not know the stronger one."""
        if request.continues and self._dialect.prefill == "auto":
            self._dialect.prefill = await self._prefill(connections)

        async def send(body: dict[str, Any]) -> ChatReply:
            if self._hopeless:
                raise self._hopeless
            try:
                return read_reply(read_answer(await _post(connections, body, headers, seconds)))
            except DLCodeGenError as error:
                self._hopeless = await self._explained(connections, str(error))
                raise self._hopeless from None

        return await self._dialect.ask(self.model, request, send, self._dialect.adapt, self._url)

    def _connected(self) -> Connections:
        """The running event loop's connections; a loop's own, since sockets are bound to their loop."""
        loop = asyncio.get_running_loop()
        if loop not in self._connections:
            headers = {"Content-Type": "application/json"}
            headers |= {"Authorization": f"Bearer {self._key}"} if self._key else {}
            self._connections[loop] = Connections(self._address, self._limits.concurrency, headers)
        return self._connections[loop]

    async def _explained(self, connections: Connections, refusal: str) -> DLCodeGenError:
        """The error for a refusal that no other request would escape, with the way out."""
        status = refusal[:3]
        if status in ("401", "403"):
            key = f"the key in ${self._key_name}" if self._key else f"no key, since ${self._key_name} is not set"
            way_out = f"it was asked with {key}; set api_key_env=NAME to use another variable"
        elif status in ("402", "429"):
            way_out = "the account has nothing left"
        elif models := await self._models(connections):
            way_out = f"model={self.model} may be none of its models: {', '.join(models)}"
        else:
            way_out = f"check base_url (is /v1 missing?) and model={self.model}"
        return DLCodeGenError(self._without_secrets(f"{self._url} answers {refusal}; {way_out}"))

    async def _prefill(self, connections: Connections) -> Prefill:
        """How the endpoint goes on with a reply, by what it says its models are owned by."""
        owners = [str(item.get("owned_by")).lower() for item in await self._listed(connections)]
        return _PREFILL_OF.get(owners[0], "none") if owners else "none"

    async def _models(self, connections: Connections) -> list[str]:
        """The names of the endpoint's models, if it tells."""
        names = sorted(str(item["id"]) for item in await self._listed(connections))
        return [*names[:_MODELS_SHOWN], *["..."] * (len(names) > _MODELS_SHOWN)]

    async def _listed(self, connections: Connections) -> list[dict[str, Any]]:
        """What the endpoint says of its models; nothing where it says nothing."""
        try:
            with connections.client() as client:
                response = await client.get("/models", timeout=_MODELS_SECONDS)
            listed = orjson.loads(response.content)["data"]
            return [item for item in listed if isinstance(item, dict) and "id" in item]
        except (httpx.HTTPError, orjson.JSONDecodeError, KeyError, TypeError):
            return []

    @property
    def steps(self) -> tuple[str, ...]:
        """What the server did not take, and how it is asked since."""
        return tuple(self._dialect.steps)

    def _without_secrets(self, text: str) -> str:
        """A server may repeat the key it was sent, and a proxy its password; no message of ours does."""
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        return text

    async def close(self) -> None:
        """Closes the running event loop's connections. Later calls open new ones."""
        connections = self._connections.pop(asyncio.get_running_loop(), None)
        if connections is not None:
            await connections.close()
