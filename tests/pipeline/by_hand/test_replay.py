"""The replies that were written by hand, replayed through the methods: what comes of them, and what they cost."""

from __future__ import annotations

import json

import pytest

from pipeline.config import Method, PipelineSettings
from pipeline.inputs import read_requirements
from pipeline.llm.protocol import ChatRequest
from pipeline.llm.scripted import ScriptedLLM
from pipeline.methods import generation_stages
from pipeline.records import README, Scored
from pipeline.stage import run_local
from tests.pipeline.by_hand.replies_by_hand import REQUIREMENTS, answers
from tests.pipeline.generate.llm.scripts import role_of

CALLS = {"direct": 1, "direct-bare": 1, "ps": 2, "cedar": 1, "dlcodegen": 5}

CORRECTED = [
    {"field": "task_category", "now": "Image-to-Image", "because": "a density map is asked for, not a number"},
    {"field": "Dataset.Output", "now": "(batch_size, 64, 64, 1)", "because": "density.npy is (n, 64, 64)"},
    {"field": "epochs", "now": 40, "because": "10 are few"},
]


def _rows(method: Method, row_id: str = "", planner: str = "llm", said: object = None) -> list[Scored]:
    """The finished rows; `said` stands beside the final project instead of what was written."""

    def role(request: ChatRequest) -> str:
        found = role_of(request)
        return "direct-bare" if method == "direct-bare" and found == "direct" else found

    script = answers(role)

    def with_said(request: ChatRequest):  # type: ignore[no-untyped-def]
        reply = script(request)
        if said is None or role(request) != "compare":
            return reply
        _, _, program = reply.text.partition("\n\n")
        return f"{json.dumps(said)}\n\n{program}"

    rows = [row for row in read_requirements(str(REQUIREMENTS)) if row_id in ("", row.id)]
    settings = PipelineSettings(method=method, llm="scripted", planner=planner)
    found = list(run_local(generation_stages(settings, lambda: ScriptedLLM(with_said)), rows))
    assert all(isinstance(row, Scored) for row in found)
    return found  # type: ignore[return-value]


@pytest.fixture(scope="module")
def rows_of() -> dict[str, list[Scored]]:
    return {method: _rows(method) for method in CALLS}  # type: ignore[arg-type]


def test_every_requirement_becomes_a_project_by_every_method(rows_of: dict[str, list[Scored]]) -> None:
    for method, rows in rows_of.items():
        assert len(rows) == 8
        for row in rows:
            assert row.failure is None, (method, row.id)
            assert row.scores is not None
            assert row.scores.parses
            assert not row.scores.undefined_names, (method, row.id)
            assert not row.scores.invalid_calls, (method, row.id)
            assert len(row.calls) == CALLS[method], "no reply was asked for again"


def test_conventions_are_what_a_bare_prompt_lacks(rows_of: dict[str, list[Scored]]) -> None:
    for row in rows_of["direct"]:
        assert "DATA_DIR" in row.files[0].text
    for row in rows_of["direct-bare"]:
        assert "DATA_DIR" not in row.files[0].text


def test_the_model_s_own_plan_is_kept_by_its_project(rows_of: dict[str, list[Scored]]) -> None:
    for row in rows_of["dlcodegen"]:
        assert row.scores is not None
        assert row.scores.conformance is not None
        assert row.scores.conformance > 0.75, row.id
        assert row.plan_final == row.plan, "nothing of it was wrong"


def test_what_a_model_decides_is_in_the_row_and_the_readme(rows_of: dict[str, list[Scored]]) -> None:
    (row,) = [row for row in rows_of["dlcodegen"] if row.id == "part-points"]
    assert row.decisions is not None
    assert row.decisions.base == "draft 1"
    assert len(row.decisions.from_other) == 2
    chosen = {choice.section: choice.chosen for choice in row.choices}
    assert chosen["evaluate"] == "template draft", "as the model says, and the syntax trees show"
    assert chosen["train"] == "code draft"
    text = next(file.text for file in row.files if file.path == README)
    assert "Each scan is centred" in text


def test_a_plan_of_another_task_is_corrected_and_conformance_to_both_is_kept() -> None:
    """The plan of similar projects counts strawberries as one number; the request wants a density map, in 10 epochs."""
    said = {"base": "draft 1", "from_other": [], "corrections": CORRECTED, "assumptions": []}
    (row,) = _rows("dlcodegen", "seedling-density", planner="retrieval", said=said)
    assert row.plan is not None
    assert row.plan_final is not None
    assert row.plan.task_category == "Image Regression"
    assert row.plan_final.task_category == "Image-to-Image"
    assert [one.field for one in row.corrections] == ["task_category", "output"], "10 epochs are asked for"
    assert row.corrections[0].was == "Image Regression"
    assert row.scores is not None
    assert row.delivery is not None
    assert row.delivery.satisfied, "what was asked decides"
    assert row.scores.conformance is not None
    assert row.scores.conformance < 0.7, "and a right program keeps little of a wrong plan"


def test_calls_that_do_not_pay_are_left_out() -> None:
    (alike,) = _rows("template-if-alike", "rank-documents")
    assert [call.prompt for call in alike.calls] == ["few_shot_plan", "draft_from_sample"]
    (met,) = _rows("compare-if-unmet", "readmission")
    assert [call.prompt for call in met.calls][-1] == "draft_from_template"
    assert met.delivery is not None
    assert met.delivery.satisfied
