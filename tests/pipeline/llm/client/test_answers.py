"""What an answer's parts mean: how a reply ended, a message in typed parts, errors within an answer of status 200."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from pipeline.errors import DLCodeGenError, StageFailure
from pipeline.llm.client.answers import Refused, read_answer, read_reply
from pipeline.llm.client.retrying import Transient


def _answer(message: dict[str, Any], finish: str | None = "stop", **choice: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "message": {"role": "assistant"} | message, "finish_reason": finish} | choice]}


def _response(body: Any, status: int = 200) -> httpx.Response:
    return httpx.Response(status, content=json.dumps(body).encode())


@pytest.mark.parametrize(
    ("finish", "reason"),
    [
        ("stop", "stop"),
        (None, "stop"),
        ("eos", "stop"),
        ("length", "length"),
        ("MAX_TOKENS", "length"),
        ("model_length", "length"),
        ("content_filter", "content_filter"),
        ("SAFETY", "content_filter"),
    ],
)
def test_how_a_reply_ended_is_read_in_each_server_s_words(finish: str | None, reason: str) -> None:
    assert read_reply(_answer({"content": "x"}, finish)).finish_reason == reason


@pytest.mark.parametrize("finish", ["error", "abort", "load", "insufficient_system_resource"])
def test_a_reply_that_was_broken_off_is_asked_for_again(finish: str) -> None:
    with pytest.raises(Transient) as caught:
        read_reply(_answer({"content": "half a"}, finish))
    assert caught.value.kind == "llm_unavailable"
    with pytest.raises(Transient, match="Provider disconnected"):
        read_reply(_answer({"content": "half a"}, error={"code": 502, "message": "Provider disconnected"}))


def test_of_typed_parts_the_texts_are_the_reply_and_the_thinking_is_not() -> None:
    parts = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
        {"type": "reasoning", "text": "Hm."},
        {"type": "text", "text": "Dense"},
        {"type": "output_text", "text": "(10)"},
    ]
    assert read_reply(_answer({"content": parts, "reasoning_content": "Hm."})).text == "Dense(10)"
    assert read_reply(_answer({"content": None, "reasoning": "Hm."}, "length")).text == ""
    with pytest.raises(Transient):
        read_reply(_answer({"content": {"text": "x"}}))


def test_a_text_completion_and_a_function_s_arguments_are_replies() -> None:
    assert read_reply({"choices": [{"text": "Dense(10)", "finish_reason": "stop"}]}).text == "Dense(10)"
    call = {"id": "1", "type": "function", "function": {"name": "reply", "arguments": "{}"}}
    assert read_reply(_answer({"content": None, "tool_calls": [call]}, "tool_calls")).text == "{}"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"message": "Insufficient credits.", "code": 402}, DLCodeGenError),
        ({"message": "No auth credentials found", "code": "401"}, DLCodeGenError),
        ({"message": "Too Many Requests", "code": 429}, Transient),
        ({"message": "Provider returned error"}, Transient),
        ({"message": "unknown parameter", "code": 400}, Refused),
        ("something went wrong", Transient),
    ],
)
def test_an_error_in_an_answer_of_status_200_is_read_by_its_code(error: object, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        read_answer(_response({"choices": None, "error": error}))


@pytest.mark.parametrize("wrapped", [True, False])
def test_a_wrong_key_told_by_400_ends_the_job_as_one_told_by_401(wrapped: bool) -> None:
    body: Any = {"error": {"code": 400, "message": "API key not valid. Please pass a valid API key."}}
    with pytest.raises(DLCodeGenError, match=r"^401"):
        read_answer(_response([body] if wrapped else body, 400))


def test_a_prompt_that_a_filter_holds_back_is_refused() -> None:
    said = "The response was filtered due to the prompt triggering the content management policy."
    with pytest.raises(StageFailure) as caught:
        read_answer(_response({"error": {"message": said, "code": "content_filter"}}, 400))
    assert caught.value.kind == "refused"


def test_what_the_provider_behind_a_relay_refused_is_read() -> None:
    error = {"message": "Provider returned error", "code": 400, "metadata": {"raw": '{"detail":"seed is unknown"}'}}
    with pytest.raises(Refused, match="seed"):
        read_answer(_response({"error": error}, 400))


def test_what_relays_send_before_the_answer_is_left_out() -> None:
    body = b": PROCESSING\n\n: PROCESSING\n\n   \n" + json.dumps(_answer({"content": "x"})).encode()
    assert read_reply(read_answer(httpx.Response(200, content=body))).text == "x"
    with pytest.raises(Transient):
        read_answer(httpx.Response(200, content=b": PROCESSING\n" * 20_000))


def test_a_web_page_ends_the_job() -> None:
    with pytest.raises(DLCodeGenError, match="web page"):
        read_answer(httpx.Response(200, content=b"<!DOCTYPE html><html><body>Welcome</body></html>"))


@pytest.mark.parametrize(
    ("thinking", "text"), [('{"a": 1}', '{"a": 1}'), ('{"a": 1', ""), ("Maybe {}?", ""), (None, "")]
)
def test_an_object_that_a_server_took_for_thinking_is_the_reply(thinking: str | None, text: str) -> None:
    assert read_reply(_answer({"content": None, "reasoning_content": thinking})).text == text


KEY, UNPAID, NO_MODEL = "401", "402", "404"


@pytest.mark.parametrize(
    ("status", "body", "means"),
    [
        (400, [{"error": {"code": 400, "message": "API key not valid. Please pass a valid API key."}}], KEY),
        (400, {"error": {"message": "Incorrect API key provided: abc", "code": None}}, KEY),
        (400, {"type": "error", "error": {"type": "authentication_error", "message": "invalid x-api-key"}}, KEY),
        (422, {"detail": "Not authenticated"}, KEY),
        (200, {"error": "Unauthorized"}, KEY),
        (200, {"error": {"message": "No auth credentials found", "code": 401}}, KEY),
        (200, {"code": 401, "msg": "token expired or incorrect", "success": False}, KEY),
        (200, {"detail": "Authentication required"}, KEY),
        (401, {"error": {"message": "whatever"}}, KEY),
        (400, {"error": {"message": "This organization has been disabled."}}, KEY),
        (400, {"error": {"message": "User location is not supported for the API use."}}, KEY),
        (400, {"error": {"message": "Billing hard limit has been reached"}}, UNPAID),
        (400, {"code": "Arrearage", "message": "Access denied, your account must be in good standing."}, UNPAID),
        (429, {"error": {"message": "account balance is not enough"}}, "429"),
        (400, {"error": {"message": "The model `m` has been decommissioned and is no longer supported."}}, NO_MODEL),
        (400, {"error": {"message": "The API deployment for this resource does not exist."}}, NO_MODEL),
        (400, {"error": {"message": "No endpoints found for m."}}, NO_MODEL),
        (402, {"error": {"message": "Insufficient Balance"}}, UNPAID),
        (200, {"error": {"message": "Insufficient credits. Add more credits to continue.", "code": 402}}, UNPAID),
        (200, {"error": {"message": "Payment required"}}, UNPAID),
        (400, {"error": {"message": "Your credit balance is too low to access the API."}}, UNPAID),
        (429, {"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}}, "429"),
        (400, {"error": {"message": "Model Not Exist", "code": "invalid_request_error"}}, NO_MODEL),
        (400, {"error": {"message": "The model `m` does not exist", "code": "model_not_found"}}, NO_MODEL),
        (404, {"error": {"message": "model 'm' not found"}}, NO_MODEL),
    ],
)
def test_what_no_request_would_escape_ends_the_job_however_it_is_told(status: int, body: Any, means: str) -> None:
    with pytest.raises(DLCodeGenError) as caught:
        read_answer(_response(body, status))
    assert str(caught.value).startswith(means)


@pytest.mark.parametrize("status", [200, 403, 404])
def test_a_web_page_ends_the_job_and_is_named(status: int) -> None:
    page = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>" + b"x" * 5000
    with pytest.raises(DLCodeGenError, match=r"a web page \(Sign in\)") as caught:
        read_answer(httpx.Response(status, content=page))
    assert len(str(caught.value)) < 60


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {"error": {"message": "Provider returned error", "code": 429}}),
        (200, {"error": "overloaded"}),
        (200, {"choices": []}),
        (429, {"error": {"message": "You exceeded your current quota, please check your plan and billing details."}}),
        (500, {"error": {"message": "Unauthorized upstream"}}),
        (400, {"error": {"message": "Rate limit exceeded, try again later"}}),
        (403, {"error": {"message": "API rate limit exceeded"}}),
        (400, {"error": {"message": "Model m is currently loading"}}),
        (404, "no healthy upstream"),
        (499, {"error": {"message": "client closed request"}}),
        (502, "<html><title>502 Bad Gateway</title></html>"),
    ],
)
def test_what_may_be_better_in_a_moment_is_asked_again(status: int, body: Any) -> None:
    with pytest.raises(Transient):
        read_answer(_response(body, status))


def test_a_parameter_that_names_the_model_is_no_missing_model() -> None:
    for said in ("This model does not support temperature 1.5", "response_format is not supported by this model"):
        with pytest.raises(Refused):
            read_answer(_response({"error": {"message": said}}, 400))
