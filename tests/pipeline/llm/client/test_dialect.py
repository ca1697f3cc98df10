"""Stepping back from what a server refuses, in the words of real servers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from pipeline.config.endpoints import Prefill
from pipeline.errors import StageFailure
from pipeline.llm.client.answers import refusal
from pipeline.llm.client.context_errors import context_counts, room_for_reply
from pipeline.llm.client.dialect import Dialect
from pipeline.llm.protocol import ChatRequest, Message, Sampling

ASKED = ChatRequest(
    messages=(Message(role="system", content="You write Keras."), Message(role="user", content="Classify owls.")),
    sampling=Sampling(temperature=1.5, top_p=1.0, max_tokens=4096, seed=0, stop=("END",)),
    schema=json.dumps({"type": "object"}),
)


def _settled(refuses: Callable[[dict[str, Any]], str]) -> dict[str, Any]:
    """The body that a server takes, which gives the reason why it refuses another."""
    dialect = Dialect()
    for _ in range(12):
        body = dialect.body("m", ASKED)
        reason = refuses(body)
        if not reason:
            assert dialect.body("m", ASKED) == body  # remembered
            return body
        assert dialect.adapt(body, reason), reason
    raise AssertionError("it never settled")


def test_what_no_server_refuses_is_sent_as_it_is() -> None:
    body = _settled(lambda body: "")
    assert {"temperature", "top_p", "seed", "stop", "max_tokens", "response_format"} <= body.keys()
    assert [message["role"] for message in body["messages"]] == ["system", "user"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("top_p", "`temperature` and `top_p` cannot both be specified for this model. Please use only one."),
        ("seed", "{'detail': [{'type': 'extra_forbidden', 'loc': ['body', 'seed'], 'msg': 'Extra inputs'}]}"),
        ("stop", "Unsupported parameter: 'stop' is not supported with this model."),
        ("top_p", "The model returned the following errors: topP is not supported"),
        ("seed", 'Invalid JSON payload received. Unknown name "seed": Cannot find field.'),
        ("stop", "Extra inputs are not permitted: stop_sequences"),
    ],
)
def test_a_parameter_that_is_refused_is_left_out(name: str, reason: str) -> None:
    assert _settled(lambda body: reason if name in body else "").keys() == _settled(lambda body: "").keys() - {name}


def test_a_temperature_steps_down_to_one_or_is_left_out() -> None:
    cooler = _settled(lambda body: "temperature: range: 0..1" if body["temperature"] > 1 else "")
    assert cooler["temperature"] == 1.0
    reason = "Unsupported value: 'temperature' does not support 1.5 with this model. Only the default (1) is supported."
    assert "temperature" not in _settled(lambda body: reason if "temperature" in body else "")


@pytest.mark.parametrize(
    "reason",
    [
        "The provided JSON schema contains features not supported by xgrammar.",
        "Failed to initialize samplers: failed to parse grammar",
        'Grammar error: Unimplemented keys: ["maxLength"]',
        "response_format is not supported by this model",
        "Invalid schema for response_format 'reply': 'additionalProperties' is required to be supplied",
        "Unsupported keyword 'maxLength' in property 'Preprocess'",
        "The specified schema produces a constraint that has too many states for serving.",
        "Failed to compile the regex for guided decoding",
        "This response format is unavailable now",
        "JSON mode is not enabled for this model",
    ],
)
def test_a_schema_that_is_refused_in_any_words_is_told_in_words(reason: str) -> None:
    body = _settled(lambda body: reason if body.get("response_format", {}).get("type") == "json_schema" else "")
    assert body["response_format"] == {"type": "json_object"}
    assert [message["role"] for message in body["messages"]] == ["system", "user"]
    assert ASKED.schema is not None
    assert body["messages"][-1]["content"].endswith(ASKED.schema)


@pytest.mark.parametrize(
    "reason",
    [
        "System role not supported",
        "Unsupported value: 'messages[0].role' does not support 'system' with this model.",
        "After the optional system message, conversation roles must alternate user/assistant/user/assistant/...",
        "Developer instruction is not enabled for models/gemma-3-27b-it",
        "messages.0.role: Input should be 'user' or 'assistant'",
        'messages: Unexpected role "system".',
        "first message must use the user role",
    ],
)
def test_without_a_system_role_the_user_says_it(reason: str) -> None:
    body = _settled(lambda body: reason if body["messages"][0]["role"] == "system" else "")
    assert body["messages"] == [{"role": "user", "content": "You write Keras.\n\nClassify owls."}]


@pytest.mark.parametrize(
    "reason",
    [
        "max_tokens is too large: 4096. This model supports at most 2048 completion tokens.",
        "max_tokens: 4096 > 2048, which is the maximum allowed number of output tokens for claude-3-opus-20240229",
        "`max_tokens` must be less than or equal to `2048`, the maximum value for `max_tokens` is less than the",
        "Invalid max_tokens value, the valid range of max_tokens is [1, 2048]",
        "<400> InternalError.Algo.InvalidParameter: Range of max_tokens should be [1, 2048]",
        "max_tokens exceeds the model's limit of 2,048",
        "The maximum allowed max_tokens is 2048.",
        "max_tokens is too large for this model",
    ],
)
def test_replies_keep_to_what_the_model_writes_at_most(reason: str) -> None:
    assert _settled(lambda body: reason if body["max_tokens"] > 2048 else "")["max_tokens"] == 2048


def test_the_room_that_a_server_names_is_read() -> None:
    said = "This model's maximum context length is 4096 tokens and your request has 11 input tokens (4096 > 4096 - 11)."
    assert room_for_reply(said) == 4085
    assert Dialect().body("m", ASKED, room=4085)["max_tokens"] == 4085
    other = "maximum context length is 4096 tokens. However, you requested 5000 tokens (904 in the messages, 4096 in"
    assert room_for_reply(other.replace("904 in the", "904 tokens in the")) == 3192
    assert room_for_reply(said.replace("has 11", "has 5000")) is None
    assert room_for_reply(said.replace("has 11", "has 4000")) is None, "too little for a reply"
    assert room_for_reply(said.replace("4096 tokens", "64 tokens").replace("has 11", "has 40")) == 24


def test_where_the_server_stopped_counting_the_prompt_is_not_its_length() -> None:
    said = (
        "This model's maximum context length is 8192 tokens. However, you requested 2000 output tokens and your prompt "
        "contains at least 6193 input tokens, for a total of at least 8193 tokens. Please reduce the length of the "
        "input prompt or the number of requested output tokens. (parameter=input_tokens, value=6193)"
    )
    assert room_for_reply(said) is None
    refused = refusal(400, said)
    assert isinstance(refused, StageFailure)
    assert refused.kind == "llm_context"


@pytest.mark.parametrize(
    ("said", "context", "prompt"),
    [
        ("request (9000 tokens) exceeds the available context size (4096 tokens), try increasing it", 4096, 9000),
        ("The input (9000 tokens) is longer than the model's context length (4096 tokens).", 4096, 9000),
        ("`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 3900 `inputs` tokens and 300", 4096, 3900),
        ("prompt is too long: 210000 tokens > 200000 maximum", 200_000, 210_000),
        ("input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000", 200_000, 190_000),
        ("Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
         32_768, 40_000),
        ("The input token count (1100000) exceeds the maximum number of tokens allowed (1048576).",
         1_048_576, 1_100_000),
        ("This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
         8192, 9000),
    ],
)  # fmt: skip
def test_a_context_that_is_too_short_is_known_by_each_server_s_words(said: str, context: int, prompt: int) -> None:
    counts = context_counts(said)
    assert counts is not None
    assert (counts.context, counts.prompt) == (context, prompt)
    refused = refusal(400, said)
    if prompt > context:
        assert isinstance(refused, StageFailure)
        assert refused.kind == "llm_context"
    else:
        assert room_for_reply(said) == context - prompt


def test_a_server_that_did_not_count_the_prompt_is_asked_for_half_of_its_context() -> None:
    """vLLM 0.29 takes the longest reply off first, which leaves nothing to count in."""
    said = (
        "This model's maximum context length is 4096 tokens. However, you requested 4096 output tokens and your prompt "
        "contains at least 1 input tokens, for a total of at least 4097 tokens."
    )
    assert room_for_reply(said) == 2048


def test_what_is_refused_for_another_reason_stays_refused() -> None:
    dialect = Dialect()
    assert not dialect.adapt(dialect.body("m", ASKED), "the model is overloaded with opinions")


def test_what_is_left_out_by_the_settings_is_not_sent() -> None:
    bare = ChatRequest(messages=ASKED.messages, sampling=Sampling(top_p=None, seed=None))
    assert not {"top_p", "seed"} & Dialect().body("m", bare).keys()


CUT = ChatRequest(
    messages=(
        Message(role="user", content="Write a program."),
        Message(role="assistant", content="import ker"),
        Message(role="user", content="Go on."),
    ),
    continues=True,
)


@pytest.mark.parametrize(
    ("prefill", "last", "fields"),
    [
        ("continue_final_message", {"role": "assistant", "content": "import ker"},
         {"continue_final_message": True, "add_generation_prompt": False}),
        ("prefix", {"role": "assistant", "content": "import ker", "prefix": True}, {}),
        ("last_message", {"role": "assistant", "content": "import ker"}, {}),
        ("none", {"role": "user", "content": "Go on."}, {}),
        ("auto", {"role": "user", "content": "Go on."}, {}),
    ],
)  # fmt: skip
def test_a_server_goes_on_with_a_reply_in_its_own_way(prefill: Prefill, last: dict[str, Any], fields: Any) -> None:
    dialect = Dialect(prefill=prefill)
    body = dialect.body("m", CUT)
    assert body["messages"][-1] == last
    assert {name: body[name] for name in ("continue_final_message", "add_generation_prompt") if name in body} == fields
    assert dialect.goes_on(CUT) == (last["role"] == "assistant")
    assert "continue_final_message" not in dialect.body("m", ASKED)


@pytest.mark.parametrize(
    "reason",
    [
        "Assistant response prefill is incompatible with enable_thinking.",
        "This model does not support assistant message prefill. The conversation must end with a user message.",
        "body.continue_final_message: Extra inputs are not permitted",
        "Expected last role User or Tool (or Assistant with prefix True) for serving but got assistant",
        "The final message in the conversation must be from the user",
    ],
)
def test_a_server_that_cannot_go_on_is_asked_in_words(reason: str) -> None:
    dialect = Dialect(prefill="continue_final_message")
    assert dialect.adapt(dialect.body("m", CUT), reason)
    assert dialect.body("m", CUT)["messages"][-1]["role"] == "user"
    assert not dialect.goes_on(CUT)
    assert len(dialect.steps) == 1


def test_each_step_back_is_said_once() -> None:
    dialect = Dialect()
    for _ in range(3):
        dialect.adapt({"seed": 0, "messages": [{"role": "user"}]}, "seed: Extra inputs are not permitted")
    assert dialect.steps == ["does not take seed: asked without from now on"]
