"""What a dry run foretells is what a run asks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jobs.dry_run import main as estimate
from jobs.experiments.spec import ExperimentConfig
from jobs.generation.estimate import estimate_run, totals_of
from jobs.generation.settings import GenerateConfig
from pipeline.config import load_settings
from pipeline.inputs import read_requirements
from pipeline.llm.protocol import ChatReply, ChatRequest, Usage
from pipeline.llm.scripted import ScriptedLLM
from pipeline.llm.spending.cache import ResponseCache
from pipeline.llm.spending.cached_llm import CachedLLM
from pipeline.llm.spending.cost import cost_of
from pipeline.llm.tokens import estimate_prompt
from pipeline.methods import generation_stages
from pipeline.stage import run_local
from pipeline.starter import requirement_rows
from tests.pipeline.generate.llm.scripts import PLAN, competent

ROWS = 6


@pytest.fixture
def source(tmp_path: Path) -> str:
    path = tmp_path / "requirements.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in list(requirement_rows())[:ROWS]))
    return str(path)


def _config(source: str, tmp_path: Path, *settings: str) -> GenerateConfig:
    given = ["llm=scripted", "model=scripted", "price.input=1", "price.output=2", *settings]
    return load_settings(GenerateConfig, None, given, input=source, out=str(tmp_path / "run"))


def _run(config: GenerateConfig) -> ScriptedLLM:
    """The same run for real, with the cache the dry run looks into."""
    llm = ScriptedLLM(competent)
    cached = CachedLLM(llm, ResponseCache(config.llm.cache_for(config.run.out) or ""))
    list(run_local(generation_stages(config, lambda: cached), read_requirements(config.run.input)))
    return llm


@pytest.mark.parametrize(("method", "calls", "exact"), [("direct", 1, 1), ("dlcodegen", 5, 1), ("ps", 2, 1)])
def test_calls_are_those_of_the_run_and_exact_prompts_are_known(
    source: str, tmp_path: Path, method: str, calls: int, exact: int
) -> None:
    config = _config(source, tmp_path, f"method={method}")
    estimate = estimate_run(config)
    llm = _run(config)
    assert estimate.calls == calls * ROWS
    assert estimate.calls - estimate.free == len(llm.requests)
    assert estimate.exact == len(llm.requests) - (calls - exact) * ROWS
    if calls == exact:
        assert estimate.prompt_tokens == sum(map(estimate_prompt, llm.requests))
    assert estimate.most_reply_tokens >= 3 * 4096 * len(llm.requests), "asked twice, with twice the room"
    assert estimate.cost == pytest.approx((estimate.prompt_tokens + 2 * estimate.reply_tokens) / 1e6)


def test_what_the_cache_holds_is_free(source: str, tmp_path: Path) -> None:
    config = _config(source, tmp_path, "method=dlcodegen")
    _run(config)
    estimate = estimate_run(config)
    assert (estimate.calls, estimate.free, estimate.cost) == (5 * ROWS, 5 * ROWS, 0)
    other_seed = _config(source, tmp_path, "method=dlcodegen", "seed=1")
    assert estimate_run(other_seed).free == 0, "no two rows share a prompt, nor two seeds a reply"


def test_what_an_earlier_run_asks_is_free_to_a_later_one(source: str, tmp_path: Path) -> None:
    spec = ExperimentConfig.model_validate(
        {
            "input": source,
            "out": str(tmp_path / "experiment"),
            "methods": ["copy", "dlcodegen", "wo-comparison-tr", "wo-comparison-cr"],
            "models": [{"llm": "scripted", "model": "scripted"}],
        }
    )
    copy, whole, code, template = estimate(spec)
    assert copy.calls == 0
    assert (code.calls, code.free) == (2 * ROWS, 2 * ROWS)
    assert (template.calls, template.free) == (3 * ROWS, 3 * ROWS)
    expected, most = totals_of([copy, whole, code, template])
    assert expected.calls == whole.calls - whole.free
    assert expected.tokens < most.tokens
    assert not (tmp_path / "experiment").exists()


def test_chains_are_counted_but_not_written(source: str, tmp_path: Path) -> None:
    estimate = estimate_run(_config(source, tmp_path, "method=c-cot"))
    assert estimate.calls > 10 + ROWS
    assert not (tmp_path / "c-cot").exists()


class _Worst(ScriptedLLM):
    """Each reply is as long as it may be, is cut off, and the first ones to a question are useless."""

    first = 500
    """Tokens that a first reply may have."""

    def __init__(self) -> None:
        super().__init__(self._reply)
        self.paid = Usage()

    def _reply(self, request: ChatRequest) -> ChatReply:
        tokens = request.sampling.max_tokens
        prompt = sum(len(message.content) for message in request.messages)  # a token for each character
        self.paid = Usage(
            prompt_tokens=self.paid.prompt_tokens + prompt,
            completion_tokens=self.paid.completion_tokens + tokens,
        )
        # A second asking has twice the room, and is answered; what comes first only prepares.
        body = "x = 1\nprint(x)\n" if tokens > self.first else "import os\n"
        text = json.dumps(PLAN) if request.schema and tokens > self.first else body
        return ChatReply(text=f"{text}# {len(self.requests)}\n" * 3, finish_reason="length")


@pytest.mark.parametrize("method", ["direct", "ps", "dlcodegen"])
def test_at_most_is_at_most(source: str, tmp_path: Path, method: str) -> None:
    config = _config(source, tmp_path, f"method={method}", "max_tokens=500", "cache=off")
    estimate = estimate_run(config)
    llm = _Worst()
    list(run_local(generation_stages(config, lambda: llm), read_requirements(config.run.input)))
    assert len(llm.requests) > estimate.calls, "the worst comes to more calls than are expected"
    assert len(llm.requests) <= estimate.most_calls
    assert llm.paid.prompt_tokens <= estimate.most_prompt_tokens
    assert llm.paid.completion_tokens <= estimate.most_reply_tokens
    assert cost_of(llm.paid, config.llm.price) <= estimate.most_cost
