"""The client by handle, against a deployment that costs nothing: the same calls as to an engine, no engine."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from ray import serve

from pipeline.config import LimitSettings
from pipeline.errors import DLCodeGenError, StageFailure
from pipeline.llm.protocol import ChatReply, ChatRequest, Message
from serving.serve_llm import ServeLLM

pytestmark = pytest.mark.ray
APP = "echo"


class Echo:
    """Speaks as `CodeLLMServer` does; what it says is the request's last words and its own process id."""

    async def complete(self, body: dict[str, Any]) -> dict[str, Any]:
        words = body["messages"][-1]["content"]
        if words.startswith("error"):
            _, code, message = words.split(" ", 2)
            return {"error": {"code": int(code), "message": message}}
        if words == "fit" and body["max_tokens"] > 100:
            message = "This model's maximum context length is 128 tokens and your request has 28 input tokens."
            return {"error": {"code": 400, "message": message}}
        if words == "bug":
            raise ZeroDivisionError("in the engine")
        await asyncio.sleep(5 if words == "stall" else 0.4)
        message = {"role": "assistant", "content": f"{words} {os.getpid()}"}
        return {"choices": [{"message": message, "finish_reason": "length"}], "usage": {"prompt_tokens": 3}}


@pytest.fixture(scope="module")
def echo() -> Iterator[None]:
    deployment = serve.deployment(
        Echo, num_replicas=2, max_ongoing_requests=100, ray_actor_options={"num_cpus": 0.1}, health_check_period_s=1
    )
    serve.run(deployment.bind(), name=APP, route_prefix=None)
    yield
    serve.shutdown()


def ask(llm: ServeLLM, *texts: str) -> list[ChatReply | BaseException]:
    async def run() -> list[ChatReply | BaseException]:
        requests = [ChatRequest(messages=(Message(role="user", content=text),)) for text in texts]
        return await asyncio.gather(*map(llm.chat, requests), return_exceptions=True)

    return asyncio.run(run())


def client(app: str = APP, **limits: Any) -> ServeLLM:
    return ServeLLM("model@1", "model", app, LimitSettings(**limits))


def test_replies_come_back_in_every_event_loop(echo: None) -> None:
    llm = client()
    for _ in range(2):
        (reply,) = ask(llm, "hello")
        assert isinstance(reply, ChatReply)
        assert reply.text.startswith("hello ")
        assert (reply.finish_reason, reply.usage.prompt_tokens) == ("length", 3)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("error 400 This model's maximum context length is 64 tokens.", "llm_context"),
        ("error 400 Invalid schema", "llm_refused"),
        ("error 500 out of memory", "llm_unavailable"),
        ("bug", "llm_engine"),
        ("stall", "llm_timeout"),
    ],
)
def test_what_fails_has_a_reason(echo: None, text: str, kind: str) -> None:
    (failure,) = ask(client(retries=1, attempt_seconds=1, outage_seconds=0), text)
    assert isinstance(failure, StageFailure)
    assert failure.kind == kind
    assert "model@1" in str(failure) or kind == "llm_context"


def test_a_reply_is_fitted_to_the_room_that_the_engine_names(echo: None) -> None:
    (reply,) = ask(client(), "fit")
    assert isinstance(reply, ChatReply)
    assert reply.text.startswith("fit ")


def test_an_application_that_does_not_run_is_named(echo: None) -> None:
    (error,) = ask(client("nothing"), "hello")
    assert isinstance(error, DLCodeGenError)
    assert "nothing" in str(error)


def test_a_replica_killed_in_mid_batch_costs_no_row(echo: None) -> None:
    llm = client()

    async def run() -> tuple[set[str], list[ChatReply]]:
        requests = [ChatRequest(messages=(Message(role="user", content=f"row{n}"),)) for n in range(60)]
        first = await asyncio.gather(*map(llm.chat, requests[:20]))
        pids = {reply.text.split()[1] for reply in first}
        batch = asyncio.gather(*map(llm.chat, requests))
        await asyncio.sleep(0.2)
        os.kill(int(min(pids)), signal.SIGKILL)
        return pids, await batch

    pids, replies = asyncio.run(run())
    assert len(pids) == 2
    assert [reply.text.split()[0] for reply in replies] == [f"row{n}" for n in range(60)]
    assert min(pids) not in {reply.text.split()[1] for reply in replies}, "those of the killed one were made again"
