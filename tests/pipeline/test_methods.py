"""Every method end to end with a scripted model on starter data: which calls it makes, and what comes out."""

from __future__ import annotations

import asyncio
from typing import get_args

import pytest

from pipeline.config import WITHOUT_LLM, Method, PipelineSettings, load_settings
from pipeline.errors import DLCodeGenError
from pipeline.generate.llm.chains import Categories, make_chains, save_chains
from pipeline.generate.symbolic.notebook import read_notebook
from pipeline.inputs import read_requirements
from pipeline.llm.asking.asker import Asker
from pipeline.llm.protocol import ChatRequest
from pipeline.llm.scripted import ScriptedLLM
from pipeline.measures.delivery.not_done import without_list
from pipeline.measures.project_scores import main_source
from pipeline.methods import generation_stages
from pipeline.records import Requirement, Scored
from pipeline.retrieval.sample_pool import load_known_plans, load_samples
from pipeline.stage import check_chain, run_local
from pipeline.starter import STARTER
from tests.pipeline.generate.llm.scripts import competent, fenced, role_of

CALLS = {
    "dlcodegen": ["plan", "template", "draft 1", "draft 2", "compare"],
    "direct": ["direct"],
    "ps": ["plan", "ps"],
    "c-cot": ["c-cot"],
    "cedar": ["cedar"],
    "wo-cr": ["plan", "template", "c-cot", "draft 2", "compare"],
    "wo-tr": ["plan", "draft 1", "cedar", "compare"],
    "wo-comparison-cr": ["plan", "template", "draft 2"],
    "wo-comparison-tr": ["plan", "draft 1"],
    "wo-cr-tr": ["plan", "c-cot", "cedar", "compare"],
    "isolated-1": ["plan", "draft 1", "isolated"],
    "isolated-2": ["plan", "template", "draft 2", "isolated"],
    "plain-template": ["plan", "draft 1", "draft 2", "compare"],
    "keep-useful": ["plan", "template", "draft 1", "draft 2", "compare"],  # these drafts have no parts to keep
    "direct-bare": ["direct"],
    "template-if-alike": ["plan", "template", "draft 1", "draft 2", "compare"],  # the samples of these rows are alike
    "compare-if-unmet": ["plan", "template", "draft 1", "draft 2", "compare"],  # these drafts lack what is asked
}


@pytest.fixture(scope="module")
def chains(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = str(tmp_path_factory.mktemp("c-cot") / "chains.json")
    llm = ScriptedLLM(competent)
    made = asyncio.run(make_chains(Asker(llm), Categories(load_known_plans(STARTER)), 3))
    save_chains(path, llm.model, made)
    return path


def _rows(count: int) -> list[Requirement]:
    return [row for row in read_requirements(STARTER) if row.row < count]


def _run(method: str, chains: str, rows: list[Requirement]) -> tuple[list[Scored], ScriptedLLM]:
    llm = ScriptedLLM(competent)
    settings = PipelineSettings.model_validate(
        {"method": method, "llm": "scripted", "c_cot": {"chains": chains}, "price": {"input": 1, "output": 2}}
    )
    found = list(run_local(generation_stages(settings, lambda: llm), rows))
    assert all(isinstance(row, Scored) for row in found)
    return found, llm  # type: ignore[return-value]


def test_every_method_is_tried_here() -> None:
    assert {*CALLS, *WITHOUT_LLM} == set(get_args(Method))


@pytest.mark.parametrize("method", CALLS)
def test_a_method_makes_its_calls_in_its_order_and_ends_with_a_project(method: str, chains: str) -> None:
    rows, llm = _run(method, chains, _rows(3))
    for row in rows:
        assert row.failure is None
        assert row.scores is not None
        assert row.scores.parses
        assert without_list(main_source(row)).startswith(f"# {CALLS[method][-1]}\n")
        assert [call.prompt for call in row.calls] == [_prompt(method, role) for role in CALLS[method]]
        assert all(call.prompt_tokens > 0 and call.completion_tokens > 0 for call in row.calls)
        assert all(call.measured and call.measured.cost > 0 for call in row.calls)
    asked = sorted(role_of(request) for request in llm.requests)
    assert asked == sorted(CALLS[method] * 3)


def _prompt(method: str, role: str) -> str:
    """The prompt's file: PS has a plan's of its own, and so has the direct call without conventions."""
    return {("ps", "plan"): "ps_plan", ("direct-bare", "direct"): "direct_bare"}.get((method, role), _PROMPTS[role])


_PROMPTS = {
    "template": "template",
    "draft 1": "draft_from_sample",
    "draft 2": "draft_from_template",
    "compare": "compare",
    "isolated": "isolated",
    "direct": "direct",
    "plan": "few_shot_plan",
    "ps": "ps_code",
    "c-cot": "c_cot_code",
    "cedar": "cedar",
}


def test_dlcodegen_gives_each_call_what_the_paper_gives_it(chains: str) -> None:
    (row,), llm = _run("dlcodegen", chains, _rows(1))
    assert row.plan is not None
    code = {sample.id: sample.code.strip("\n") for sample in load_samples(STARTER)}
    first, second = (code[sample.id] for sample in row.samples)
    prompts = {role_of(request): request.messages[-1].content for request in llm.requests}
    assert first in prompts["template"]
    for statement in read_notebook(second).statements:
        assert statement.source in prompts["template"], "of the second sample only what stands in the first is left out"
    assert first in prompts["draft 1"]
    assert second not in prompts["draft 1"]
    assert row.template in prompts["draft 2"]
    assert "<<number_of_classes>>" in row.template
    assert row.code_draft in prompts["compare"]
    assert row.template_draft in prompts["compare"]
    for role in ("template", "draft 1", "draft 2", "compare"):
        assert row.requirement in prompts[role]
        assert row.plan.to_json() in prompts[role]


def test_each_call_has_a_seed_of_its_own(chains: str) -> None:
    rows, llm = _run("dlcodegen", chains, _rows(3))
    seeds = {request.sampling.seed for request in llm.requests}
    templates = {row.template for row in rows}
    assert len(seeds) >= 3 * 3 + len(templates)


def test_copy_gives_the_nearest_sample_as_it_is() -> None:
    rows = list(run_local(generation_stages(PipelineSettings(method="copy")), _rows(4)))
    code = {sample.id: sample.code for sample in load_samples(STARTER)}
    for row in rows:
        assert isinstance(row, Scored)
        assert without_list(main_source(row)) == code[row.samples[0].id]
        assert row.calls == ()


def test_a_method_without_its_language_model_says_how_to_get_one() -> None:
    with pytest.raises(DLCodeGenError, match=r"method=ps writes with a language model and none is set; add llm=openai"):
        generation_stages(PipelineSettings(method="ps"))


def test_the_method_is_symbolic_unless_a_language_model_is_set() -> None:
    assert load_settings(PipelineSettings).writing.method == "symbolic"
    assert load_settings(PipelineSettings, None, ["llm=openai", "model=x"]).writing.method == "dlcodegen"
    assert load_settings(PipelineSettings, None, ["llm=openai", "method=auto"]).writing.method == "dlcodegen"
    assert load_settings(PipelineSettings, None, ["llm=openai", "method=ps"]).writing.method == "ps"


@pytest.mark.parametrize(
    ("words", "planner"),
    [
        ((), "retrieval"),
        (("llm=openai", "model=x"), "llm"),
        (("llm=openai", "model=x", "planner=auto"), "llm"),
        (("llm=openai", "model=x", "planner=retrieval"), "retrieval"),
        (("llm=openai", "model=x", "planner=gpt2:out/gpt2"), "gpt2:out/gpt2"),
        (("llm=openai", "model=x", "method=symbolic"), "retrieval"),
    ],
)
def test_the_model_plans_where_there_is_one_and_no_planner_is_given(words: tuple[str, ...], planner: str) -> None:
    assert load_settings(PipelineSettings, None, words).planner.use == planner


def test_all_chains_fit() -> None:
    for method in get_args(Method):
        check_chain(generation_stages(PipelineSettings(method=method), lambda: ScriptedLLM(competent)))


def test_the_calls_of_a_row_that_fails_are_kept(chains: str) -> None:
    def script(request: ChatRequest) -> str:
        return "I like trains." if role_of(request) in ("draft 1", "draft 2", "again") else competent(request)

    llm = ScriptedLLM(script)
    stages = generation_stages(PipelineSettings(method="dlcodegen"), lambda: llm)
    (row,) = run_local(stages, _rows(1))
    assert row.failure is not None
    assert (row.failure.stage, row.failure.kind) == ("draft", "not_python")
    prompts = ["template", "draft_from_sample", "again", "draft_from_template", "again"]
    assert [call.prompt for call in row.calls] == prompts


def test_rows_are_under_way_together_and_come_out_in_order() -> None:
    most, now = 0, 0

    class Slow(ScriptedLLM):
        async def chat(self, request):  # type: ignore[no-untyped-def]
            nonlocal most, now
            now += 1
            most = max(most, now)
            await asyncio.sleep(0.02 if len(self.requests) % 3 else 0.05)
            now -= 1
            return await super().chat(request)

    llm = Slow(lambda request: fenced("x = print(1)\n"))
    stages = generation_stages(PipelineSettings(method="direct"), lambda: llm)
    rows = list(run_local(stages, _rows(24), rows_in_flight=6))
    assert [row.row for row in rows] == list(range(24))
    assert most == 6
