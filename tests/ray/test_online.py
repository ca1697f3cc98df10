"""The online service on a loopback Ray Serve: the gateway in front of the stages, over HTTP as users reach it."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import psutil
import pytest

from jobs.serve import drain
from pipeline.inputs import read_requirements
from pipeline.methods import generation_stages
from pipeline.records import Scored
from pipeline.stage import run_local
from tests.ray.service import ASKED, STUCK, Online, running_service
from tests.waiting import scaled

pytestmark = [pytest.mark.ray, pytest.mark.slow]


@pytest.fixture(scope="module")
def online(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Online]:
    with running_service(tmp_path_factory.mktemp("online")) as running:
        yield running


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
