"""The prompts: complete, strict, and with shared parts first."""

from __future__ import annotations

from itertools import takewhile

import jinja2
import pytest

from pipeline.errors import DLCodeGenError
from pipeline.llm.asking.prompt_files import prompt_names, prompt_purpose, prompt_text, render

ROW = {"requirement": "Classify beetles.", "attributes": "Photos.", "plan": '{"Task Category": "x"}'}
WRITING = {
    "direct": {},
    "ps_code": {},
    "cedar": {"sample": "import keras", "sample_requirement": "Classify moths."},
    "c_cot_code": {"category": "x", "chain": "1. Load."},
    "draft_from_sample": {"sample": "import keras"},
    "draft_from_template": {"template": "x = <<y>>"},
    "compare": {"code_draft": "a = 1", "template_draft": "b = 2", "unmet": "Draft 1: epochs 5"},
}


def test_every_prompt_says_what_it_is_for_and_can_be_shown() -> None:
    for name in prompt_names():
        assert prompt_purpose(name)
        assert prompt_text(name)
    assert "{{ code_draft }}" in prompt_text("compare")
    assert not any(name.startswith("_") for name in prompt_names())


def test_all_calls_that_write_code_share_their_first_message() -> None:
    firsts = {render(name, **ROW, **parts)[0].content for name, parts in WRITING.items()}
    assert len(firsts) == 1


@pytest.mark.parametrize("name", ["draft_from_sample", "draft_from_template", "cedar", "c_cot_code"])
def test_what_was_retrieved_comes_before_the_row(name: str) -> None:
    first, second = (
        render(name, **(ROW | {"requirement": text, "attributes": text}), **WRITING[name])[-1].content
        for text in ("Classify beetles.", "Denoise scans.")
    )
    shared = "".join(
        letter for letter, _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False))
    )
    for text in WRITING[name].values():
        assert text in shared


def test_a_missing_part_is_an_error_and_nothing_is_escaped() -> None:
    with pytest.raises(jinja2.UndefinedError, match="plan"):
        render("compare", requirement="r", attributes="", code_draft="", template_draft="")
    text = render("direct", requirement="a < b & {{ c }}", attributes="'x'")[-1].content
    assert "a < b & {{ c }}" in text
    assert "'x'" in text


def test_an_unknown_prompt_is_named_with_those_there_are() -> None:
    with pytest.raises(DLCodeGenError, match=r"no prompt 'nonesuch'; there are again, "):
        prompt_text("nonesuch")
