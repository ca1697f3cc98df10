"""Who may do what, how often, and how much of it: keys, quotas, limits before anything is read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

from serving.settings import QuotaSettings
from serving.store.database import Database
from serving.store.keys import Keys
from serving.work.stages import StagesServer
from tests.serving.service import ASKED, online, run, serve_config


def test_no_key_a_wrong_one_a_revoked_one_and_one_for_something_else(tmp_path: Path, stages: StagesServer) -> None:
    async def work() -> None:
        async with online(tmp_path / "db", stages) as it:
            for header, status in (({"Authorization": ""}, 401), ({"Authorization": "Bearer dlc_wrong"}, 401)):
                answer = await it.client.get("/v1/projects", headers=header)
                assert answer.status_code == status
                assert answer.headers["www-authenticate"] == "Bearer"
            plain = it.key()
            assert (await it.client.get("/admin/keys", headers=plain)).status_code == 403
            made = await it.client.post("/admin/keys", json={"name": "guest", "scopes": ["projects"]})
            secret = {"Authorization": f"Bearer {made.json()['secret']}"}
            assert (await it.client.get("/v1/projects", headers=secret)).status_code == 200
            assert "secret" not in (await it.client.get("/admin/keys")).text
            assert (await it.client.delete(f"/admin/keys/{made.json()['id']}")).status_code == 204
            assert (await it.client.get("/v1/projects", headers=secret)).status_code == 401

    run(work)


def test_a_key_is_kept_as_a_digest_and_expires(tmp_path: Path) -> None:
    keys = Keys(Database(str(tmp_path / "db")))
    key, secret = keys.add("somebody", QuotaSettings(), days=1)
    assert keys.find(secret) == key
    assert secret.encode() not in b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert (tmp_path / "db").stat().st_mode & 0o777 == 0o600
    _, short = keys.add("somebody else", QuotaSettings(), days=1e-9)
    time.sleep(0.01)
    assert keys.find(short) is None


def test_too_many_requests_a_minute(tmp_path: Path, stages: StagesServer) -> None:
    async def work() -> None:
        async with online(tmp_path / "db", stages) as it:
            headers = it.key(requests_per_minute=2)
            answers = [await it.client.get("/v1/projects", headers=headers) for _ in range(3)]
            assert [answer.status_code for answer in answers] == [200, 200, 429]
            assert answers[1].headers["x-ratelimit-remaining-requests"] == "0"
            assert 1 <= int(answers[2].headers["retry-after"]) <= 60
            assert answers[2].json()["error"]["code"] == "rate_limit_exceeded"

    run(work)


def test_fifty_callers_at_once_never_get_more_than_the_budget(tmp_path: Path, stages: StagesServer) -> None:
    async def work() -> None:
        async with online(tmp_path / "db", stages) as it:
            headers = it.key(projects=7, requests_per_minute=None) | {"Prefer": "respond-async"}
            asking = [it.client.post("/v1/projects", json={"requirement": ASKED}, headers=headers) for _ in range(50)]
            answers = await asyncio.gather(*asking)
            begun = [answer.json()["id"] for answer in answers if answer.status_code == 202]
            assert len(begun) == 7
            refused = {answer.json()["error"]["code"] for answer in answers if answer.status_code != 202}
            assert refused == {"insufficient_quota"}
            await asyncio.gather(*map(it.service.runs.finished, begun))
            assert (await it.client.get("/v1/usage", headers=headers)).json()["total"]["projects"] == 7

    run(work)


def test_a_body_that_is_too_long_is_refused_before_it_is_read(tmp_path: Path, stages: StagesServer) -> None:
    async def work() -> None:
        config = serve_config(serve={"body_bytes": 2_000})
        async with online(tmp_path / "db", stages, config) as it:
            # Even without a key: nobody looks at who asks before.
            headers = {"Authorization": "", "Content-Type": "application/json"}
            answer = await it.client.post("/v1/projects", content=b"x" * 3_000, headers=headers)
            assert answer.status_code == 413

            async def endless() -> AsyncIterator[bytes]:
                for _ in range(1_000):
                    yield b"x" * 1_000

            answer = await it.client.post("/v1/projects", content=endless(), headers=headers)
            assert answer.status_code == 413
            assert answer.json()["error"]["code"] == "body_too_large"

    run(work)


def test_other_sites_learn_and_do_nothing(tmp_path: Path, stages: StagesServer) -> None:
    async def work() -> None:
        async with online(tmp_path / "db", stages) as it:
            answer = await it.client.get("/v1/projects", headers={"Origin": "https://evil.example"})
            assert not [name for name in answer.headers if name.startswith("access-control")]
            assert "script-src 'self'" in answer.headers["content-security-policy"]
            assert (
                await it.client.options("/v1/projects", headers={"Origin": "https://evil.example"})
            ).status_code >= 400

    run(work)


def test_a_full_service_says_so_at_once(tmp_path: Path, stages: StagesServer) -> None:
    async def work() -> None:
        async with online(tmp_path / "db", stages, serve_config(serve={"most_under_way": 1})) as it:
            headers = {"Prefer": "respond-async"}
            first = await it.client.post("/v1/projects", json={"requirement": ASKED}, headers=headers)
            start = time.perf_counter()
            second = await it.client.post("/v1/projects", json={"requirement": ASKED}, headers=headers)
            assert time.perf_counter() - start < 1
            assert second.status_code == 503
            assert second.json()["error"]["code"] == "overloaded"
            assert int(second.headers["retry-after"]) > 0
            await it.service.runs.finished(first.json()["id"])
            await it.service.runs.drain()
            assert (await it.client.get("/readyz")).status_code == 503
            assert (await it.client.post("/v1/projects", json={"requirement": ASKED})).status_code == 503
            assert (await it.client.get(first.headers["location"])).status_code == 200

    run(work)


def test_a_project_that_a_gateway_left_is_finished_by_the_next_with_the_same_events(
    tmp_path: Path, stages: StagesServer
) -> None:
    async def work() -> None:
        async with online(tmp_path / "db", stages) as it:
            view = await it.project(requirement=ASKED)
            # As a gateway leaves it that is killed in the middle.
            database = it.service.database
            database.change("UPDATE projects SET status = 'under_way', finished = NULL, record = NULL")
            database.change("DELETE FROM events WHERE number > 4")
            before = it.service.projects.events(view["id"])
        async with online(tmp_path / "db", stages) as it:
            await it.service.runs.finished(view["id"])
            key = it.service.keys.all()[0]
            project = it.service.find(key, view["id"])
            assert project.status == "completed"
            events = it.service.projects.events(view["id"])
            assert events[:4] == before
            assert [event.number for event in events] == list(range(1, 10))
            assert len({event.name for event in events}) == 9

    run(work)
