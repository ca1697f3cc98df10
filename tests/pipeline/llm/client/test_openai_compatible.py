"""The OpenAI-compatible client against a real server on loopback that misbehaves."""

from __future__ import annotations

import asyncio
import logging
import math
import random
import time
from collections.abc import Iterable
from typing import Any

import pytest

from pipeline.config import LimitSettings, LLMSettings
from pipeline.errors import DLCodeGenError, StageFailure
from pipeline.llm.client.openai_compatible import OpenAICompatibleLLM
from pipeline.llm.protocol import ChatReply, ChatRequest, Message, Sampling
from tests.pipeline.llm.client.fault_server import MODEL, Fault, FaultServer, completion, echo
from tests.waiting import scaled


def request(text: str = "hello", **fields: Any) -> ChatRequest:
    return ChatRequest(messages=(Message(role="user", content=text),), **fields)


def client(server: FaultServer, *, limits: LimitSettings | None = None, **settings: Any) -> OpenAICompatibleLLM:
    chosen = {"model": MODEL} | settings
    return OpenAICompatibleLLM(
        LLMSettings(backend="openai", base_url=server.url, limits=limits or LimitSettings(), **chosen)
    )


def ask(llm: OpenAICompatibleLLM, requests: Iterable[ChatRequest]) -> list[ChatReply | BaseException]:
    async def run() -> list[ChatReply | BaseException]:
        try:
            return await asyncio.gather(*map(llm.chat, requests), return_exceptions=True)
        finally:
            await llm.close()

    return asyncio.run(run())


def reply_of(llm: OpenAICompatibleLLM, wanted: ChatRequest) -> ChatReply:
    (reply,) = ask(llm, [wanted])
    if isinstance(reply, BaseException):
        raise reply
    return reply


def test_a_request_is_put_and_its_reply_read_in_full() -> None:
    def answer(body: dict[str, Any]) -> dict[str, Any]:
        whole = completion("two words", finish="length")
        whole["choices"][0]["logprobs"] = {"content": [{"logprob": -0.5}, {"logprob": -1.5}]}
        return whole

    sampling = Sampling(temperature=1.5, top_p=0.9, max_tokens=64, seed=7, stop=("END",))
    with FaultServer(answer=answer).running() as server:
        reply = reply_of(client(server), request(sampling=sampling, logprobs=True))
    assert server.seen[0].body == {
        "model": MODEL,
        "messages": [{"role": "user", "content": "hello"}],
        "temperature": 1.5,
        "top_p": 0.9,
        "max_tokens": 64,
        "seed": 7,
        "stop": ["END"],
        "logprobs": True,
    }
    assert (reply.text, reply.finish_reason, reply.token_logprobs) == ("two words", "length", (-0.5, -1.5))
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens, reply.usage.cached_tokens) == (7, 2, 3)
    assert reply.seconds > 0
    assert not reply.cached


def test_deepseeks_count_of_cached_tokens_is_read() -> None:
    usage = {"prompt_tokens": 90, "completion_tokens": 1, "prompt_cache_hit_tokens": 64}
    with FaultServer(answer=lambda body: completion("x", usage=usage)).running() as server:
        assert reply_of(client(server), request()).usage.cached_tokens == 64


@pytest.mark.parametrize(
    "fault", ["429", "408", "500", "503", "reset", "drop", "cut-off", "bad-json", "no-choices", "out-of-resources"]
)
def test_what_was_not_answered_is_asked_again_under_the_same_key(fault: Fault) -> None:
    with FaultServer(faults=[fault, fault]).running() as server:
        reply = reply_of(client(server), request())
    assert reply.text == "reply to hello"
    assert server.served == {fault: 2, "good": 1}
    assert len({seen.headers["idempotency-key"] for seen in server.seen}) == 1


def test_two_calls_have_two_idempotency_keys() -> None:
    with FaultServer().running() as server:
        ask(client(server), [request(), request()])
    assert len({seen.headers["idempotency-key"] for seen in server.seen}) == 2


@pytest.mark.parametrize("fault", ["429", "429-date"])
def test_retry_after_is_waited_for(fault: Fault) -> None:
    with FaultServer(faults=[fault], retry_after=1.0).running() as server:
        assert reply_of(client(server), request()).seconds >= 1.0


def test_a_stalled_answer_is_given_up_and_asked_again() -> None:
    limits = LimitSettings(attempt_seconds=scaled(0.3))
    with FaultServer(faults=["stall"]).running() as server:
        assert reply_of(client(server, limits=limits), request()).text == "reply to hello"


def test_a_call_ends_within_its_time() -> None:
    limits = LimitSettings(attempt_seconds=0.2, call_seconds=0.5, retries=50)
    with (
        FaultServer(faults=["stall"] * 50).running() as server,
        pytest.raises(StageFailure, match="no answer") as failure,
    ):
        reply_of(client(server, limits=limits), request())
    assert failure.value.kind == "llm_timeout"
    assert 1 <= server.served["stall"] <= 3


def test_the_last_attempts_reason_is_the_rows() -> None:
    with (
        FaultServer(faults=["500"] * 9).running() as server,
        pytest.raises(StageFailure, match="3 attempts") as failure,
    ):
        reply_of(client(server, limits=LimitSettings(retries=2, outage_seconds=0)), request())
    assert failure.value.kind == "llm_unavailable"
    assert "500: trouble" in str(failure.value)
    assert server.url in str(failure.value)


def test_a_wrong_model_fails_at_once_and_names_the_models_there_are() -> None:
    with FaultServer().running() as server:
        llm = client(server, model="wrong-model")
        outcomes = ask(llm, [request(str(number)) for number in range(5)])
        assert ask(llm, [request("later")])[0] is not None
    assert all(isinstance(outcome, DLCodeGenError) for outcome in outcomes)
    assert "good-model, other-model" in str(outcomes[0])
    assert "model=wrong-model" in str(outcomes[0])
    assert len(server.seen) <= 5, "known to be hopeless, no further call is made"


def test_a_base_url_without_v1_is_explained() -> None:
    with FaultServer().running() as server:
        server.url = server.url.removesuffix("/v1")
        with pytest.raises(DLCodeGenError, match="is /v1 missing"):
            reply_of(client(server), request())


def test_credit_that_is_used_up_ends_the_job() -> None:
    with FaultServer(faults=["quota"]).running() as server, pytest.raises(DLCodeGenError, match="nothing left"):
        reply_of(client(server), request())


def test_the_key_comes_from_the_environment_and_never_shows(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MY_KEY", "sk-secret-123")
    with caplog.at_level(logging.DEBUG):
        with FaultServer(key="sk-secret-123").running() as server:
            assert reply_of(client(server, api_key_env="MY_KEY"), request()).text == "reply to hello"
        with FaultServer(key="another").running() as server, pytest.raises(DLCodeGenError) as error:
            reply_of(client(server, api_key_env="MY_KEY"), request())
    assert "$MY_KEY" in str(error.value)
    assert "sk-secret-123" not in str(error.value) + caplog.text


def test_the_addresss_secrets_are_sent_and_never_show(caplog: pytest.LogCaptureFixture) -> None:
    secrets = ("some-user", "pass%40word-1", "pass@word-1", "token-9876", "2026-01")
    with caplog.at_level(logging.DEBUG), FaultServer(faults=[None, "quota"]).running() as server:
        host = server.url.removeprefix("http://")
        address = f"http://some-user:pass%40word-1@{host}?api-version=2026-01&key=token-9876#frag"
        llm = OpenAICompatibleLLM(LLMSettings(backend="openai", base_url=address, model=MODEL, api_key_env="NONE_SET"))
        assert reply_of(llm, request()).text == "reply to hello"
        assert server.seen[0].path == "/v1/chat/completions?api-version=2026-01&key=token-9876"
        assert server.seen[0].headers["authorization"].startswith("Basic ")
        with pytest.raises(DLCodeGenError) as error:
            reply_of(llm, request())
    nowhere = LLMSettings(backend="openai", base_url="http://some-user:token-9876@[::1", model=MODEL)
    with pytest.raises(DLCodeGenError, match="is no address") as no_address:
        OpenAICompatibleLLM(nowhere)
    for secret in secrets:
        assert secret not in str(error.value) + str(no_address.value) + caplog.text
    assert "http://***@127.0.0.1" in str(error.value)


def test_a_proxys_password_never_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://me:proxy-password@127.0.0.1:9")
    limits = LimitSettings(retries=0)
    llm = OpenAICompatibleLLM(LLMSettings(backend="openai", base_url="http://h.invalid/v1", model=MODEL, limits=limits))
    (failure,) = ask(llm, [request()])
    assert isinstance(failure, StageFailure)
    assert "proxy-password" not in str(failure)


def test_a_missing_key_is_named() -> None:
    with FaultServer(key="one").running() as server, pytest.raises(DLCodeGenError, match=r"\$NO_SUCH_KEY is not set"):
        reply_of(client(server, api_key_env="NO_SUCH_KEY"), request())


def test_a_prompt_that_is_too_long_fails_its_row_without_a_retry() -> None:
    with FaultServer(faults=["context"]).running() as server, pytest.raises(StageFailure) as failure:
        reply_of(client(server), request())
    assert failure.value.kind == "llm_context"
    assert len(server.seen) == 1


SCHEMA = '{"type": "object", "properties": {"a": {"type": "integer"}}}'


def test_a_schema_is_sent_as_json_schema() -> None:
    with FaultServer().running() as server:
        reply_of(client(server), request(schema=SCHEMA))
    sent = server.seen[0].body["response_format"]
    assert sent["type"] == "json_schema"
    assert sent["json_schema"]["schema"]["properties"] == {"a": {"type": "integer"}}


@pytest.mark.parametrize(("knows", "refusals"), [(("json_object",), 1), ((), 2)])
def test_a_server_without_json_schema_is_told_it_in_words_from_then_on(knows: tuple[str, ...], refusals: int) -> None:
    with FaultServer(knows=knows).running() as server:
        llm = client(server)
        assert reply_of(llm, request(schema=SCHEMA)).text
        assert reply_of(llm, request(schema=SCHEMA)).text
    assert len(server.seen) == refusals + 2
    last = server.seen[-1].body
    assert last.get("response_format", {}).get("type") in (*knows, None)
    assert SCHEMA in last["messages"][-1]["content"]


def test_guided_json_is_sent_where_it_is_asked_for() -> None:
    with FaultServer().running() as server:
        reply_of(client(server, structured="guided_json"), request(schema=SCHEMA))
    assert server.seen[0].body["guided_json"]["type"] == "object"


@pytest.mark.parametrize(
    ("owned_by", "goes_on"), [("vllm", True), ("llamacpp", True), ("openai", False), (None, False)]
)
def test_a_server_that_can_go_on_with_a_reply_is_known_by_its_models(owned_by: str | None, goes_on: bool) -> None:
    said = [("user", "write"), ("assistant", "import ker"), ("user", "go on")]
    messages = tuple(Message(role=role, content=text) for role, text in said)  # type: ignore[arg-type]
    with FaultServer(owned_by=owned_by).running() as server:
        reply = reply_of(client(server), ChatRequest(messages=messages, continues=True))
    assert reply.goes_on == goes_on
    assert server.seen[0].body["messages"][-1]["role"] == ("assistant" if goes_on else "user")
    assert server.seen[0].body.get("continue_final_message", False) == (owned_by == "vllm")


def test_one_client_serves_several_event_loops() -> None:
    with FaultServer().running() as server:
        llm = client(server)
        assert [reply_of(llm, request(str(number))).text for number in range(3)] == [f"reply to {n}" for n in range(3)]


def test_no_more_calls_are_under_way_than_allowed() -> None:
    with FaultServer(seconds=lambda body: 0.02).running() as server:
        replies = ask(client(server, limits=LimitSettings(concurrency=4)), [request(str(n)) for n in range(40)])
    assert all(isinstance(reply, ChatReply) for reply in replies)
    assert server.most_in_flight == 4


def test_every_call_ends_as_a_reply_or_a_reasoned_failure_whatever_happens() -> None:
    random.seed(5)
    kinds: list[Fault] = ["429", "500", "reset", "cut-off", "bad-json", "no-choices", "stall", "context"]
    faults = random.choices([*kinds, *[None] * len(kinds)], k=250)
    limits = LimitSettings(attempt_seconds=scaled(0.5), retries=4)
    slow_and_fast = FaultServer(faults=faults, seconds=lambda body: random.choice([0.0, 0.0, 0.2]))
    with slow_and_fast.running() as server:
        outcomes = ask(client(server, limits=limits), [request(str(number)) for number in range(150)])
    for number, outcome in enumerate(outcomes):
        if isinstance(outcome, ChatReply):
            assert outcome.text == f"reply to {number}", "nobody gets another's reply"
        else:
            assert isinstance(outcome, StageFailure)
            assert outcome.kind.startswith("llm_")
            assert str(outcome)
    assert sum(isinstance(outcome, ChatReply) for outcome in outcomes) > 100


def test_errors_cost_their_own_calls_only() -> None:
    """5% errors, each with a second or more of Retry-After: the others must not stand in line behind those."""
    retry_after = float(math.ceil(scaled(1.0)))
    faults: list[Fault | None] = ["429" if number % 20 == 0 else None for number in range(200)]
    with FaultServer(faults=faults, seconds=lambda body: 0.01, retry_after=retry_after).running() as server:
        llm = client(server, limits=LimitSettings(concurrency=4))
        replies = [reply for reply in ask(llm, [request(str(n)) for n in range(200)]) if isinstance(reply, ChatReply)]
    assert len(replies) == 200
    assert len(server.seen) == 210, "one more request for each error, and no other"
    assert server.served["good"] == 200
    assert sum(reply.seconds >= retry_after for reply in replies) == 10


def test_a_dead_endpoint_is_left_alone_and_rows_fail_with_the_reason() -> None:
    with FaultServer().running() as server:
        pass
    limits = LimitSettings(retries=2, breaker_failures=5, outage_seconds=0.5, concurrency=8)
    outcomes = ask(client(server, limits=limits), [request(str(number)) for number in range(100)])
    assert all(isinstance(outcome, StageFailure) and outcome.kind == "llm_unavailable" for outcome in outcomes)
    assert server.url in str(outcomes[-1])


@pytest.mark.parametrize("calls", [1, 4, 32])
def test_rows_wait_for_an_endpoint_that_is_down_however_many_are_under_way(calls: int) -> None:
    with FaultServer().running() as server:
        pass
    patience = 1.5
    limits = LimitSettings(retries=1, breaker_failures=5, outage_seconds=patience)
    start = time.monotonic()
    outcomes = ask(client(server, limits=limits), [request(str(number)) for number in range(calls)])
    seconds = time.monotonic() - start
    assert all(isinstance(outcome, StageFailure) and outcome.kind == "llm_unavailable" for outcome in outcomes)
    assert patience - 0.2 <= seconds <= patience + scaled(2.0)


@pytest.mark.parametrize("calls", [1, 32])
def test_an_endpoint_that_is_back_in_time_costs_no_row(calls: int) -> None:
    """Down for more attempts than a call has."""
    limits = LimitSettings(retries=1, breaker_failures=5, outage_seconds=scaled(60))
    with FaultServer(faults=["503"] * (calls + 2)).running() as server:
        outcomes = ask(client(server, limits=limits), [request(str(number)) for number in range(calls)])
    assert [outcome.text for outcome in outcomes if isinstance(outcome, ChatReply)] == [
        f"reply to {number}" for number in range(calls)
    ]


def test_a_request_that_a_server_cannot_do_is_given_up_while_it_answers_others() -> None:
    def answer(body: dict[str, Any]) -> dict[str, Any]:
        if body["messages"][-1]["content"] == "poison":
            raise ConnectionError
        return echo(body)

    limits = LimitSettings(retries=2, outage_seconds=60)
    with FaultServer(answer=answer).running() as server:
        llm = client(server, limits=limits)

        async def run() -> BaseException | ChatReply:
            poisoned = asyncio.create_task(llm.chat(request("poison")))
            while not poisoned.done():
                await llm.chat(request("good"))
                await asyncio.sleep(0.01)
            await llm.close()
            return poisoned.exception() or poisoned.result()

        outcome = asyncio.run(run())
    assert isinstance(outcome, StageFailure)
    assert outcome.kind == "llm_unavailable"
    assert sum(seen.body["messages"][-1]["content"] == "poison" for seen in server.seen) == 3


def test_an_endpoint_that_comes_back_is_used_again() -> None:
    limits = LimitSettings(breaker_failures=5, concurrency=8)
    with FaultServer(faults=["503"] * 9).running() as server:
        outcomes = ask(client(server, limits=limits), [request(str(number)) for number in range(40)])
    assert all(isinstance(outcome, ChatReply) for outcome in outcomes)
    assert server.served == {"503": 9, "good": 40}
