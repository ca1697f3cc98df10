"""A row's calls as they were made, out of the response cache."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from jobs.runs.shown.calls import NO_PROMPT, NOT_KEPT, cache_of_run, calls_text, write_calls
from pipeline.config import PipelineSettings
from pipeline.errors import DLCodeGenError
from pipeline.inputs import read_requirements
from pipeline.llm.scripted import ScriptedLLM
from pipeline.llm.spending.cache import ResponseCache
from pipeline.llm.spending.cached_llm import CachedLLM
from pipeline.methods import generation_stages
from pipeline.records import Scored
from pipeline.stage import run_local
from pipeline.starter import STARTER
from tests.pipeline.generate.llm.scripts import competent


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Scored, ResponseCache]:
    cache = ResponseCache(str(tmp_path_factory.mktemp("cache") / "llm-cache"))
    llm = CachedLLM(ScriptedLLM(competent), cache)
    rows = [row for row in read_requirements(STARTER) if row.row == 0]
    settings = PipelineSettings(method="ps", llm="scripted")
    (row,) = run_local(generation_stages(settings, lambda: llm), rows)
    assert isinstance(row, Scored)
    return row, cache


def test_each_prompt_is_shown_as_it_was_sent_and_each_reply_as_it_came(kept: tuple[Scored, ResponseCache]) -> None:
    row, cache = kept
    text = calls_text(row, cache)
    assert text.count("===== call ") == len(row.calls) == 2
    assert "call 1: plan, prompt ps_plan" in text
    assert text.count("----- sent: system\n") == text.count("----- received\n") == 2
    assert row.requirement in text
    assert "# ps\nimport numpy" in text, "the reply, not what was read of it"


def test_what_is_not_kept_is_said(kept: tuple[Scored, ResponseCache]) -> None:
    row, cache = kept
    assert calls_text(row, None).count(NOT_KEPT) == 2
    lost = replace(row, calls=tuple(replace(call, key="0" * 64) for call in row.calls))
    assert calls_text(lost, cache).count(NOT_KEPT) == 2
    reply = cache.get(row.calls[0].key)
    assert reply is not None
    cache.put("1" * 64, "m", reply)  # as an earlier version kept it
    older = replace(row, calls=(replace(row.calls[0], key="1" * 64),))
    assert NO_PROMPT in calls_text(older, cache)
    assert "no language model was asked" in calls_text(replace(row, calls=()), cache)


def test_a_row_s_calls_are_one_file(kept: tuple[Scored, ResponseCache], tmp_path: Path) -> None:
    row, cache = kept
    path = write_calls(row, cache, str(tmp_path / "calls"))
    assert Path(path).read_text() == calls_text(row, cache)


def test_a_run_s_cache_is_found_by_its_manifest(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    with pytest.raises(DLCodeGenError, match=r"no manifest\.json that names its response cache"):
        cache_of_run(str(run))
    for llm, location in (
        ({"backend": "openai", "cache": "auto"}, str(tmp_path / "llm-cache")),
        ({"backend": "openai", "cache": "off"}, None),
    ):
        (run / "manifest.json").write_text(json.dumps({"settings": {"llm": llm}}))
        found = cache_of_run(str(run))
        assert (found and found.location) == location
