"""The contamination audit: each of the four places where an item can have been known before."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from pipeline.llm.asking.asker import Asker
from pipeline.llm.scripted import ScriptedLLM
from pipeline.measures.contamination import contamination_of, contamination_sources
from pipeline.measures.outputs import Output, Shown
from pipeline.records import Requirement
from tests.pipeline.generate.llm.scripts import competent

CODE = "\n".join(f"layer_{number} = make_layer(width={number}, name='layer {number}')" for number in range(20))
OTHER = "\n".join(f"row {number} of a table that holds sums" for number in range(20))
WISH = "Estimate how ripe a pear is from a photo of it in daylight."


@pytest.fixture
def known(tmp_path: Path) -> str:
    path = tmp_path / "known.jsonl"
    plan = {"Task Category": "Image Regression"}
    path.write_text(json.dumps({"id": "k", "requirement": WISH, "plan": plan, "code": CODE}))
    return str(path)


def _output(**changes: object) -> Output:
    return Output(**{"item": "a", "requirement": "Sort parcels.", "reference": CODE, "code": "x = 1"} | changes)  # type: ignore[arg-type]


def test_each_place_is_named(known: str) -> None:
    assert contamination_sources(contamination_of(_output(), "", ())) == ()
    assert contamination_sources(contamination_of(_output(), known, ())) == ("pool",)
    assert contamination_sources(contamination_of(_output(shown=(Shown(id="k", code=CODE),)), "", ())) == ("shown",)
    assert contamination_sources(contamination_of(_output(prompted=0.5), "", ())) == ("prompts",)
    assert contamination_sources(contamination_of(_output(requirement=WISH), "", (known,))) == ("plans",)
    assert contamination_sources(
        contamination_of(_output(requirement=WISH, prompted=1.0), known, ("starter", known))
    ) == (
        "pool",
        "prompts",
        "plans",
    )


@pytest.mark.parametrize(("sample", "share"), [(CODE, 1.0), (CODE[: len(CODE) // 2], 0.48), (OTHER, 0.0)])
def test_a_call_says_how_much_of_the_reference_it_was_sent(sample: str, share: float) -> None:
    row = Requirement(id="a", row=0, requirement=WISH, reference=CODE)
    asker = Asker(ScriptedLLM(competent))
    parts = {"requirement": WISH, "attributes": "", "asked": "", "sample_requirement": "", "sample": sample}
    _, (call,) = asyncio.run(asker.ask("draft", row, lambda ask: ask.program("cedar", **parts)))
    assert call.reference_share == pytest.approx(share, abs=0.03)


def test_without_a_reference_nothing_is_said_of_it() -> None:
    asker = Asker(ScriptedLLM(competent))
    row = Requirement(id="a", row=0, requirement=WISH)
    _, (call,) = asyncio.run(
        asker.ask("draft", row, lambda ask: ask.program("direct", requirement=WISH, attributes="", asked=""))
    )
    assert call.reference_share is None
