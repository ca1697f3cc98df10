"""The response cache: one reply for each thing asked, whatever happens to its files."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pytest

from pipeline.config import PipelineSettings, load_settings
from pipeline.errors import DLCodeGenError, StageFailure
from pipeline.llm.protocol import ChatReply, ChatRequest, Message, Sampling, Usage
from pipeline.llm.scripted import ScriptedLLM
from pipeline.llm.spending.cache import CACHE_VERSION, ResponseCache, request_key
from pipeline.llm.spending.cached_llm import CachedLLM

ASKED = ChatRequest(messages=(Message(role="user", content="Write a layer."),), sampling=Sampling(seed=1))
REPLY = ChatReply(
    text="Dense(10)",
    finish_reason="length",
    usage=Usage(prompt_tokens=4, completion_tokens=2, cached_tokens=1),
    seconds=0.5,
    token_logprobs=(-0.25, -1.5),
)


def put(cache: ResponseCache, asked: ChatRequest = ASKED, reply: ChatReply = REPLY) -> str:
    key = request_key("m", asked)
    cache.put(key, "m", reply)
    return key


@pytest.fixture
def cache(tmp_path: Path) -> ResponseCache:
    return ResponseCache(str(tmp_path / "cache"))


@pytest.mark.parametrize("location", ["{tmp}/cache", "memory://llm-cache-test"])
def test_a_reply_comes_back_whole_from_disk_and_from_any_other_storage(tmp_path: Path, location: str) -> None:
    cache = ResponseCache(location.format(tmp=tmp_path))
    key = put(cache)
    assert ResponseCache(cache.location).get(key) == replace(REPLY, cached=True)
    assert [entry.key for entry in cache.entries()] == [key]
    assert cache.collect(keep_bytes=0)
    assert cache.get(key) is None


def test_all_that_decides_a_reply_is_in_its_key() -> None:
    sampling = ASKED.sampling
    others = [
        replace(ASKED, messages=(Message(role="system", content="Write a layer."),)),
        replace(ASKED, messages=(*ASKED.messages, Message(role="assistant", content=""))),
        replace(ASKED, schema="{}"),
        replace(ASKED, logprobs=True),
        *[replace(ASKED, sampling=replace(sampling, **change)) for change in (
            {"temperature": 0.5}, {"top_p": 0.5}, {"max_tokens": 5}, {"seed": 2}, {"seed": None}, {"stop": ("a",)},
        )],
    ]  # fmt: skip
    keys = [request_key("m", asked) for asked in (ASKED, *others)] + [request_key("other", ASKED)]
    assert len(set(keys)) == len(keys)
    same = replace(ASKED, sampling=replace(sampling, temperature=0))
    assert request_key("m", same) == keys[0], "0 and 0.0 are one temperature"
    assert request_key("m", replace(ASKED, messages=(Message(role="user", content="broken \ud800"),)))


@pytest.mark.parametrize("damage", [b"", b"torn", None])
def test_a_damaged_entry_is_a_miss_and_replaced(cache: ResponseCache, damage: bytes | None) -> None:
    key = put(cache)
    path = Path(cache.url(key))
    path.write_bytes(path.read_bytes().replace(b"Dense(10)", b"Dense(99)") if damage is None else damage)
    assert cache.get(key) is None
    assert [cache.model_of(entry) for entry in cache.entries()] == [None]
    put(cache)
    assert cache.get(key) == replace(REPLY, cached=True)


def test_an_entry_under_another_key_is_a_miss(cache: ResponseCache) -> None:
    key, other = put(cache), request_key("other", ASKED)
    Path(cache.url(other)).parent.mkdir(parents=True)
    os.rename(cache.url(key), cache.url(other))
    assert cache.get(other) is None


def _rewrite(cache: ResponseCache, key: str, version: int | None) -> None:
    """Makes an entry one of another version of the program, None for one of the time before versions."""
    path = Path(cache.url(key))
    body = json.loads(path.read_bytes().partition(b"\n")[2])
    del body["version"]
    if version is not None:
        body["version"] = version
    text = json.dumps(body).encode()
    path.write_bytes(hashlib.sha256(text).hexdigest().encode() + b"\n" + text)


def test_an_entry_of_the_time_before_versions_is_a_reply(cache: ResponseCache) -> None:
    key = put(cache)
    _rewrite(cache, key, None)
    assert cache.get(key) == replace(REPLY, cached=True)
    assert [cache.model_of(entry) for entry in cache.entries()] == ["m"]


def test_prompt_and_reply_are_kept_together_and_earlier_entries_have_no_prompt(cache: ResponseCache) -> None:
    key = request_key("m", ASKED)
    cache.put(key, "m", REPLY, ASKED)
    kept = cache.exchange(key)
    assert kept is not None
    assert (kept.messages, kept.reply) == (ASKED.messages, replace(REPLY, cached=True))
    assert cache.get(key) == replace(REPLY, cached=True)
    _rewrite(cache, put(cache), None)
    without = cache.exchange(key)
    assert without is not None
    assert without.messages == ()
    assert cache.exchange("0" * 64) is None


def test_an_entry_of_a_newer_version_is_refused_and_not_taken_for_a_damaged_one(cache: ResponseCache) -> None:
    key = put(cache)
    _rewrite(cache, key, CACHE_VERSION + 1)
    with pytest.raises(DLCodeGenError, match=r"newer version of this program.*; update.*cache=") as refusal:
        cache.get(key)
    assert "\n" not in str(refusal.value)
    with pytest.raises(DLCodeGenError, match="newer version"):
        cache.model_of(next(cache.entries()))


def _write_many(location: str) -> None:
    cache = ResponseCache(location)
    for number in range(60):
        put(cache, replace(ASKED, sampling=Sampling(seed=number)), replace(REPLY, text=f"reply {number} " * 200))


def test_many_writers_leave_whole_entries_only(cache: ResponseCache) -> None:
    context = get_context("fork")
    writers = [context.Process(target=_write_many, args=(cache.location,)) for _ in range(4)]
    for writer in writers:
        writer.start()
    torn = 0
    while any(writer.is_alive() for writer in writers):
        torn += sum(cache.model_of(entry) is None for entry in cache.entries())
    assert [writer.exitcode for writer in writers] == [0] * 4
    assert torn == 0
    assert sum(cache.model_of(entry) == "m" for entry in cache.entries()) == 60


def test_collecting_takes_the_old_ones_then_the_oldest_and_what_killed_writers_left(cache: ResponseCache) -> None:
    keys = [put(cache, replace(ASKED, sampling=Sampling(seed=number))) for number in range(5)]
    now = time.time()
    for age, key in zip((9000, 400, 300, 200, 100), keys, strict=True):
        os.utime(cache.url(key), (now - age, now - age))
    left, writing = (Path(cache.location) / f".tmp-{name}-entry.json" for name in ("left", "writing"))
    left.write_bytes(b"x")
    writing.write_bytes(b"x")
    os.utime(left, (now - 90_000, now - 90_000))
    size = Path(cache.url(keys[1])).stat().st_size
    removed = cache.collect(older_than=3600, keep_bytes=2 * size + 10)
    assert [entry.key for entry in removed] == keys[:3]
    assert {entry.key for entry in cache.entries()} == set(keys[3:])
    assert (left.exists(), writing.exists()) == (False, True)


def test_a_location_that_cannot_be_used_is_named() -> None:
    with pytest.raises(DLCodeGenError, match="cache=nothing://here"):
        ResponseCache("nothing://here")


def test_a_reply_that_cannot_be_kept_is_given_all_the_same(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = ResponseCache(str(tmp_path / "file"))
    put(cache)
    put(cache)
    assert len(caplog.records) == 1
    assert "cannot be kept" in caplog.text


def test_what_was_answered_is_not_asked_again(cache: ResponseCache) -> None:
    model = ScriptedLLM(lambda asked: "once")
    first = asyncio.run(CachedLLM(model, cache).chat(ASKED))
    again = asyncio.run(CachedLLM(model, cache).chat(ASKED))
    assert (first.cached, again.cached, again.text) == (False, True, "once")
    assert len(model.requests) == 1


def test_a_failure_is_not_kept(cache: ResponseCache) -> None:
    def fails_once(asked: ChatRequest) -> str:
        if len(model.requests) == 1:
            raise StageFailure("llm_unavailable", "down")
        return "up"

    model = ScriptedLLM(fails_once)
    llm = CachedLLM(model, cache)
    with pytest.raises(StageFailure):
        asyncio.run(llm.chat(ASKED))
    assert asyncio.run(llm.chat(ASKED)).text == "up"


class SlowLLM:
    """Takes its time; counts its calls."""

    model = "slow"

    def __init__(self, seconds: float = 0.1) -> None:
        self.calls = 0
        self._seconds = seconds

    async def chat(self, request: ChatRequest) -> ChatReply:
        self.calls += 1
        await asyncio.sleep(self._seconds)
        return ChatReply(text="slow")


def test_equal_requests_at_once_are_one_call_from_several_event_loops_too(cache: ResponseCache) -> None:
    model = SlowLLM()
    llm = CachedLLM(model, cache)
    together = threading.Barrier(3)

    async def many() -> list[ChatReply]:
        together.wait(5)
        return await asyncio.gather(*[llm.chat(ASKED) for _ in range(10)])

    with ThreadPoolExecutor(3) as threads:
        replies = [reply for loop in threads.map(lambda _: asyncio.run(many()), range(3)) for reply in loop]
    assert model.calls == 1
    assert [reply.text for reply in replies] == ["slow"] * 30
    assert sum(not reply.cached for reply in replies) == 1


def test_a_waiting_request_takes_over_when_the_one_in_front_is_cancelled(cache: ResponseCache) -> None:
    model = SlowLLM()
    llm = CachedLLM(model, cache)

    async def run() -> ChatReply:
        front = asyncio.create_task(llm.chat(ASKED))
        await asyncio.sleep(0.02)
        behind = asyncio.create_task(llm.chat(ASKED))
        await asyncio.sleep(0.02)
        front.cancel()
        return await behind

    assert asyncio.run(run()).text == "slow"
    assert model.calls == 2


def test_a_cache_is_its_owners_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    new = ResponseCache(f"{tmp_path}/new/llm-cache")
    key = put(new)
    assert (tmp_path / "new/llm-cache").stat().st_mode & 0o777 == 0o700
    assert Path(new.url(key)).stat().st_mode & 0o777 == 0o600
    older = tmp_path / "older"
    (older / "ab").mkdir(parents=True)
    older.chmod(0o755)
    ResponseCache(str(older))
    assert older.stat().st_mode & 0o777 == 0o700
    assert not caplog.records


def test_a_folder_with_other_files_keeps_its_permissions_and_that_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "letter.txt").touch()
    put(ResponseCache(str(tmp_path)))
    assert tmp_path.stat().st_mode & 0o777 == 0o755
    (message,) = caplog.messages
    assert "others can read" in message


@pytest.mark.parametrize("finish_reason", ["length", "content_filter"])
def test_only_whole_replies_are_kept(cache: ResponseCache, finish_reason: str) -> None:
    replies = iter([replace(REPLY, finish_reason=finish_reason), replace(REPLY, finish_reason="stop", text="whole")])
    llm = CachedLLM(ScriptedLLM(lambda request: next(replies), model="m"), cache)
    texts = [asyncio.run(llm.chat(ASKED)).text for _ in range(3)]
    assert texts == ["Dense(10)", "whole", "whole"]


def test_half_a_reply_of_an_earlier_version_s_cache_is_asked_for_again(cache: ResponseCache) -> None:
    put(cache)
    llm = CachedLLM(ScriptedLLM(lambda request: "whole", model="m"), cache)
    assert asyncio.run(llm.chat(ASKED)).text == "whole"


def test_settings_in_yaml_s_words_are_what_they_say() -> None:
    settings = load_settings(
        PipelineSettings, None, ["llm=openai", "model=123", "cache=off", "seed=null", "top_p=null"]
    )
    assert (settings.llm.model, settings.llm.cache_for("out/run")) == ("123", None)
    assert (settings.writing.seed, settings.writing.top_p) == (None, None)
