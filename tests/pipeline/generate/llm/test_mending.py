"""What is found in a finished project goes back to the model; the comparison is told what its drafts lack."""

from __future__ import annotations

import pytest

from pipeline.config import PipelineSettings
from pipeline.generate.llm.findings import findings, unmet
from pipeline.llm.protocol import ChatRequest
from pipeline.llm.scripted import ScriptedLLM
from pipeline.measures.delivery.not_done import without_list
from pipeline.measures.project_scores import main_source
from pipeline.methods import generation_stages
from pipeline.records import Requirement, Scored
from pipeline.stage import run_local
from pipeline.understanding import asked_in
from tests.pipeline.generate.llm.scripts import CODE, competent, fenced

ASKED = "A CNN for 32x32 colour images with 7 classes, 5 epochs, EarlyStopping with patience 3."
ROW = Requirement(id="a", row=0, requirement=ASKED)

MENDED = CODE.replace(
    "model.fit(x, y, epochs=2)", "model.fit(x, y, epochs=5, callbacks=[keras.callbacks.EarlyStopping(patience=3)])"
)


def _run(script: object, **settings: object) -> tuple[Scored, ScriptedLLM]:
    llm = ScriptedLLM(script)  # type: ignore[arg-type]
    stages = generation_stages(PipelineSettings.model_validate({"llm": "scripted"} | settings), lambda: llm)
    (row,) = run_local(stages, [ROW])
    assert isinstance(row, Scored)
    assert row.failure is None
    return row, llm


def _mending(*answers: str) -> object:
    left = list(answers)

    def script(request: ChatRequest) -> str:
        if "Found in the project" in request.messages[-1].content:
            return left.pop(0)
        return competent(request)

    return script


def _mends(llm: ScriptedLLM) -> list[str]:
    return [one.messages[-1].content for one in llm.requests if "Found in the project" in one.messages[-1].content]


def test_what_was_asked_and_is_missing_is_found() -> None:
    lines = unmet(asked_in(ASKED), CODE)
    assert any(line.startswith("epochs 5") for line in lines)
    assert any(line.startswith("early stopping") for line in lines)
    assert unmet(asked_in(ASKED), MENDED) == ()


def test_what_python_or_keras_refuses_is_found() -> None:
    assert findings((), "def f(:\n") == ("Python cannot compile the program",)
    found = findings((), CODE.replace("x, y = ", "x, z = ").replace("Conv2D(16, 3", "Conv2D(filter=16, kernel_size=3"))
    assert "the name y is used and never defined" in found
    assert any("filter" in line for line in found)


@pytest.mark.parametrize("method", ["direct", "dlcodegen"])
def test_a_project_goes_back_with_what_was_found_and_comes_back_mended(method: str) -> None:
    row, llm = _run(_mending(fenced(MENDED)), method=method, mend=3)
    (prompt,) = _mends(llm)  # nothing is found in the second program, so it is not sent back
    assert "asked for and not done: epochs 5" in prompt
    assert ASKED in prompt
    assert without_list(main_source(row)) == MENDED
    assert [call.prompt for call in row.calls][-1] == "mend"


def test_a_correction_that_is_no_better_is_not_taken_and_ends_the_rounds() -> None:
    row, llm = _run(_mending(fenced(CODE.replace("epochs=2", "epochs=3"))), method="direct", mend=3)
    assert len(_mends(llm)) == 1
    assert "epochs=2" in main_source(row)


def test_a_correction_that_is_no_program_costs_its_calls_and_not_the_row() -> None:
    row, _ = _run(_mending("I would rather not.", "Nor now."), method="direct", mend=1)
    assert "epochs=2" in main_source(row)
    assert [call.prompt for call in row.calls] == ["direct", "mend", "again"]


def test_rounds_are_bounded_and_none_is_the_default() -> None:
    half = CODE.replace("epochs=2", "epochs=5")
    row, llm = _run(_mending(fenced(half), fenced(MENDED)), method="direct", mend=1)
    assert len(_mends(llm)) == 1
    assert without_list(main_source(row)) == half
    _, llm = _run(competent, method="direct")
    assert _mends(llm) == []


def test_the_comparison_is_told_what_each_draft_lacks() -> None:
    _, llm = _run(competent, method="dlcodegen")
    prompt = llm.requests[-1].messages[-1].content
    assert "Make the final project of the two drafts" in prompt
    assert "Draft 1: asked for and not done: epochs 5" in prompt
    assert "Draft 2: asked for and not done: epochs 5" in prompt
