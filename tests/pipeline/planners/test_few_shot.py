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
from pipeline.planners.few_shot import FewShotPlanner
from pipeline.records import Requirement
from pipeline.retrieval.sample_pool import load_known_plans

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
    assert prompt.rstrip().endswith("Classify photos of mushrooms by genus.")
    assert found["calls"][0].prompt == "few_shot_plan"  # type: ignore[index]


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
