"""The service's tables, on SQLite and on PostgreSQL: accounts, projects, gateways that end, a server that goes away."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import psycopg
import pytest

from pipeline.errors import DLCodeGenError, FaultError
from pipeline.records import Requirement
from serving.settings import OnlineSettings, QuotaSettings
from serving.store.connection import DatabaseFault
from serving.store.database import _LAYOUTS, VERSION, Database
from serving.store.gateways import LOST_SECONDS, Gateways
from serving.store.keys import SCOPES, Keys
from serving.store.projects import Projects
from serving.store.quotas import OverQuota, Quotas, Used
from serving.work.stages import StagesServer
from tests.serving.postgresql_server import POSTGRES, PostgreSQLServer
from tests.serving.service import ASKED, online, run
from tests.waiting import scaled

needs_postgres = pytest.mark.skipif(POSTGRES is None, reason="needs postgres, initdb and pg_ctl on PATH")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgreSQLServer]:
    running = PostgreSQLServer(tmp_path_factory.mktemp("pg"))
    yield running
    running.stop()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=needs_postgres)])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return str(tmp_path / "db.sqlite")
    return emptied(request.getfixturevalue("server"))


def emptied(server: PostgreSQLServer) -> str:
    """The server's database with nothing in it."""
    with psycopg.connect(server.url) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return server.url


def test_what_was_reserved_is_settled_once(address: str) -> None:
    database = Database(address)
    key, _ = Keys(database).add("somebody", QuotaSettings(tokens=100))
    quotas = Quotas(database)
    quotas.reserve("a", key, tokens=60)
    with pytest.raises(OverQuota):
        quotas.reserve("b", key, tokens=60)
    used = Used(completions=1, prompt_tokens=10, completion_tokens=5)
    assert quotas.settle("a", used)
    assert not quotas.settle("a", used)
    assert quotas.used(key.id) == used
    assert quotas.by_day(key.id)[0]["prompt_tokens"] == 10


def test_what_a_lost_gateway_had_is_taken_over(address: str) -> None:
    database = Database(address)
    key, _ = Keys(database).add("somebody", QuotaSettings())
    lost, other = Gateways(database), Gateways(database)
    lost.enter()
    reserved, projects = Quotas(database, lost.id), Projects(database)
    for id in ("prj_1", "call_1"):
        reserved.reserve(id, key, tokens=60)
    projects.add("prj_1", key.id, Requirement(id="r", row=0, requirement=ASKED), 0, gateway=lost.id)
    other.beat()
    assert other.take_over() == 0
    database.change("UPDATE gateways SET seen = ? WHERE id = ?", time.time() - LOST_SECONDS, lost.id)
    assert other.take_over() == 1
    assert [project.id for project in projects.under_way(other.id)] == ["prj_1"]
    assert [row["id"] for row in database.rows("SELECT id FROM reservations")] == ["prj_1"]
    assert database.value("SELECT count(*) FROM gateways") == 1


def test_values_come_back_as_they_were_kept(address: str) -> None:
    database = Database(address)
    keys, projects = Keys(database), Projects(database)
    key, secret = keys.add("Zoë; DROP TABLE keys?", QuotaSettings(tokens=2**40))
    assert keys.find(secret) == key
    start = Requirement(id="r", row=0, requirement="What is 100 % ?\x00 \U0001f344".replace("\x00", ""))
    project = projects.add("prj_1", key.id, start, 0)
    assert projects.start_of(project.id) == start
    event = projects.append(project.id, "x", {"text": "né ?"})
    assert projects.events(project.id) == [event]
    for stars in (1, 5):
        projects.rate(project.id, {"stars": stars})
        projects.remember(key.id, "again", f"digest {stars}", project.id)
    assert projects.rating_of(project.id) == {"stars": 5}
    assert projects.repeated(key.id, "again", "digest 5") == project.id
    projects.delete(project.id)
    assert projects.events(project.id) == []


def test_callers_at_once_never_exceed_a_budget(address: str) -> None:
    key, _ = Keys(Database(address)).add("somebody", QuotaSettings(projects=7))
    taken: list[str] = []

    def call(place: int) -> None:
        database = Database(address)
        try:
            with database.transaction():
                Quotas(database).reserve(f"prj_{place}", key, projects=1)
            taken.append(f"prj_{place}")
        except OverQuota:
            pass
        finally:
            database.close()

    threads = [threading.Thread(target=call, args=(place,)) for place in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 7


def test_what_fails_in_a_transaction_is_not_kept(address: str) -> None:
    database = Database(address)
    keys = Keys(database)
    with suppress(RuntimeError), database.transaction():
        keys.add("somebody", QuotaSettings())
        raise RuntimeError
    assert keys.all() == []


def test_a_newer_layout_is_refused(address: str) -> None:
    database = Database(address)
    with database.transaction():
        database._connection.set_version(VERSION + 1)
    with pytest.raises(DLCodeGenError, match="newer version"):
        Database(address)


def test_a_file_of_the_first_layout_is_read(tmp_path: Path) -> None:
    path = str(tmp_path / "db.sqlite")
    first = sqlite3.connect(path)
    first.executescript(_LAYOUTS[0])
    first.execute("PRAGMA user_version = 1")
    first.close()
    database = Database(path)
    key, _ = Keys(database).add("somebody", QuotaSettings())
    Projects(database).add("prj_1", key.id, Requirement(id="r", row=0, requirement=ASKED), 0)
    assert database.value("SELECT count(*) FROM projects WHERE gateway = ''") == 1


def test_several_gateways_want_a_server() -> None:
    with pytest.raises(ValueError, match="postgresql://"):
        OnlineSettings(gateways=2)
    assert OnlineSettings(gateways=2, database="postgresql://somebody@somewhere/db").gateways == 2


def test_a_server_that_is_not_there_is_one_line_without_its_password() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(FaultError) as raised:
        Database(f"postgresql://me:sesame@127.0.0.1:{port}/db")
    assert "refused" in str(raised.value)
    assert "sesame" not in str(raised.value)
    assert "\n" not in str(raised.value)


@needs_postgres
def test_a_server_that_restarts_costs_no_project(server: PostgreSQLServer, stages: StagesServer) -> None:
    async def work() -> None:
        async with online(emptied(server), stages) as it:
            begun = await it.client.post(
                "/v1/projects", json={"requirement": ASKED}, headers={"Prefer": "respond-async"}
            )
            server.stop()
            try:
                refused = await it.client.post("/v1/projects", json={"requirement": ASKED})
                assert (refused.status_code, refused.json()["error"]["code"]) == (503, "database_unavailable")
                assert refused.headers["retry-after"]
                with pytest.raises(DatabaseFault):
                    it.service.look_after()
            finally:
                server.start()
            end = time.monotonic() + scaled(60)
            while (state := (await it.client.get(begun.headers["location"])).json())["status"] == "under_way":
                assert time.monotonic() < end
                await asyncio.sleep(0.5)
            assert state["status"] == "completed"
            assert (await it.client.get("/v1/usage")).json()["total"]["projects"] == 1

    run(work)


@needs_postgres
def test_a_project_whose_gateway_is_killed_is_finished_by_another_one(
    server: PostgreSQLServer, stages: StagesServer
) -> None:
    address = emptied(server)
    _, secret = Keys(Database(address)).add("tests", QuotaSettings(), SCOPES)
    headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": "once"}
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", "tests.serving.gateway_process", address, str(port)])
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=scaled(30)) as client:
            _wait_for(client)
            later = client.post("/v1/projects", json={"requirement": ASKED}, headers={"Prefer": "respond-async"})
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert later.status_code == 202

    async def work() -> None:
        async with online(address, stages) as it:
            status = it.service.status_of(later.json()["id"])
            if status == "under_way":  # else it was done before the kill
                it.service.database.change("UPDATE gateways SET seen = 0 WHERE id <> ?", it.service.gateways.id)
                assert it.service.look_after() == 1
            again = await it.client.post("/v1/projects", json={"requirement": ASKED}, headers=headers)
            assert again.json()["id"] == later.json()["id"]
            assert again.json()["status"] == "completed"
            usage = await it.client.get("/v1/usage", headers=headers)
            assert usage.json()["total"]["projects"] == 1

    run(work)


def _wait_for(client: httpx.Client) -> None:
    end = time.monotonic() + scaled(90)
    while True:
        try:
            if client.get("/healthz").is_success:
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < end
        time.sleep(0.2)
