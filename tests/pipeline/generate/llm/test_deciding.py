"""What becomes of a model's decisions: the corrected plan, where sections came from, and both in the row."""

from __future__ import annotations

import json
from dataclasses import replace

from pipeline.config import PipelineSettings
from pipeline.generate.llm.deciding import NEITHER, section_origins
from pipeline.generate.llm.second_sample import shown_beside
from pipeline.generate.symbolic.compare import BOTH, CODE, TEMPLATE
from pipeline.inputs import read_requirements
from pipeline.llm.protocol import ChatRequest
from pipeline.llm.scripted import ScriptedLLM
from pipeline.methods import generation_stages
from pipeline.records import README, Scored
from pipeline.stage import run_local
from pipeline.starter import STARTER
from pipeline.storage.arrow import from_rows, to_table
from tests.pipeline.generate.llm.scripts import competent, role_of

FIRST = "# %% Imports\nimport numpy as np\n\n# %% Data\nx = np.ones(3)\n\n# %% Show\nprint(x.sum())\n"
SECOND = "# %% Imports\nimport numpy as np\n\n# %% Data\nx = np.zeros(4)\ny = x * 2\n\n# %% Show\nprint(x)\n"

SAID = {
    "base": "draft 1",
    "from_other": [],
    "corrections": [{"field": "layers", "now": ["Flatten()", "Dense(9)"], "because": "nine kinds"}],
    "assumptions": ["Images are square."],
}


def deciding(request: ChatRequest) -> str:
    said = f"{json.dumps(SAID)}\n" if role_of(request) in ("compare", "draft 1", "direct") else ""
    return said + competent(request)


def _row(method: str) -> Scored:
    rows = [row for row in read_requirements(STARTER) if row.row == 0]
    settings = PipelineSettings(method=method, llm="scripted")
    (row,) = run_local(generation_stages(settings, lambda: ScriptedLLM(deciding)), rows)
    assert isinstance(row, Scored)
    return row


def test_the_plan_stays_and_its_correction_is_data() -> None:
    row = _row("dlcodegen")
    assert row.plan is not None
    assert row.plan_final is not None
    assert row.plan.layers != row.plan_final.layers == ("Flatten()", "Dense(9)")
    (made,) = row.corrections
    assert (made.field, made.was, made.now) == ("layers", "; ".join(row.plan.layers), "Flatten(); Dense(9)")
    assert row.decisions is not None
    assert (row.decisions.base, row.decisions.assumptions) == ("draft 1", ("Images are square.",))
    assert row.scores is not None
    assert row.scores.conformance is not None
    assert row.scores.conformance_final is not None
    assert row.scores.conformance > row.scores.conformance_final, "the program keeps the first plan's layers"
    text = next(file.text for file in row.files if file.path == README)
    assert "Images are square." in text
    assert "nine kinds" in text
    (again,) = from_rows(to_table([row], Scored).to_pylist(), Scored)
    assert replace(again, calls=row.calls) == row


def test_a_draft_that_is_kept_keeps_what_was_decided_in_it() -> None:
    row = _row("wo-comparison-tr")
    assert [one.field for one in row.corrections] == ["layers"]
    assert row.code_decisions == row.decisions is not None


def test_a_method_without_a_plan_has_decisions_and_no_corrections() -> None:
    row = _row("direct")
    assert row.decisions is not None
    assert (row.plan_final, row.corrections) == (None, ())
    assert row.decisions.assumptions == ("Images are square.",)


def test_sections_are_traced_to_drafts_by_their_statements() -> None:
    final = FIRST.replace("print(x.sum())", "print(x.mean())").replace("np.ones(3)", "np.ones( 3 )")
    origins = {one.section: one.chosen for one in section_origins(final, FIRST, SECOND)}
    assert origins == {"imports": BOTH, "data": CODE, "show": NEITHER}
    origins = {one.section: one.chosen for one in section_origins(SECOND, FIRST, SECOND)}
    assert origins["data"] == TEMPLATE
    assert section_origins("x = (", FIRST, SECOND) == ()


def test_the_second_sample_is_shown_by_what_it_does_otherwise() -> None:
    assert shown_beside(FIRST, SECOND, alike=True) == "# %% Data\nx = np.zeros(4)\ny = x * 2\n\n# %% Show\nprint(x)"
    assert shown_beside(FIRST, SECOND, alike=False) == "# %% Show\nprint(x)"
    assert shown_beside(FIRST, "x = (", alike=True) == "x = ("
