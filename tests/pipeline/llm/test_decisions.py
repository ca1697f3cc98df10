"""What a reply says beside its program, in whatever form models write it."""

from __future__ import annotations

import json

import pytest

from pipeline.llm.asking.readers import program_in
from pipeline.plan.change import Decisions

CODE = 'import numpy as np\nfrom tensorflow import keras\n\nsizes = {"base": 1, "corrections": [2]}\nprint(sizes)\n'
SAID = {
    "base": "draft 2",
    "from_other": ["evaluate: draft 1 has the baseline"],
    "corrections": [{"field": "loss", "was": "mse", "now": "huber", "because": "outliers"}],
    "assumptions": ["Levels are in metres."],
}
FENCED = f"```python\n{CODE}```"


@pytest.mark.parametrize(
    "reply",
    [
        f"{json.dumps(SAID)}\n\n{FENCED}",
        f"{json.dumps(SAID, indent=2)}\n{FENCED}",
        f"{FENCED}\n\n{json.dumps(SAID)}",
        f"```json\n{json.dumps(SAID)}\n```\n{FENCED}",
        f"```\n{json.dumps(SAID)}\n```\n{FENCED}",
        f"Here is what I decided:\n{json.dumps(SAID)[:-1]}, }}\n{FENCED}",
        f"<think>Draft 1? {{}}</think>{json.dumps(SAID)}\n{FENCED}",
        f"{json.dumps(SAID)}\n{CODE}",
        json.dumps(SAID | {"base": 2, "assumptions": "Levels are in metres."}) + FENCED.join("\n\n"),
    ],
)
def test_decisions_and_program_are_read_apart(reply: str) -> None:
    program = program_in(reply, cut=False)
    assert program.code == CODE
    found = program.decisions
    assert (found.base, found.from_other) == ("draft 2", tuple(SAID["from_other"]))
    assert [(one.field, one.now, one.because) for one in found.corrections] == [("loss", "huber", "outliers")]
    assert found.assumptions == ("Levels are in metres.",)


def test_a_reply_without_decisions_is_as_good() -> None:
    program = program_in(FENCED, cut=False)
    assert (program.code, program.decisions) == (CODE, Decisions())


def test_words_beside_the_program_are_kept() -> None:
    found = program_in(f"{json.dumps(SAID)}\nThe gauges have gaps.\n{FENCED}\nRun it twice.", cut=False).decisions
    assert found.notes.split("\n") == ["The gauges have gaps.", "Run it twice."]


@pytest.mark.parametrize(
    "said",
    [
        {"base": None, "corrections": None, "assumptions": None},
        {"base": ["draft 1", "draft 2"], "corrections": "none", "assumptions": [None, ""]},
        {"corrections": {"loss": "huber"}},
        {"corrections": [["loss", "huber"], 3]},
    ],
)
def test_what_has_another_form_costs_nothing(said: object) -> None:
    found = program_in(f"{json.dumps(said)}\n{FENCED}", cut=False).decisions
    assert (found.base, found.assumptions) == ("", ())
    assert all(one.field in ("loss", "") for one in found.corrections)
