"""Runnable parts of drafts: found by what is called, kept by the comparison, or left out with a reason."""

from __future__ import annotations

import pytest

from pipeline.config import PipelineSettings
from pipeline.generate.llm.useful_parts import dropped_parts, reasons_given, useful_parts
from pipeline.llm.protocol import ChatRequest
from pipeline.llm.scripted import ScriptedLLM
from pipeline.measures.project_scores import main_source
from pipeline.methods import generation_stages
from pipeline.records import Requirement, Scored
from pipeline.stage import run_local
from tests.pipeline.generate.llm.scripts import CODE, competent, fenced, role_of

ROW = Requirement(id="a", row=0, requirement="A CNN for 32x32 colour images with 7 classes.")
PLOT = "import matplotlib.pyplot as plt\nplt.plot([1])\n"


@pytest.mark.parametrize(
    ("code", "parts"),
    [
        (CODE, ()),
        ("import pandas as pd\nd = pd.read_csv('a.csv')", ("loading data",)),
        ("import numpy as np\nx = np.load('a.npy')", ("loading data",)),
        ("m = keras.models.load_model('a')\np = m.predict(x)", ("inference",)),
        ("m = torch.load('a.pt')", ()),
        (PLOT, ("plots",)),
        ("m.evaluate(x, y)\nm.save('a.keras')", ("evaluation", "saving the model")),
        ("def broken(", ()),
    ],
)
def test_parts_are_known_by_what_is_called(code: str, parts: tuple[str, ...]) -> None:
    assert useful_parts(code) == parts


@pytest.mark.parametrize(
    ("comment", "parts"),
    [
        ("# left out: plots, because the task wants a script without a screen", {"plots"}),
        ("    # Left out: loading data (the request brings arrays of its own)", {"loading data"}),
        ("# left out: plots and inference, since nothing is shown here", {"inference"}),
        ("# left out: plots", set()),
        ("# left out: plots, because", set()),
        ("# plots were not wanted by anyone", set()),
    ],
)
def test_a_part_is_left_out_with_a_reason_or_not_at_all(comment: str, parts: set[str]) -> None:
    assert parts <= set(reasons_given(comment))
    if not parts:
        assert reasons_given(comment) == {}
    assert "plots" in dropped_parts(comment, (PLOT,)) or "plots" in reasons_given(comment)


def _project(*comparisons: str) -> Scored:
    """A row whose draft 1 plots, with what the comparison answers in turn."""
    waiting = list(comparisons)

    def script(request: ChatRequest) -> str:
        role = role_of(request)
        if role == "draft 1":
            return fenced(CODE + PLOT)
        return fenced(waiting.pop(0)) if role in ("compare useful", "again") else competent(request)

    settings = PipelineSettings.model_validate({"llm": "scripted", "method": "keep-useful"})
    (row,) = run_local(generation_stages(settings, lambda: ScriptedLLM(script)), [ROW])
    assert isinstance(row, Scored)
    assert row.failure is None
    return row


def test_a_comparison_that_drops_a_part_is_told_once() -> None:
    row = _project(CODE, CODE + PLOT)
    assert "plt.plot" in main_source(row)
    assert [call.prompt for call in row.calls][-2:] == ["compare_useful", "again"]
    assert row.calls[-1].cut == ()


def test_what_is_dropped_all_the_same_is_noted_and_a_reason_is_kept() -> None:
    assert _project(CODE, CODE).calls[-1].cut == ("left out without a reason: plots",)
    said = _project(f"# left out: plots, because nobody looks at them\n{CODE}")
    assert said.calls[-1].prompt == "compare_useful"
    assert said.calls[-1].cut == ("left out: plots (nobody looks at them)",)


def test_a_useless_second_answer_leaves_the_first() -> None:
    row = _project(CODE, "")
    assert "model.fit" in main_source(row)
    assert row.calls[-1].cut == ("left out without a reason: plots",)
