"""The language model behind a Serve handle: what the batch stages call from Ray's workers."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from ray import serve
from ray.exceptions import RayActorError, RayError
from ray.serve.exceptions import BackPressureError, RayServeException
from ray.serve.handle import DeploymentHandle

from pipeline.config import LimitSettings
from pipeline.errors import DLCodeGenError
from pipeline.llm.client.answers import read_reply, refusal
from pipeline.llm.client.context_errors import room_for_reply
from pipeline.llm.client.dialect import Dialect
from pipeline.llm.client.retrying import Retrying, Transient
from pipeline.llm.protocol import ChatReply, ChatRequest


class ServeLLM:
    """The model of a Serve application, by the `complete` method of its deployment (`CodeLLMServer`). It is `model` to
    us, in the response cache for one, and `served` to the engine.

    A call whose replica dies is made again on another one; while there is none, calls wait for it within their time.
    Needs to run on the Ray cluster of the application.
    """

    def __init__(
        self, model: str, served: str, app: str, limits: LimitSettings, *, deployment: str | None = None
    ) -> None:
        self.model = model
        self._served, self._app, self._deployment = served, app, deployment
        self._dialect = Dialect("json_schema", "continue_final_message")
        self._retrying = Retrying(f"the engine of {model}", limits)
        self._handle: DeploymentHandle | None = None

    async def chat(self, request: ChatRequest) -> ChatReply:
        """The model's reply. Raises StageFailure `llm_unavailable`, `llm_busy`, `llm_timeout` or `llm_engine` after the
        last attempt, `llm_context` for a prompt that is too long, `llm_refused` for a request it does not take."""
        return await self._retrying.call(partial(self._attempt, request))

    async def _attempt(self, request: ChatRequest, seconds: float) -> ChatReply:
        return await self._dialect.ask(
            self._served,
            request,
            partial(self._send, seconds),
            partial(self._steps_back, request),
            f"the engine of {self.model}",
        )

    async def _send(self, seconds: float, body: dict[str, Any]) -> ChatReply:
        try:
            async with asyncio.timeout(seconds):
                answer: dict[str, Any] = await self._connected().complete.remote(body)
        except TimeoutError as error:
            raise Transient(f"no answer within {seconds:.3g} s", kind="llm_timeout", alive=True) from error
        except BackPressureError as error:
            raise Transient("the line is full", kind="llm_busy", alive=True) from error
        except (RayActorError, RayServeException) as error:
            raise Transient(f"its replica is gone ({type(error).__name__})", kind="llm_unavailable") from error
        except RayError as error:
            lines = [line for line in str(error).splitlines() if line.strip()]
            raise Transient(f"the engine failed ({lines[-1].strip()})", kind="llm_engine") from error
        if problem := answer.get("error"):
            raise refusal(int(problem.get("code") or 500), str(problem.get("message")))
        return read_reply(answer)

    def _steps_back(self, request: ChatRequest, body: dict[str, Any], reason: str) -> bool:
        """Whether the engine may be asked again: it takes all but going on with some replies that were cut off."""
        return self._dialect.goes_on(request) and room_for_reply(reason) is None and self._dialect.adapt(body, reason)

    def _connected(self) -> DeploymentHandle:
        if self._handle is None:
            try:
                if self._deployment is None:
                    self._handle = serve.get_app_handle(self._app)
                else:
                    self._handle = serve.get_deployment_handle(self._deployment, self._app)
            except RayServeException as error:
                raise DLCodeGenError(f"no engine runs as {self._app} on this cluster ({error})") from error
        return self._handle
