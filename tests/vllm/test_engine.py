"""The real engine through Ray Serve: by handle and over HTTP, held to schemas, killed in mid-batch."""

from __future__ import annotations

import asyncio
import json
import math
import os
import signal
from collections.abc import Sequence
from typing import Any

import psutil
import pytest

pytest.importorskip("vllm", reason="needs the `cpu` extra")

import torch
from ray import serve

from jobs.generation.model_presets import engine_settings
from pipeline.config import LLMSettings
from pipeline.errors import DLCodeGenError, StageFailure
from pipeline.llm.client.openai_compatible import OpenAICompatibleLLM
from pipeline.llm.protocol import LLM, ChatReply, ChatRequest, Message, Sampling
from pipeline.plan.solution_plan import SolutionPlan, bounded_plan_schema
from serving.code_llm import APP, deployment_name, served_name
from serving.serve_llm import ServeLLM

PLAN_TOKENS = 3000


def request(text: str, *, max_tokens: int = 16, temperature: float = 1.0, seed: int = 0, **fields: Any) -> ChatRequest:
    messages = (Message(role="system", content="You write Keras projects."), Message(role="user", content=text))
    sampling = Sampling(max_tokens=max_tokens, temperature=temperature, seed=seed)
    return ChatRequest(messages=messages, sampling=sampling, **fields)


def ask(llm: LLM, requests: Sequence[ChatRequest]) -> list[ChatReply]:
    async def run() -> list[ChatReply]:
        return await asyncio.gather(*map(llm.chat, requests))

    return asyncio.run(run())


def plan_requests(count: int) -> list[ChatRequest]:
    schema = json.dumps(bounded_plan_schema())
    return [
        request("Plan a classifier.", max_tokens=PLAN_TOKENS, temperature=1.5, seed=n, schema=schema)
        for n in range(count)
    ]


def test_a_reply_has_its_text_tokens_and_reason_to_end(llm: ServeLLM) -> None:
    (reply,) = ask(llm, [request("Write a layer.", logprobs=True)])
    assert reply.text
    assert reply.finish_reason == "length"
    assert (reply.usage.completion_tokens, reply.cached) == (16, False)
    assert reply.token_logprobs is not None
    assert len(reply.token_logprobs) == 16
    assert all(-math.inf < value <= 0 for value in reply.token_logprobs)


def test_a_reply_is_streamed_with_the_tokens_counted_so_far(llm: ServeLLM, settings: LLMSettings) -> None:
    name = served_name(engine_settings(settings).model)
    handle = serve.get_deployment_handle(deployment_name(engine_settings(settings).model), APP)
    body = {
        "model": name,
        "messages": [{"role": "user", "content": "Write a layer."}],
        "max_tokens": 16,
        "stream": True,
        "stream_options": {"include_usage": True, "continuous_usage_stats": True},
    }
    chunks: list[dict[str, Any]] = list(handle.options(stream=True).stream.remote(body))
    assert "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks if chunk["choices"])
    assert chunks[-1]["usage"]["completion_tokens"] == 16
    assert all(chunk.get("usage") for chunk in chunks)
    (refused,) = handle.options(stream=True).stream.remote(
        body | {"messages": [{"role": "user", "content": "x " * 9000}]}
    )
    assert refused["error"]["code"] == 400


def test_equal_seeds_give_equal_replies_and_other_seeds_others(llm: ServeLLM) -> None:
    first, again, other = ask(llm, [request("Write.", seed=seed) for seed in (1, 1, 2)])
    assert first.text == again.text != other.text


@pytest.mark.skipif(
    not torch.cpu._is_amx_tile_supported(), reason="vLLM has no prefix cache for latent attention on a CPU without AMX"
)
def test_prompts_that_begin_alike_share_the_engines_work(llm: ServeLLM) -> None:
    shared = "The sample to adapt: " + "model.add(Dense(64))\n" * 30
    (first,) = ask(llm, [request(shared + "Sort buttons.")])
    (second,) = ask(llm, [request(shared + "Forecast bread sales.")])
    assert first.usage.cached_tokens < second.usage.cached_tokens
    assert second.usage.cached_tokens > 0.8 * second.usage.prompt_tokens


def test_plans_held_to_the_schema_are_plans_even_from_random_weights(llm: ServeLLM) -> None:
    replies = ask(llm, plan_requests(8))
    plans = [SolutionPlan.model_validate_json(reply.text) for reply in replies]
    assert [reply.finish_reason for reply in replies] == ["stop"] * 8
    assert all(plan.layers and plan.hyperparameters.epochs for plan in plans)
    assert len(set(plans)) == 8


def test_a_prompt_longer_than_the_context_fails_with_the_reason(llm: ServeLLM) -> None:
    with pytest.raises(StageFailure, match="4096") as failure:
        ask(llm, [request("word " * 5000)])
    assert failure.value.kind == "llm_context"


def test_a_schema_that_is_none_is_refused(llm: ServeLLM) -> None:
    with pytest.raises(StageFailure) as failure:
        ask(llm, [request("Plan.", schema='{"type": "nonsense"}')])
    assert failure.value.kind == "llm_refused"


def test_the_http_client_gets_what_the_handle_gets(llm: ServeLLM, base_url: str) -> None:
    over_http = OpenAICompatibleLLM(LLMSettings(backend="openai", base_url=base_url, model=llm.model))
    wanted = [request("Write.", seed=3, logprobs=True), *plan_requests(1)]
    for each in wanted:  # alone, since rounding depends on what else is in the batch
        (by_handle,), (by_http,) = ask(llm, [each]), ask(over_http, [each])
        assert by_http.text == by_handle.text
        assert by_http.token_logprobs == by_handle.token_logprobs
        assert by_http.usage.completion_tokens == by_handle.usage.completion_tokens


def test_a_wrong_model_name_is_answered_with_the_models_there_are(base_url: str, llm: ServeLLM) -> None:
    wrong = OpenAICompatibleLLM(LLMSettings(backend="openai", base_url=base_url, model="no-such-model"))
    with pytest.raises(DLCodeGenError, match=llm.model):
        ask(wrong, [request("Write.")])


def test_an_engine_killed_in_mid_batch_costs_no_row(llm: ServeLLM) -> None:
    """The last test: it takes the only replica away, and Serve starts a new one."""

    async def run() -> list[ChatReply]:
        batch = asyncio.gather(*[llm.chat(request(f"Row {n}.", max_tokens=400, seed=n)) for n in range(24)])
        await asyncio.sleep(1)
        os.kill(replica_pid(), signal.SIGKILL)
        return await batch

    replies = asyncio.run(run())
    assert len(replies) == 24
    assert all(reply.text for reply in replies)
    assert any(reply.seconds > 5 for reply in replies), "some had to wait for the new replica"


def replica_pid() -> int:
    """The process of this machine's replica, as Ray names it, under this test's own Ray."""
    names = {process.pid: " ".join(process.cmdline()) for process in psutil.Process().children(recursive=True)}
    return next(pid for pid, name in names.items() if "ServeReplica" in name and "CodeLLMServer" in name)
