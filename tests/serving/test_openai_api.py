"""The OpenAI API: with the official client's ways, over a project and over a scripted code model."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from serving.work.stages import StagesServer
from tests.serving.service import ASKED, online, run


class ScriptedModel:
    """Says its last words again, a word a token, as an engine does."""

    name, context_length = "tiny-coder", 512

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.open = 0

    async def complete(self, body: dict[str, Any]) -> dict[str, Any]:
        self.bodies.append(body)
        words = body["messages"][-1]["content"]
        if words == "trouble":
            return {"error": {"code": 500, "message": "Traceback: ray.exceptions.RayTaskError in EngineCore"}}
        if words == "too long":
            return {"error": {"code": 400, "message": "maximum context length is 512 tokens"}}
        choices = [
            {"index": n, "message": {"role": "assistant", "content": words}, "finish_reason": "stop"}
            for n in range(body.get("n", 1))
        ]
        usage = {"prompt_tokens": 5, "completion_tokens": len(words.split()), "total_tokens": 5 + len(words.split())}
        return {"id": "x", "object": "chat.completion", "model": self.name, "choices": choices, "usage": usage}

    async def stream(self, body: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        self.bodies.append(body)
        self.open += 1
        try:
            words = body["messages"][-1]["content"].split()
            for count, word in enumerate(words, start=1):
                usage = {"prompt_tokens": 5, "completion_tokens": count}
                yield {
                    "choices": [{"index": 0, "delta": {"content": f"{word} "}, "finish_reason": None}],
                    "usage": usage,
                }
                await asyncio.sleep(0.01)
            yield {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": usage}
            yield {"choices": [], "usage": usage}
        finally:
            self.open -= 1


def read_chunks(text: str) -> list[Any]:
    lines = [line.removeprefix("data: ") for line in text.split("\n\n") if line.startswith("data: ")]
    assert lines[-1] == "[DONE]"
    return [json.loads(line) for line in lines[:-1]]


def chat(words: str, **more: Any) -> dict[str, Any]:
    return {"model": "dlcodegen", "messages": [{"role": "user", "content": words}], **more}


def test_the_models_are_listed(tmp_path: Path, stages: StagesServer) -> None:
    async def work() -> None:
        async with online(tmp_path / "db", stages, code_model=ScriptedModel()) as it:
            models = (await it.client.get("/v1/models")).json()["data"]
            assert [model["id"] for model in models] == ["dlcodegen", "tiny-coder"]
            assert (await it.client.get("/v1/models/tiny-coder")).json()["object"] == "model"
            missing = await it.client.post("/v1/chat/completions", json={**chat(ASKED), "model": "gpt-4"})
            assert missing.status_code == 404
            assert missing.json()["error"]["code"] == "model_not_found"

    run(work)


def test_a_message_becomes_a_project_streamed_or_not(tmp_path: Path, stages: StagesServer) -> None:
    async def work() -> None:
        async with online(tmp_path / "db", stages) as it:
            whole = (await it.client.post("/v1/chat/completions", json=chat(ASKED))).json()
            text = whole["choices"][0]["message"]["content"]
            assert whole["object"] == "chat.completion"
            assert "**Understood:** problem classification" in text
            assert "```python" in text
            assert "**Asked:**" in text
            options = {"stream": True, "stream_options": {"include_usage": True}}
            answer = await it.client.post("/v1/chat/completions", json=chat(ASKED, **options))
            assert answer.headers["content-type"].startswith("text/event-stream")
            chunks = read_chunks(answer.text)
            streamed = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks if chunk["choices"])
            assert streamed == text
            assert chunks[-1]["usage"] == whole["usage"]
            assert chunks[-2]["choices"][0]["finish_reason"] == "stop"

    run(work)


def test_stop_ends_a_reply_before_the_words(tmp_path: Path, stages: StagesServer) -> None:
    async def work() -> None:
        async with online(tmp_path / "db", stages) as it:
            for stream in (False, True):
                answer = await it.client.post(
                    "/v1/completions",
                    json={"model": "dlcodegen", "prompt": ASKED, "stop": ["import numpy"], "stream": stream},
                )
                if stream:
                    text = "".join(chunk["choices"][0]["text"] for chunk in read_chunks(answer.text))
                else:
                    text = answer.json()["choices"][0]["text"]
                assert text
                assert "import numpy" not in text

    run(work)


def test_a_request_that_cannot_be_served_is_told_in_words(tmp_path: Path, stages: StagesServer) -> None:
    async def work() -> None:
        async with online(tmp_path / "db", stages) as it:
            answer = await it.client.post("/v1/chat/completions", json=chat("Classify birds in JAX and Flax."))
            assert answer.status_code == 200
            assert "**No project:**" in answer.json()["choices"][0]["message"]["content"]
            text = {"model": "dlcodegen", "prompt": "Classify birds in JAX and Flax."}
            answer = await it.client.post("/v1/completions", json=text)
            assert (answer.status_code, answer.json()["error"]["type"]) == (422, "invalid_request_error")
            several = await it.client.post("/v1/chat/completions", json=chat(ASKED, n=2))
            assert several.json()["error"]["param"] == "n"

    run(work)


def test_the_code_model_under_its_own_name(tmp_path: Path, stages: StagesServer) -> None:
    async def work() -> None:
        model = ScriptedModel()
        async with online(tmp_path / "db", stages, code_model=model) as it:
            body = {**chat("one two three", n=2, temperature=0.5, max_completion_tokens=20), "model": "tiny-coder"}
            whole = (await it.client.post("/v1/chat/completions", json=body)).json()
            assert [choice["message"]["content"] for choice in whole["choices"]] == ["one two three"] * 2
            assert (model.bodies[0]["temperature"], model.bodies[0]["max_tokens"]) == (0.5, 20)
            body = {"model": "tiny-coder", "prompt": "a b", "stream": True}
            chunks = read_chunks((await it.client.post("/v1/completions", json=body)).text)
            assert "".join(chunk["choices"][0]["text"] for chunk in chunks) == "a b "
            total = (await it.client.get("/v1/usage")).json()["total"]
            assert (total["completions"], total["prompt_tokens"], total["completion_tokens"]) == (2, 10, 5)

    run(work)


@pytest.mark.parametrize(("words", "status"), [("trouble", 503), ("too long", 400)])
def test_the_engine_s_trouble_is_told_without_its_insides(
    tmp_path: Path, stages: StagesServer, words: str, status: int
) -> None:
    async def work() -> None:
        async with online(tmp_path / "db", stages, code_model=ScriptedModel()) as it:
            answer = await it.client.post("/v1/chat/completions", json={**chat(words), "model": "tiny-coder"})
            assert answer.status_code == status
            assert "ray" not in answer.text.lower()

    run(work)


def test_a_budget_of_tokens_is_reserved_and_settled_by_what_the_engine_counted(
    tmp_path: Path, stages: StagesServer
) -> None:
    async def work() -> None:
        async with online(tmp_path / "db", stages, code_model=ScriptedModel()) as it:
            headers = it.key(tokens=1_100)
            body = {**chat("one two three"), "model": "tiny-coder"}
            asking = [it.client.post("/v1/chat/completions", json=body, headers=headers) for _ in range(20)]
            answers = await asyncio.gather(*asking)
            good = sum(answer.status_code == 200 for answer in answers)
            total = (await it.client.get("/v1/usage", headers=headers)).json()["total"]
            assert total["prompt_tokens"] + total["completion_tokens"] == good * 8 <= 1_100
            assert it.service.database.value("SELECT count(*) FROM reservations") == 0

    run(work)


def test_a_stream_that_nobody_reads_any_more_frees_the_engine_and_is_charged_what_it_took(
    tmp_path: Path, stages: StagesServer
) -> None:
    async def work() -> None:
        model = ScriptedModel()
        async with online(tmp_path / "db", stages, code_model=model) as it:
            body = {**chat("word " * 400, stream=True), "model": "tiny-coder"}
            sending = asyncio.create_task(it.client.post("/v1/chat/completions", json=body))
            while not model.open:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.1)
            sending.cancel()
            await asyncio.wait({sending})
            for _ in range(200):
                if not model.open:
                    break
                await asyncio.sleep(0.01)
            assert model.open == 0
            total = (await it.client.get("/v1/usage")).json()["total"]
            assert 1 <= total["completion_tokens"] < 400

    run(work)
