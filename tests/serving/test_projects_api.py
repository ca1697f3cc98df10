"""Plans and projects over HTTP: what a client sends and gets."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipeline.inputs import read_requirements
from pipeline.methods import generation_stages
from pipeline.records import Planned, Scored
from pipeline.stage import run_local
from serving.work.stages import StagesServer
from tests.serving.service import ASKED, online, run, serve_config


def locally(requirement: str, attributes: str = "") -> Scored:
    (record,) = read_requirements(requirement)
    (done,) = run_local(generation_stages(serve_config()), [replace(record, attributes=attributes)])
    assert isinstance(done, Scored)
    return done


def read_events(text: str) -> list[tuple[int, str, Any]]:
    found = []
    for block in text.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if fields:
            found.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
    return found


NAMES = [
    "project.created",
    "request.read",
    "plan.completed",
    "samples.retrieved",
    "template.completed",
    "draft.completed",
    "comparison.completed",
    "delivery.checked",
    "project.completed",
]


def test_a_project_is_the_batch_job_s_byte_for_byte(tmp_path: Path, stages: StagesServer) -> None:
    async def work() -> None:
        async with online(tmp_path / "db", stages) as it:
            view = await it.project(requirement=ASKED, attributes="4,000 photos in a folder per genus.")
            expected = locally(ASKED, "4,000 photos in a folder per genus.")
            assert view["status"] == "completed"
            assert it.service.projects.record_of(view["id"]) == expected
            for file, told in zip(expected.files, view["files"], strict=True):
                answer = await it.client.get(told["url"])
                assert answer.content == file.text.encode()
                assert answer.headers["content-disposition"].startswith("attachment")
            archive = await it.client.get(f"/v1/projects/{view['id']}/archive.zip")
            with zipfile.ZipFile(io.BytesIO(archive.content)) as zipped:
                assert {name: zipped.read(name).decode() for name in zipped.namelist()} == {
                    f"project/{file.path}": file.text for file in expected.files
                }
            assert [one["words"] for one in view["understood"]["asked"]][:2] == ["problem classification", "kind image"]
            assert view["delivery"]["met"] == expected.delivery.met if expected.delivery else False

    run(work)


def test_a_row_that_fails_is_a_finished_project_with_its_reason(tmp_path: Path, stages: StagesServer) -> None:
    async def work() -> None:
        asked = "Classify photos of birds in JAX and Flax."
        async with online(tmp_path / "db", stages) as it:
            view = await it.project(requirement=asked)
            failure = locally(asked).failure
            assert failure is not None
            assert view["status"] == "failed"
            assert view["failure"] == {"stage": failure.stage, "kind": failure.kind, "message": failure.message}
            assert (await it.client.get(f"/v1/projects/{view['id']}/archive.zip")).status_code == 404

    run(work)


def test_events_come_in_order_and_go_on_behind_the_last_one_that_was_had(tmp_path: Path, stages: StagesServer) -> None:
    async def work() -> None:
        async with online(tmp_path / "db", stages) as it:
            answer = await it.client.post(
                "/v1/projects", json={"requirement": ASKED}, headers={"Accept": "text/event-stream"}
            )
            events = read_events(answer.text)
            assert [name for _, name, _ in events] == NAMES
            assert [number for number, _, _ in events] == list(range(1, len(NAMES) + 1))
            address = f"{answer.headers['location']}/events"
            again = await it.client.get(address, headers={"Last-Event-ID": "6"})
            assert read_events(again.text) == events[6:]

    run(work)


def test_a_project_that_is_not_waited_for_is_asked_for_later(tmp_path: Path, stages: StagesServer) -> None:
    async def work() -> None:
        async with online(tmp_path / "db", stages) as it:
            answer = await it.client.post(
                "/v1/projects", json={"requirement": ASKED}, headers={"Prefer": "respond-async"}
            )
            assert answer.status_code == 202
            assert answer.json()["status"] == "under_way"
            events = await it.client.get(f"{answer.headers['location']}/events")
            assert read_events(events.text)[-1][1] == "project.completed"
            assert (await it.client.get(answer.headers["location"])).json()["status"] == "completed"

    run(work)


def test_the_same_request_with_the_same_idempotency_key_is_the_same_project(
    tmp_path: Path, stages: StagesServer
) -> None:
    async def work() -> None:
        async with online(tmp_path / "db", stages) as it:
            headers = {"Idempotency-Key": "one"}
            answers = [
                await it.client.post("/v1/projects", json={"requirement": ASKED}, headers=headers) for _ in range(2)
            ]
            assert answers[0].json() == answers[1].json()
            assert answers[1].headers["idempotency-replayed"] == "true"
            other = await it.client.post("/v1/projects", json={"requirement": "Forecast rain."}, headers=headers)
            assert other.status_code == 422
            usage = (await it.client.get("/v1/usage")).json()
            assert usage["total"]["projects"] == 1

    run(work)


def test_a_project_goes_on_from_an_edited_plan(tmp_path: Path, stages: StagesServer) -> None:
    async def work() -> None:
        async with online(tmp_path / "db", stages) as it:
            first = await it.project(requirement=ASKED)
            plan = first["plan"]
            plan["Model Architecture"]["Hyperparameters"] |= {"epochs": 7, "optimizer": "Adam", "learning rate": 0.004}
            second = await it.project(**{"from": first["id"], "plan": plan})
            assert second["parent"] == first["id"]
            assert second["plan"] == plan
            script = (await it.client.get(second["files"][0]["url"])).text
            assert "Adam(" in script
            # SGD was asked, and the plan was edited to say otherwise: it is no longer missed.
            outcomes = {(one["name"], one["value"]): one["outcome"] for one in second["delivery"]["checks"]}
            assert ("optimizer", "sgd") not in outcomes
            for edited in (("optimizer", "adam"), ("learning_rate", "0.004"), ("epochs", "7")):
                assert outcomes[edited] == "met"
            changed = [change for change in second["changes"] if change["because"] == "you edited the plan"]
            assert {change["field"] for change in changed} == {"epochs", "optimizer", "learning_rate"}

    run(work)


def test_a_project_goes_on_from_what_was_understood_as_it_was_corrected(tmp_path: Path, stages: StagesServer) -> None:
    async def work() -> None:
        async with online(tmp_path / "db", stages) as it:
            first = await it.project(requirement=ASKED)
            names = [one["name"] for one in first["understood"]["asked"]]
            without = [names.index("batch_size")]
            second = await it.project(**{"from": first["id"], "without": without, "also": "batch size 32, 5 epochs"})
            found = {one["name"]: one for one in second["understood"]["asked"]}
            assert (found["batch_size"]["value"], found["epochs"]["value"]) == ("32", "5")
            assert found["batch_size"]["text"] == "batch size 32"
            hyper = second["plan"]["Model Architecture"]["Hyperparameters"]
            assert (hyper["batch size"], hyper["epochs"]) == (32, 5)

    run(work)


def test_others_get_404_for_a_project_and_all_of_it(tmp_path: Path, stages: StagesServer) -> None:
    async def work() -> None:
        async with online(tmp_path / "db", stages) as it:
            view = await it.project(requirement=ASKED)
            other = it.key()
            paths = ["", "/events", "/files/project.py", "/archive.zip"]
            for path in paths:
                address = f"/v1/projects/{view['id']}{path}"
                assert (await it.client.get(address, headers=other)).status_code == 404
            assert (await it.client.delete(f"/v1/projects/{view['id']}", headers=other)).status_code == 404
            assert (await it.client.get("/v1/projects", headers=other)).json()["data"] == []
            going_on = await it.client.post("/v1/projects", json={"from": view["id"]}, headers=other)
            assert going_on.status_code == 404

    run(work)


def test_a_rating_is_kept_and_a_finished_project_can_be_deleted(tmp_path: Path, stages: StagesServer) -> None:
    async def work() -> None:
        async with online(tmp_path / "db", stages) as it:
            view = await it.project(requirement=ASKED)
            address = f"/v1/projects/{view['id']}"
            rating = {"compliance": 9, "usefulness": 7.5, "idiomaticity": None, "comment": "fine"}
            assert (await it.client.post(f"{address}/feedback", json=rating)).status_code == 204
            assert (await it.client.get(address)).json()["rating"] == rating
            assert (await it.client.post(f"{address}/feedback", json={"compliance": 11})).status_code == 400
            assert (await it.client.delete(address)).status_code == 204
            assert (await it.client.get(address)).status_code == 404

    run(work)


def test_a_plan_alone(tmp_path: Path, stages: StagesServer) -> None:
    async def work() -> None:
        async with online(tmp_path / "db", stages) as it:
            answer = (await it.client.post("/v1/plans", json={"requirement": ASKED})).json()
            (record,) = read_requirements(ASKED)
            (planned,) = run_local(generation_stages(serve_config())[:2], [record])
            assert isinstance(planned, Planned)
            expected = planned.plan
            assert expected is not None
            assert answer["plan"] == expected.model_dump(by_alias=True, mode="json")
            assert (await it.client.get("/v1/projects")).json()["data"] == []

    run(work)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "missing_requirement"),
        ({"requirement": "  "}, "missing_requirement"),
        ({"requirement": "x" * 30_000}, "too_long"),
        ({"requirement": "Classify birds.", "method": "ps"}, "unsupported"),
        ({"requirement": "Classify birds.", "plan": {}}, "missing_from"),
        ({"requirement": 3}, "invalid_value"),
        ({"requirement": "Classify birds.", "colour": "red"}, "invalid_value"),
        ({"from": "prj_nothing"}, "project_not_found"),
    ],
)
def test_what_is_wrong_with_a_request_is_said_in_our_shape(
    tmp_path: Path, stages: StagesServer, body: dict[str, Any], code: str
) -> None:
    async def work() -> None:
        async with online(tmp_path / "db", stages) as it:
            answer = await it.client.post("/v1/projects", json=body)
            assert answer.status_code in (400, 404)
            error = answer.json()["error"]
            assert error["code"] == code
            assert set(error) == {"message", "type", "param", "code"}

    run(work)


def test_odd_texts_become_projects_or_plain_words(tmp_path: Path, stages: StagesServer) -> None:
    async def work() -> None:
        async with online(tmp_path / "db", stages) as it:
            for text in ("\ud800 classify birds", "Classify </script><b>birds</b> ‮gnihtemos", "starter", "/etc/passwd"):
                answer = await it.client.post(
                    "/v1/projects",
                    content=json.dumps({"requirement": text}),
                    headers={"Content-Type": "application/json"},
                )
                assert answer.status_code in (201, 400), answer.text
                assert answer.json().get("status") != "under_way"

    run(work)


def test_the_openapi_document_names_every_route(tmp_path: Path, stages: StagesServer) -> None:
    async def work() -> None:
        async with online(tmp_path / "db", stages) as it:
            document = (await it.client.get("/openapi.json")).json()
            assert {"/v1/plans", "/v1/projects", "/v1/chat/completions", "/healthz"} <= set(document["paths"])

    run(work)


def test_cancelling_ends_the_row_and_gives_back_what_was_set_aside(tmp_path: Path, stages: StagesServer) -> None:
    async def work() -> None:
        async with online(tmp_path / "db", stages) as it:
            headers = it.key(concurrent=1) | {"Prefer": "respond-async"}
            first = await it.client.post("/v1/projects", json={"requirement": ASKED}, headers=headers)
            refused = await it.client.post("/v1/projects", json={"requirement": ASKED}, headers=headers)
            assert refused.status_code == 429
            assert refused.headers["retry-after"] == "1"
            await it.client.delete(first.headers["location"], headers=headers)
            events = read_events((await it.client.get(f"{first.headers['location']}/events", headers=headers)).text)
            assert events[-1][1] == "project.cancelled"
            second = await it.client.post("/v1/projects", json={"requirement": ASKED}, headers=headers)
            assert second.status_code == 202
            await it.service.runs.finished(second.json()["id"])

    run(work)


def test_a_client_that_goes_away_ends_its_project(tmp_path: Path, stages: StagesServer) -> None:
    async def work() -> None:
        async with online(tmp_path / "db", stages) as it:
            sending = asyncio.create_task(it.client.post("/v1/projects", json={"requirement": ASKED}))
            while not it.service.runs.under_way:
                await asyncio.sleep(0.01)
            sending.cancel()
            with pytest.raises((asyncio.CancelledError, httpx.HTTPError)):
                await sending
            (project,) = it.service.projects.of_key(it.service.keys.all()[0].id)
            await it.service.runs.finished(project.id)
            assert it.service.status_of(project.id) == "cancelled"

    run(work)
