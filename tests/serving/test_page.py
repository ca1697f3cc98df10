"""The page without a browser: forms in, pages out, and who may send them."""

from __future__ import annotations

import re
from pathlib import Path

import httpx

from serving.work.stages import StagesServer
from tests.serving.service import ASKED, Online, online, run

HOSTILE = "Classify </textarea></script><script>alert(1)</script><img src=x onerror=alert(2)> birds ‮ into 5 kinds"


async def signed_in(it: Online) -> str:
    """Signs the client in; the CSRF token of its forms."""
    del it.client.headers["Authorization"]
    it.client.headers["Origin"] = "http://test"
    it.client.headers["Accept"] = "text/html"
    answer = await it.client.post("/login", data={"secret": it.secret})
    assert answer.status_code == 303
    assert "httponly" in answer.headers["set-cookie"].lower()
    assert "samesite=strict" in answer.headers["set-cookie"].lower()
    return token_in((await it.client.get("/")).text)


def token_in(page: str) -> str:
    match = re.search(r'name="csrf" value="([^"]+)"', page)
    assert match is not None
    return match[1]


async def made(it: Online, csrf: str, requirement: str) -> str:
    """The address of a finished project's page."""
    answer = await it.client.post("/projects", data={"csrf": csrf, "requirement": requirement, "attributes": ""})
    assert answer.status_code == 303, answer.text
    address = answer.headers["location"]
    await it.service.runs.finished(address.rpartition("/")[2])
    return str(address)


def inline_code(page: str) -> list[str]:
    """Scripts, styles and handlers inside of a page: the policy would refuse them."""
    scripts = re.findall(r"<script(?![^>]*\bsrc=)[^>]*>", page)
    return scripts + re.findall(r"<style|\sstyle=|<[^>]+\son\w+=", page)


def test_a_project_from_the_form_to_its_files(tmp_path: Path, stages: StagesServer) -> None:
    async def work() -> None:
        async with online(tmp_path / "db", stages) as it:
            csrf = await signed_in(it)
            address = await made(it, csrf, ASKED)
            page = (await it.client.get(address)).text
            for heading in (
                "The project",
                "What was understood",
                "The plan",
                "The nearest samples",
                "The two drafts",
                "What was taken from which",
                "How good is it?",
            ):
                assert heading in page
            assert inline_code(page) == []
            assert address in (await it.client.get("/")).text
            file = await it.client.get(f"/v1{address}/files/project.py")
            assert file.headers["content-disposition"].startswith("attachment")
            rating = {"csrf": csrf, "compliance": "9", "usefulness": "", "idiomaticity": "7", "comment": "good"}
            await it.client.post(f"{address}/rating", data=rating)
            assert "Your rating is kept" in (await it.client.get(address)).text

    run(work)


def test_the_plan_and_what_was_understood_can_be_changed(tmp_path: Path, stages: StagesServer) -> None:
    async def work() -> None:
        async with online(tmp_path / "db", stages) as it:
            csrf = await signed_in(it)
            address = await made(it, csrf, ASKED)
            page = (await it.client.get(address)).text
            fields = dict(re.findall(r'<input id="plan-\w+" name="(\w+)" type="text" value="([^"]*)"', page))
            fields |= dict(re.findall(r'<textarea id="plan-\w+" name="(\w+)"[^>]*>\n([^<]*)</textarea>', page))
            assert len(fields) == 11
            fields = {name: value.replace("&#39;", "'").replace("&#34;", '"') for name, value in fields.items()}
            answer = await it.client.post(f"{address}/plan", data=fields | {"csrf": csrf, "epochs": "7"})
            second = answer.headers["location"].rpartition("/")[2]
            await it.service.runs.finished(second)
            row = it.service.projects.record_of(second)
            assert row is not None
            assert row.plan is not None
            assert row.plan.hyperparameters.epochs == 7
            # Nothing but what was edited is told as edited.
            assert [change.field for change in row.plan_changes if "you edited" in change.because] == ["epochs"]
            keep = [str(place) for place in range(1, 8)]
            answer = await it.client.post(
                f"{address}/understood", data={"csrf": csrf, "keep": keep, "also": "12 epochs"}
            )
            third = answer.headers["location"].rpartition("/")[2]
            await it.service.runs.finished(third)
            row = it.service.projects.record_of(third)
            assert row is not None
            assert ("epochs", "12") in {(one.name, one.value) for one in row.constraints}

    run(work)


def test_hostile_words_stay_words(tmp_path: Path, stages: StagesServer) -> None:
    async def work() -> None:
        async with online(tmp_path / "db", stages) as it:
            csrf = await signed_in(it)
            address = await made(it, csrf, HOSTILE)
            for page in ((await it.client.get(address)).text, (await it.client.get("/")).text):
                assert "<script>alert" not in page
                assert "<img" not in page
                assert "\u202e" not in page
                assert inline_code(page) == []

    run(work)


def test_a_requirement_that_is_too_long_comes_back_with_the_reason(tmp_path: Path, stages: StagesServer) -> None:
    async def work() -> None:
        async with online(tmp_path / "db", stages) as it:
            csrf = await signed_in(it)
            long = "Classify birds. " * 12_500
            answer = await it.client.post("/projects", data={"csrf": csrf, "requirement": long, "attributes": ""})
            assert answer.status_code == 400
            assert "are too many" in answer.text
            assert "Classify birds." in answer.text

    run(work)


def test_forms_of_other_sites_and_of_nobody_do_nothing(tmp_path: Path, stages: StagesServer) -> None:
    async def work() -> None:
        async with online(tmp_path / "db", stages) as it:
            csrf = await signed_in(it)
            form = {"requirement": ASKED, "attributes": ""}
            refused: list[httpx.Response] = [
                await it.client.post("/projects", data=form),
                await it.client.post("/projects", data=form | {"csrf": "guessed"}),
                await it.client.post(
                    "/projects", data=form | {"csrf": csrf}, headers={"Origin": "https://evil.example"}
                ),
                await it.client.post("/v1/projects", json=form, headers={"Origin": "https://evil.example"}),
                await it.client.post("/login", data={"secret": it.secret}, headers={"Origin": "https://evil.example"}),
            ]
            assert [answer.status_code for answer in refused] == [403] * 5
            assert it.service.database.value("SELECT count(*) FROM projects") == 0
            await it.client.post("/logout", data={"csrf": csrf})
            answer = await it.client.get("/")
            assert (answer.status_code, answer.headers["location"]) == (303, "/login")
            wrong = await it.client.post("/login", data={"secret": "dlc_wrong"})
            assert wrong.status_code == 401
            assert "does not exist" in wrong.text

    run(work)


def test_a_project_without_a_result_says_why_in_plain_words(tmp_path: Path, stages: StagesServer) -> None:
    async def work() -> None:
        async with online(tmp_path / "db", stages) as it:
            csrf = await signed_in(it)
            address = await made(it, csrf, "Classify photos of birds in JAX and Flax.")
            page = (await it.client.get(address)).text
            assert "No project came of this." in page
            assert "Download all" not in page
            missing = await it.client.get("/projects/prj_0")
            assert missing.status_code == 404
            assert "there is no project" in missing.text

    run(work)
