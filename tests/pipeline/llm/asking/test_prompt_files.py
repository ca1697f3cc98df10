"""The prompts: complete, strict, and with shared parts first."""

from __future__ import annotations

import re

import jinja2
import pytest

from pipeline.errors import DLCodeGenError
from pipeline.llm.asking.prompt_files import prompt_names, prompt_purpose, prompt_text, render
from pipeline.plan.fields import FIELD_NAMES

ROW = {"requirement": "Classify beetles.", "attributes": "Photos.", "asked": "- epochs 5"}
PLANNED = ROW | {"plan": '{"Task Category": "x"}', "plan_origin": "the rest is guessed"}
SAMPLED = PLANNED | {"sample": "import keras", "sample_requirement": "Classify moths."}
WRITING: dict[str, dict[str, str]] = {
    "few_shot_plan": ROW | {"examples": "{}"},
    "ps_plan": ROW | {"categories": "x, y"},
    "direct": ROW,
    "ps_code": PLANNED,
    "cedar": ROW | {"sample": "import keras", "sample_requirement": "Classify moths."},
    "c_cot_code": ROW | {"category": "x", "chain": "1. Load."},
    "template": SAMPLED | {"second_sample": "import jax", "second_sample_requirement": "Classify bees."},
    "draft_from_sample": SAMPLED,
    "draft_from_template": PLANNED | {"template": "x = <<y>>"},
    "compare": PLANNED | {"code_draft": "a = 1", "template_draft": "b = 2", "found": "Draft 1: epochs 5"},
    "compare_useful": PLANNED
    | {"code_draft": "a = 1", "template_draft": "b = 2", "found": "", "useful_parts": "plots"},
    "isolated": PLANNED | {"code_draft": "a = 1"},
    "mend": ROW | {"code": "a = 1", "findings": "batch size 8"},
}
PRIORITY = ("1. What is asked", "2. What is said of the data", "3. The plan", "4. Samples")


def test_every_prompt_says_what_it_is_for_and_can_be_shown() -> None:
    for name in prompt_names():
        assert prompt_purpose(name)
        assert prompt_text(name)
    assert "{{ code_draft }}" in prompt_text("compare")
    assert not any(name.startswith("_") for name in prompt_names())


def test_all_calls_and_methods_share_one_system_prompt_that_says_what_binds_in_which_order() -> None:
    firsts = {render(name, **parts)[0].content for name, parts in WRITING.items()}
    firsts.add(render("c_cot_chain", category="x", problems="1. y")[0].content)
    (system,) = firsts
    places = [system.index(words) for words in PRIORITY]
    assert places == sorted(places)
    for field in FIELD_NAMES:
        assert re.search(rf"\b{field}\b", system), "a correction names it so"


@pytest.mark.parametrize("name", WRITING)
def test_the_row_comes_first_then_the_plan_then_what_a_call_has_alone(name: str) -> None:
    parts = WRITING[name]
    text = render(name, **parts)[-1].content
    order = ["requirement", "attributes", "asked", "plan_origin", "plan", "sample_requirement", "sample"]
    own = [part for part in parts if part not in order]
    places = [text.index(parts[part]) for part in (*order, *own) if parts.get(part)]
    assert places[: len(order)] == sorted(places[: len(order)])
    assert all(place > places[0] for place in places[1:])


def test_a_missing_part_is_an_error_and_nothing_is_escaped() -> None:
    with pytest.raises(jinja2.UndefinedError, match="plan"):
        render("compare", requirement="r", attributes="", asked="", code_draft="", template_draft="")
    text = render("direct", requirement="a < b & {{ c }}", attributes="'x'", asked="")[-1].content
    assert "a < b & {{ c }}" in text
    assert "'x'" in text


def test_an_unknown_prompt_is_named_with_those_there_are() -> None:
    with pytest.raises(DLCodeGenError, match=r"no prompt 'nonesuch'; there are again, "):
        prompt_text("nonesuch")
