"""A draft of which no reply can be used costs itself, and not the row."""

from __future__ import annotations

import pytest

from pipeline.config import PipelineSettings
from pipeline.llm.protocol import ChatRequest
from pipeline.llm.scripted import ScriptedLLM
from pipeline.measures.delivery.not_done import without_list
from pipeline.measures.project_scores import main_source
from pipeline.methods import generation_stages
from pipeline.records import Requirement, Scored
from pipeline.stage import run_local
from tests.pipeline.generate.llm.scripts import competent, role_of

ROW = Requirement(id="a", row=0, requirement="A CNN for 32x32 colour images with 7 classes.")


def _run(useless: tuple[str, ...], method: str = "dlcodegen") -> Scored:
    asked: list[str] = []

    def script(request: ChatRequest) -> str:
        role = role_of(request)
        if role == "again":  # the reply before was useless, and so is the next
            role = asked[-1]
        asked.append(role)
        return "I would use a network." if role in useless else competent(request)

    settings = PipelineSettings.model_validate({"llm": "scripted", "method": method})
    (row,) = run_local(generation_stages(settings, lambda: ScriptedLLM(script)), [ROW])
    assert isinstance(row, Scored)
    return row


@pytest.mark.parametrize(
    ("useless", "taken"), [(("draft 1",), "draft 2"), (("draft 2",), "draft 1"), (("template",), "draft 1")]
)
def test_the_other_draft_is_taken_and_it_is_recorded(useless: tuple[str, ...], taken: str) -> None:
    row = _run(useless)
    assert row.failure is None
    assert without_list(main_source(row)).startswith(f"# {taken}\n")
    assert bool(row.code_draft) == (taken == "draft 1")
    assert bool(row.template_draft) == (taken == "draft 2")
    assert any("useless: not_python" in call.cut for call in row.calls)
    assert "compare" not in [call.stage for call in row.calls]


def test_a_row_of_which_no_draft_can_be_used_fails_with_its_calls() -> None:
    row = _run(("draft 1", "draft 2"))
    assert row.failure is not None
    assert row.failure.kind == "not_python"
    assert len([call for call in row.calls if call.stage == "draft"]) == 4


@pytest.mark.parametrize("method", ["dlcodegen", "keep-useful"])
def test_a_useless_comparison_costs_no_row(method: str) -> None:
    row = _run(("compare", "compare useful"), method)
    assert row.failure is None
    assert without_list(main_source(row)).startswith("# draft 1\n")
    assert row.calls[-1].cut[-1] == "useless: not_python; draft 1 is the project"


def test_of_two_drafts_the_better_one_is_taken() -> None:
    def script(request: ChatRequest) -> str:
        role = role_of(request)
        if role == "draft 1":
            return competent(request).replace("x, y = np", "x = np").replace("units", "undefined_thing")
        return "I would use a network." if role in ("compare", "again") else competent(request)

    settings = PipelineSettings.model_validate({"llm": "scripted", "method": "dlcodegen"})
    (row,) = run_local(generation_stages(settings, lambda: ScriptedLLM(script)), [ROW])
    assert isinstance(row, Scored)
    assert without_list(main_source(row)).startswith("# draft 2\n")
