"""The online service on a loopback Ray Serve: the gateway in front of the stages, over HTTP as users reach it."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from ray import serve

from jobs.serve import drain, settled
from pipeline.inputs import read_requirements
from pipeline.methods import generation_stages
from pipeline.records import Requirement, Scored
from pipeline.stage import Fields, Stage, Step, run_local
from serving.api.code_model import CodeModelAddress
from serving.application import application, listen, start
from serving.settings import ServeConfig
from serving.store.database import Database
from serving.store.keys import SCOPES, Keys
from tests.waiting import scaled

pytestmark = [pytest.mark.ray, pytest.mark.slow]

ASKED = "Classify mushroom photos into nine genera with SGD and a batch size of 8."

STUCK = "Classify photos of snails, slowly."


class Echo:
    """Speaks as `CodeLLMServer` does: the last words again, a word every 50 ms."""

    def __init__(self) -> None:
        self._open = 0

    async def complete(self, body: dict[str, Any]) -> dict[str, Any]:
        words = body["messages"][-1]["content"]
        message = {"role": "assistant", "content": f"{words} ({self._open} open)"}
        usage = {"prompt_tokens": 3, "completion_tokens": len(words.split())}
        return {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": usage}

    async def stream(self, body: dict[str, Any]) -> Any:
        import asyncio

        self._open += 1
        try:
            for count, word in enumerate(body["messages"][-1]["content"].split(), start=1):
                choices = [{"index": 0, "delta": {"content": f"{word} "}, "finish_reason": None}]
                yield {"choices": choices, "usage": {"prompt_tokens": 3, "completion_tokens": count}}
                await asyncio.sleep(0.05)
        finally:
            self._open -= 1


def _slow() -> Step:
    def step(record: Requirement) -> Fields:
        end = time.monotonic() + (120 if record.requirement == STUCK else 0)
        while time.monotonic() < end:
            pass
        return {}

    return step


def online_stages(config: ServeConfig) -> tuple[Stage, ...]:
    """The method's stages, the first of which is stuck for one request."""
    stuck = Stage(name="wait", accepts=Requirement, returns=Requirement, build=_slow)
    return (stuck, *generation_stages(config))


class Online:
    """The service's address, and a key."""

    def __init__(self, address: str, secret: str, config: ServeConfig) -> None:
        self.config = config
        self.client = httpx.Client(base_url=address, headers={"Authorization": f"Bearer {secret}"}, timeout=scaled(60))


@pytest.fixture(scope="module")
def online(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Online]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    database = str(tmp_path_factory.mktemp("online") / "db.sqlite")
    stages = {"cpus": 0.1, "min": 1, "max": 1}
    config = settled(ServeConfig(serve={"database": database, "port": port, "stages": stages, "drain_seconds": 5}))
    _, secret = Keys(Database(database)).add("tests", config.serve.quotas, SCOPES)
    options = {"num_replicas": 1, "ray_actor_options": {"num_cpus": 0.1}}
    listen("127.0.0.1", port)
    serve.run(serve.deployment(Echo, **options).bind(), name="echo", route_prefix=None)  # type: ignore[arg-type]
    address = CodeModelAddress(name="echo", app="echo", deployment="Echo", context_length=1_000)
    start(application(config, online_stages(config), address))
    running = Online(f"http://127.0.0.1:{port}", secret, config)
    yield running
    running.client.close()
    serve.shutdown()


def test_a_project_is_equal_to_the_batch_job_s(online: Online) -> None:
    answer = online.client.post("/v1/projects", json={"requirement": ASKED})
    assert answer.status_code == 201, answer.text
    (record,) = read_requirements(ASKED)
    (expected,) = run_local(generation_stages(online.config), [replace(record)])
    assert isinstance(expected, Scored)
    files = {told["path"]: online.client.get(told["url"]).text for told in answer.json()["files"]}
    assert files == {file.path: file.text for file in expected.files}
    assert answer.headers["x-request-id"]


def test_events_stream_as_the_stages_end(online: Online) -> None:
    names = []
    with online.client.stream(
        "POST", "/v1/projects", json={"requirement": ASKED}, headers={"Accept": "text/event-stream"}
    ) as answer:
        for line in answer.iter_lines():
            if line.startswith("event: "):
                names.append(line.removeprefix("event: "))
    assert names[0] == "project.created"
    assert names[-1] == "project.completed"


def test_a_client_that_goes_away_ends_a_stage_that_is_stuck(online: Online) -> None:
    headers = {"Accept": "text/event-stream"}
    with online.client.stream("POST", "/v1/projects", json={"requirement": STUCK}, headers=headers) as answer:
        project = answer.headers["location"]
        assert next(answer.iter_lines())
        time.sleep(0.5)
    start_of_wait = time.monotonic()
    answered = online.client.post("/v1/projects", json={"requirement": ASKED})
    assert answered.json()["status"] == "completed"
    assert time.monotonic() - start_of_wait < scaled(20)
    assert online.client.get(project).json()["status"] == "cancelled"


def test_a_project_survives_the_death_of_its_replica(online: Online) -> None:
    answer = online.client.post("/v1/projects", json={"requirement": STUCK}, headers={"Prefer": "respond-async"})
    time.sleep(1)
    for process in psutil.process_iter(["cmdline"]):
        if "ServeReplica:dlcodegen:Stages" in " ".join(process.info["cmdline"] or ()):
            os.kill(process.pid, signal.SIGKILL)
    time.sleep(1)
    assert online.client.get(answer.headers["location"]).json()["status"] == "under_way"
    online.client.delete(answer.headers["location"])
    assert online.client.post("/v1/projects", json={"requirement": ASKED}).json()["status"] == "completed"


def test_the_code_model_streams_and_stops_with_its_client(online: Online) -> None:
    body = {"model": "echo", "messages": [{"role": "user", "content": "one two three"}]}
    with online.client.stream("POST", "/v1/chat/completions", json=body | {"stream": True}) as answer:
        lines = [line.removeprefix("data: ") for line in answer.iter_lines() if line]
    assert lines[-1] == "[DONE]"
    assert "".join(json.loads(line)["choices"][0]["delta"]["content"] for line in lines[:-1]) == "one two three "
    long = body | {"stream": True, "messages": [{"role": "user", "content": "word " * 600}]}
    with online.client.stream("POST", "/v1/chat/completions", json=long) as answer:
        next(answer.iter_lines())
    time.sleep(scaled(1))
    said = online.client.post("/v1/chat/completions", json=body).json()["choices"][0]["message"]["content"]
    assert said.endswith("(0 open)")


def test_the_page_asks_for_a_key(online: Online) -> None:
    answer = httpx.get(f"{online.client.base_url}", headers={"Accept": "text/html"}, follow_redirects=True)
    assert "Sign in" in answer.text


def test_after_draining_it_takes_nothing_more(online: Online, tmp_path: Path) -> None:
    drain(online.config)
    assert online.client.get("/readyz").status_code == 503
    refused = online.client.post("/v1/projects", json={"requirement": ASKED})
    assert refused.status_code == 503
    assert refused.headers["retry-after"]
