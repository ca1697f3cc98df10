"""Stepping back from what a server refuses, in the words of real servers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from pipeline.errors import StageFailure
from pipeline.llm.client.answers import refusal, room_for_reply
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
    ],
)
def test_without_a_system_role_the_user_says_it(reason: str) -> None:
    body = _settled(lambda body: reason if body["messages"][0]["role"] == "system" else "")
    assert body["messages"] == [{"role": "user", "content": "You write Keras.\n\nClassify owls."}]


def test_replies_keep_to_what_the_model_writes_at_most() -> None:
    reason = "max_tokens is too large: 4096. This model supports at most 2048 completion tokens."
    assert _settled(lambda body: reason if body["max_tokens"] > 2048 else "")["max_tokens"] == 2048


def test_the_room_that_a_server_names_is_read() -> None:
    said = "This model's maximum context length is 4096 tokens and your request has 11 input tokens (4096 > 4096 - 11)."
    assert room_for_reply(said) == 4085
    assert Dialect().body("m", ASKED, room=4085)["max_tokens"] == 4085
    other = "maximum context length is 4096 tokens. However, you requested 5000 tokens (904 in the messages, 4096 in"
    assert room_for_reply(other.replace("904 in the", "904 tokens in the")) == 3192
    assert room_for_reply(said.replace("has 11", "has 5000")) is None


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


def test_what_is_refused_for_another_reason_stays_refused() -> None:
    dialect = Dialect()
    assert not dialect.adapt(dialect.body("m", ASKED), "the model is overloaded with opinions")


def test_what_is_left_out_by_the_settings_is_not_sent() -> None:
    bare = ChatRequest(messages=ASKED.messages, sampling=Sampling(top_p=None, seed=None))
    assert not {"top_p", "seed"} & Dialect().body("m", bare).keys()
