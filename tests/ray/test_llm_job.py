"""A method with a language model as a job on Ray: the rows of the local run, budgets that stop it, mistakes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from jobs.generate import main
from jobs.generation.prompt_shares import shares_of_run
from jobs.generation.settings import GenerateConfig
from jobs.runs.store import RunStore
from pipeline.config import load_settings
from pipeline.errors import DLCodeGenError
from pipeline.inputs import read_requirements
from pipeline.llm.asking.prompt_files import prompts_version
from pipeline.llm.build import build_llm
from pipeline.llm.protocol import ChatRequest, Message
from pipeline.methods import generation_stages
from pipeline.stage import run_local
from pipeline.starter import requirement_rows
from tests.pipeline.generate.llm.scripts import competent
from tests.pipeline.llm.client.fault_server import MODEL, FaultServer, completion

pytestmark = pytest.mark.ray


def answered(body: dict[str, Any]) -> dict[str, Any]:
    """What the scripted model answers, over HTTP."""
    messages = tuple(Message(role=item["role"], content=item["content"]) for item in body["messages"])
    wanted = body.get("response_format", {}).get("json_schema", {}).get("schema")
    request = ChatRequest(messages=messages, schema=json.dumps(wanted) if wanted else None)
    return completion(competent(request))


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("input") / "requirements.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in list(requirement_rows())[:14]))
    return str(path)


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with FaultServer(answer=answered).running() as running:
        yield running


def _config(source: str, out: Path, server: FaultServer, *settings: str) -> GenerateConfig:
    reached = ["llm=openai", f"model={MODEL}", f"base_url={server.url}"]
    # The shorter samples, which make short prompts.
    given = [*reached, "pool=starter40", "shard_rows=4", "quiet=true", *settings]
    return load_settings(GenerateConfig, None, given, input=source, out=str(out))


def test_the_ray_run_equals_the_local_run(source: str, server: FaultServer, tmp_path: Path) -> None:
    config = _config(source, tmp_path / "run", server, "price.input=1", "price.output=2")
    summary = main(config)
    assert (summary.generated, summary.bugs, summary.pending) == (14, 0, 0)
    stages = generation_stages(config, lambda: build_llm(config.llm.model_copy(update={"cache": "off"})))
    expected = list(run_local(stages, read_requirements(source)))
    assert list(RunStore(config.run.out).results()) == expected
    assert len(expected[0].calls) == 5
    *shares, whole = shares_of_run(config.run.out)
    assert {share.prompt for share in shares} == {call.prompt for call in expected[0].calls}
    assert whole.within_run > whole.within_row > 0.3
    assert whole.by_engine == pytest.approx(6 / 14), "as the server says of each prompt"


def test_what_a_stage_that_computes_has_added_reaches_one_that_waits(
    source: str, server: FaultServer, tmp_path: Path
) -> None:
    config = _config(source, tmp_path / "run", server, "method=plain-template")
    assert main(config).failures == {}
    stages = generation_stages(config, lambda: build_llm(config.llm.model_copy(update={"cache": "off"})))
    assert list(RunStore(config.run.out).results()) == list(run_local(stages, read_requirements(source)))


def test_a_budget_stops_the_run_and_a_higher_one_lets_it_go_on(source: str, tmp_path: Path) -> None:
    with FaultServer(answer=answered, seconds=lambda body: 0.01).running() as server:
        # One process, so that calls are made in one order.
        alone = ("llm_workers=1", "price.input=1", "price.output=2")
        whole = main(_config(source, tmp_path / "a" / "whole", server, *alone))
        asked = len(server.seen)
        # A call is put aside with all the tokens it may take, so the limit is reached before it is used up.
        stop = ["budget.tokens=5000", "max_tokens=200", *alone]
        first = main(_config(source, tmp_path / "b" / "run", server, *stop))
        assert first.stopped is not None
        assert "max-tokens 5,000 is reached" in first.stopped
        assert first.pending > 0
        assert first.generated + first.pending == 14
        spent = json.loads((tmp_path / "b" / "run" / "spent.json").read_text())
        assert spent["calls"] == len(server.seen) - asked
        assert spent["tokens"] <= 5000
        again = main(_config(source, tmp_path / "b" / "run", server, *stop))
        assert (again.pending, again.generated) == (first.pending, first.generated)
        second = main(_config(source, tmp_path / "b" / "run", server, "budget.tokens=900000", *stop[1:]))
        assert (second.pending, second.generated, second.stopped) == (0, 14, None)
        assert len(server.seen) == 2 * asked
    assert whole.calls.calls == second.calls.calls == 14 * 5
    assert whole.calls.cost > 0


def test_calls_lie_beside_the_results_with_what_they_took(source: str, server: FaultServer, tmp_path: Path) -> None:
    summary = main(_config(source, tmp_path / "run", server, "method=direct", "price.input=1", "price.output=2"))
    calls = pq.read_table(tmp_path / "run" / "calls").to_pylist()
    results = pq.read_table(tmp_path / "run" / "results").to_pylist()
    assert [call["id"] for call in calls] == [row["id"] for row in results]
    for call in calls:
        assert (call["stage"], call["prompt"], call["finish_reason"], call["cached"]) == (
            "write",
            "direct",
            "stop",
            False,
        )
        assert call["seconds"] > 0
        assert call["cost"] == pytest.approx((7 + 2 * call["completion_tokens"]) / 1e6)
    assert all(row["calls"][0]["measured"] is None for row in results)
    assert summary.calls.cost == pytest.approx(sum(call["cost"] for call in calls))
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["calls"]["calls"] == 14
    measured = next(RunStore(str(tmp_path / "run")).results(measured=True))
    assert measured.calls[0].measured is not None
    # The same run elsewhere has all answers in the cache, and equal results.
    again = main(_config(source, tmp_path / "other", server, "method=direct", "price.input=1", "price.output=2"))
    assert (again.calls.cached, again.calls.cost) == (14, 0)
    for name in ("part-000000.parquet", "part-000003.parquet"):
        ours, theirs = (tmp_path / run / "results" / name for run in ("run", "other"))
        assert ours.read_bytes() == theirs.read_bytes()


def test_a_wrong_model_ends_the_job_at_once_with_its_name(source: str, server: FaultServer, tmp_path: Path) -> None:
    with pytest.raises(DLCodeGenError, match="model=nonesuch may be none of its models"):
        main(_config(source, tmp_path / "run", server, "model=nonesuch"))


def test_c_cot_makes_its_chains_once_and_keeps_them(source: str, tmp_path: Path) -> None:
    with FaultServer(answer=answered).running() as server:
        first = main(_config(source, tmp_path / "a", server, "method=c-cot", "price.output=1"))
        (chains,) = (tmp_path / "c-cot").iterdir()
        made = json.loads(chains.read_text())
        assert all(item["chain"] and 1 <= len(item["problems"]) <= 3 for item in made["chains"])
        asked = len(server.seen)
        assert asked == len(made["chains"]) + 14
        assert (first.calls.calls, first.calls.cached) == (asked, 0)
        assert [row.prompt for row in RunStore(first.out).shared_calls()] == ["c_cot_chain"] * len(made["chains"])
        assert "c_cot_chain" in (tmp_path / "a" / "report.html").read_text()
        second = main(_config(source, tmp_path / "b", server, "method=c-cot", "seed=1", "temperature=0.5"))
        assert len(server.seen) == asked + 14
        assert (second.calls.calls, second.calls.cached) == (asked, len(made["chains"]))
        assert list((tmp_path / "c-cot").iterdir()) == [chains]


def test_many_rows_are_under_way_in_each_of_several_processes(source: str, tmp_path: Path) -> None:
    with FaultServer(answer=answered, seconds=lambda body: 2.0).running() as server:
        settings = ("method=direct", "shard_rows=2", "rows_in_flight=2", "llm_workers=2", "workers=1")
        assert main(_config(source, tmp_path / "run", server, *settings)).generated == 14
        # Both rows of a shard in one process, while another shard is under way in the other.
        assert server.most_in_flight == 4


def test_a_run_that_was_begun_with_other_prompts_is_not_gone_on_with(
    source: str, server: FaultServer, tmp_path: Path
) -> None:
    config = _config(source, tmp_path / "run", server, "method=direct")
    assert main(config).failures == {}
    staged = Path(config.run.out, "input", "staged.json")
    assert prompts_version() in staged.read_text()
    staged.write_text(staged.read_text().replace(prompts_version(), "of-another-day"))
    with pytest.raises(DLCodeGenError, match="prompts have changed"):
        main(config)
