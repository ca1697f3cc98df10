"""`dlcodegen cache`: what it counts, finds and removes."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from jobs.cli import app
from jobs.commands.cache import quantity
from pipeline.errors import DLCodeGenError
from pipeline.llm.protocol import ChatReply, ChatRequest, Message
from pipeline.llm.spending.cache import ResponseCache, request_key


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["cache", *arguments])


@pytest.fixture
def cache(tmp_path: Path) -> ResponseCache:
    cache = ResponseCache(str(tmp_path / "llm-cache"))
    for number in range(4):
        request = ChatRequest(messages=(Message(role="user", content=str(number)),))
        cache.put(request_key("model-a", request), "model-a", ChatReply(text="x" * 1000))
    return cache


def test_stats_count_entries(cache: ResponseCache) -> None:
    output = run("stats", cache.location).output
    assert "4" in output
    assert "UTC" in output


def test_verify_finds_damage_and_removes_it_when_told(cache: ResponseCache) -> None:
    damaged = next(cache.entries())
    Path(cache.url(damaged.key)).write_bytes(b"torn")
    result = run("verify", cache.location)
    assert result.exit_code == 1
    assert damaged.key in result.output
    assert run("verify", cache.location, "--delete").exit_code == 0
    assert run("verify", cache.location).exit_code == 0
    assert len(list(cache.entries())) == 3


def test_gc_makes_room(cache: ResponseCache) -> None:
    assert "removed 3 entries" in run("gc", cache.location, "--max-size", "2k").output
    assert len(list(cache.entries())) == 1
    assert "removed 0 entries" in run("gc", cache.location, "--older-than", "1d").output


@pytest.mark.parametrize("arguments", [["gc", "{}"], ["gc", "{}", "--older-than", "soon"], ["stats", "{}/nothing"]])
def test_what_cannot_be_meant_is_said(cache: ResponseCache, arguments: list[str]) -> None:
    result = run(*(argument.format(cache.location) for argument in arguments))
    assert isinstance(result.exception, DLCodeGenError)


def test_quantities_have_units() -> None:
    assert quantity("1.5GB", {"G": 1e9}, "--max-size", "1G") == 1.5e9
