"""The few-shot planner, with a scripted language model."""

from __future__ import annotations

import asyncio
import json

import pytest

from pipeline.config import PipelineSettings, load_settings
from pipeline.errors import DLCodeGenError, StageFailure
from pipeline.llm.asking.asker import Asker
from pipeline.llm.protocol import ChatRequest
from pipeline.llm.scripted import ScriptedLLM
from pipeline.methods import generation_stages
from pipeline.plan.vocabulary import canonical_category
from pipeline.planners.few_shot import FewShotPlanner
from pipeline.records import Planned, Requirement
from pipeline.retrieval.sample_pool import load_known_plans
from pipeline.stage import run_local
from pipeline.understanding import understand_stage

PLAN = json.dumps({"Task Category": "Image Classification", "Model Architecture": {"Layers": ["Dense(3)"]}})


def _ask(llm: ScriptedLLM, requirement: str, examples: int = 3) -> dict[str, object]:
    planner = FewShotPlanner(Asker(llm), load_known_plans(), examples=examples)
    return dict(asyncio.run(planner(Requirement(id="q", row=0, requirement=requirement))))  # type: ignore[arg-type]


def test_similar_plans_are_shown_and_the_reply_is_read_leniently() -> None:
    llm = ScriptedLLM(lambda _: f"Here it is:\n```json\n{PLAN}\n```")
    found = _ask(llm, "Classify photos of mushrooms by genus.")
    assert found["plan"].layers == ("Dense(3)",)  # type: ignore[attr-defined]
    (request,) = llm.requests
    assert request.schema is not None
    assert "Task Category" in request.schema
    prompt = request.messages[-1].content
    assert prompt.count('"User Requirement"') == len(found["plan_sources"]) == 3  # type: ignore[arg-type]
    assert prompt.count('"Model Architecture"') == 3
    assert prompt.startswith("Requirement:\nClassify photos of mushrooms by genus.")
    assert "- problem classification" in prompt, "what was read in the request stands beside it"
    assert found["calls"][0].prompt == "few_shot_plan"  # type: ignore[index]


def test_the_examples_differ_in_their_task() -> None:
    category_of = {known.id: canonical_category(known.plan.task_category) for known in load_known_plans()}
    found = _ask(ScriptedLLM(lambda _: PLAN), "Classify photos of mushrooms by genus.", examples=5)
    categories = [category_of[source] for source in found["plan_sources"]]  # type: ignore[attr-defined]
    assert categories[0] == "Image Classification"
    assert len(set(categories)) == 5


def test_where_there_are_fewer_tasks_than_examples_the_nearest_others_fill_up() -> None:
    known = [plan for plan in load_known_plans() if "Image Classification" in plan.plan.task_category]
    planner = FewShotPlanner(Asker(ScriptedLLM(lambda _: PLAN)), known, examples=3)
    row = Requirement(id="q", row=0, requirement="Classify photos of mushrooms by genus.")
    found = dict(asyncio.run(planner(row)))
    assert len(found["plan_sources"]) == 3  # type: ignore[arg-type]


def test_each_field_says_whether_it_was_stated_or_who_guessed_it() -> None:
    settings = load_settings(PipelineSettings, None, ["llm=scripted", "method=dlcodegen"])
    plan = next(stage for stage in generation_stages(settings, lambda: ScriptedLLM(_script)) if stage.name == "plan")
    row = Requirement(id="q", row=0, requirement="Classify photos of mushrooms, batch size 12, without dropout.")
    (planned,) = run_local([understand_stage(), plan], [row])
    assert isinstance(planned, Planned)
    origins = {origin.field: (origin.source, origin.by) for origin in planned.plan_origins}
    assert origins["batch_size"] == ("stated", "batch_size 12")
    assert origins["layers"] == ("guessed", "scripted")
    assert "epochs" not in origins, "the plan leaves it open"


def test_a_near_copy_of_the_requirement_is_never_shown() -> None:
    known = load_known_plans()[3]
    llm = ScriptedLLM(lambda _: PLAN)
    assert known.id not in _ask(llm, known.requirement)["plan_sources"]  # type: ignore[operator]
    shown = llm.requests[0].messages[-1].content
    assert shown.count(json.dumps(known.requirement, ensure_ascii=False)) == 0


def test_a_useless_reply_is_asked_for_once_more_and_then_the_row_fails() -> None:
    replies = iter(["I cannot say.", PLAN])
    assert _ask(ScriptedLLM(lambda _: next(replies)), "Sort photos.")["plan"] is not None
    with pytest.raises(StageFailure) as failure:
        _ask(ScriptedLLM(lambda _: "I cannot say."), "Sort photos.")
    assert failure.value.kind == "unreadable_plan"
    assert "again" in str(failure.value)


def test_in_a_run_similar_projects_plan_where_the_model_gives_no_plan() -> None:
    llm = ScriptedLLM(lambda _: "I cannot say.")
    settings = load_settings(PipelineSettings, None, ["llm=scripted", "method=dlcodegen"])
    plan = next(stage for stage in generation_stages(settings, lambda: llm) if stage.name == "plan")
    row = Requirement(id="q", row=0, requirement="Classify photos of mushrooms by genus.")
    (planned,) = run_local([understand_stage(), plan], [row])
    assert isinstance(planned, Planned)
    assert planned.failure is None
    assert planned.plan is not None
    assert len(planned.calls) == 2
    assert planned.calls[-1].cut[-1].endswith("the plan is drawn from similar projects")
    guesses = {origin.by for origin in planned.plan_origins if origin.source == "guessed"}
    assert guesses == {"similar projects"}


def _script(request: ChatRequest) -> str:
    return PLAN


def test_any_method_can_plan_by_it_but_ps_which_is_its_own_planner() -> None:
    for method, waits in (("symbolic", True), ("dlcodegen", True), ("ps", True)):
        settings = load_settings(PipelineSettings, None, ["planner=llm", "llm=scripted", f"method={method}"])
        plan = next(
            stage for stage in generation_stages(settings, lambda: ScriptedLLM(_script)) if stage.name == "plan"
        )
        assert plan.waits is waits
    stages = generation_stages(load_settings(PipelineSettings, None, ["planner=llm"]))
    plan = next(stage for stage in stages if stage.name == "plan")
    with pytest.raises(DLCodeGenError, match="planner=llm asks a language model and none is set"):
        plan.build()
