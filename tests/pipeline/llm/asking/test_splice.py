"""A reply that was cut off, and its continuation, as one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.llm.asking.replies import read_program
from pipeline.llm.asking.splice import splice
from tests.pipeline.generate.llm.scripts import CODE, fenced

WHOLE = fenced(CODE)


@given(st.integers(20, len(WHOLE) - 1))
def test_a_continuation_from_the_next_character_on_gives_the_whole(cut: int) -> None:
    assert splice(WHOLE[:cut], WHOLE[cut:]) == WHOLE


@given(st.integers(40, len(WHOLE) - 1), st.integers(12, 40))
def test_what_was_repeated_is_left_out(cut: int, repeated: int) -> None:
    assert splice(WHOLE[:cut], WHOLE[cut - min(repeated, cut) :]) == WHOLE


@pytest.mark.parametrize("opening", ["```python\n", "```\n", "Here is the rest:\n```python\n"])
def test_a_fence_that_is_opened_again_is_left_out(opening: str) -> None:
    cut = WHOLE.index("model.compile")
    assert read_program(splice(WHOLE[:cut], opening + WHOLE[cut:])).code == CODE


def test_a_last_line_and_its_closing_fence_are_no_fence_that_is_opened_again() -> None:
    assert splice("```python\nif x:\n    ma", "in()\n```\n") == "```python\nif x:\n    main()\n```\n"
    assert splice("```python\nif x:\n    ma", "in()\n```\nIt runs.") == "```python\nif x:\n    main()\n```\nIt runs."


def test_a_blank_that_is_left_out_behind_a_keyword_is_put_in() -> None:
    assert splice("```python\nimport", "keras\nprint(keras)\n```") == "```python\nimport keras\nprint(keras)\n```"


@given(st.integers(40, len(CODE) - 1))
def test_of_a_program_that_was_cut_off_no_half_word_is_kept(cut: int) -> None:
    *_, last = read_program("```python\n" + CODE[:cut], cut=True).code.rstrip("\n").split("\n")
    assert last in CODE.split("\n") or not last[-1].isalnum()


def test_a_line_that_is_written_over_is_taken_once() -> None:
    cut = WHOLE.index("optimizer=") + 4
    line_start = WHOLE.rindex("\n", 0, cut) + 1
    assert splice(WHOLE[:cut], WHOLE[line_start:]) == WHOLE
    assert splice("```python\nmodel.com", "model.compile()\n```") == "```python\nmodel.compile()\n```"


def test_a_reply_that_starts_over_and_gets_further_replaces_the_first() -> None:
    long = "```python\n" + "".join(f"x{number} = {number}\n" for number in range(1000)) + "```"
    assert splice(long[:6000], long) == long


@pytest.mark.parametrize(
    ("begun", "more", "whole"),
    [
        ("```python\nimport ker", "as\nprint(1)\n```", "```python\nimport keras\nprint(1)\n```"),
        ("```python\nx = 1", "0\nprint(x)\n```", "```python\nx = 10\nprint(x)\n```"),
        ("The mod", "el is small.", "The model is small."),
        # Cut off in a program with an error of its own: the server's word is the proof.
        ("```python\nx = = 1\nprint(fra", "me)\n```", "```python\nx = = 1\nprint(frame)\n```"),
    ],
)
def test_a_reply_that_the_server_itself_goes_on_with_is_joined_as_it_comes(begun: str, more: str, whole: str) -> None:
    assert splice(begun, more, goes_on=True) == whole
