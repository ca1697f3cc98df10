"""The bytes of JSON values, against Python's own JSON reader."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.planners.causal_lm.automata import DEAD, Automaton, count_automaton, number_automaton, text_automaton


def _accepts(automaton: Automaton, text: bytes) -> bool:
    state = 0
    for byte in text:
        state = int(automaton.step[state, byte])
        if state == DEAD:
            return False
    return int(automaton.distance[state]) == 0


@given(st.text(st.characters(codec="utf-8")))
def test_whatever_json_writes_inside_a_string_is_accepted(text: str) -> None:
    assert _accepts(text_automaton(), json.dumps(text, ensure_ascii=False)[1:-1].encode())


@given(st.binary(max_size=6) | st.from_regex(rb'[\\u0-9a-f"d]{1,8}', fullmatch=True))
def test_whatever_is_accepted_is_read_by_json_as_unicode_text(inside: bytes) -> None:
    if _accepts(text_automaton(), inside):
        json.loads(f'"{inside.decode()}"').encode()


@given(st.floats(1e-12, 999_999, exclude_min=True))
def test_usual_numbers_are_accepted_as_json_writes_them(value: float) -> None:
    assert _accepts(number_automaton(), json.dumps(value).encode())


@given(st.from_regex(r"(null|[0-9.e+-]{1,40})", fullmatch=True))
def test_whatever_is_accepted_is_null_or_a_finite_number_above_0(text: str) -> None:
    if _accepts(number_automaton(), text.encode()) and text != "null":
        assert 0 < json.loads(text) < math.inf
    if _accepts(count_automaton(), text.encode()) and text != "null":
        assert 1 <= json.loads(text) <= 999_999


@pytest.mark.parametrize("text", ["0", "0.0", "-1", "01", "1.", ".5", "1e", "Infinity", "NaN", "", "nul", "1e5000"])
def test_what_is_no_number_above_0_is_refused(text: str) -> None:
    assert not _accepts(number_automaton(), text.encode())
    assert not _accepts(count_automaton(), text.encode())


def test_the_most_extreme_numbers_are_finite_and_above_0() -> None:
    assert _accepts(number_automaton(), b"0." + b"0" * 23 + b"1e-99")
    assert float("0." + "0" * 23 + "1e-99") > 0
    assert not _accepts(number_automaton(), b"0." + b"0" * 24)


def test_tokens_are_followed_through_characters_and_escapes_that_they_split() -> None:
    pieces = [b"caf\xc3", b"\xa9", b"\\", b'"', b'say \\"hi', None, b"\n"]
    step = text_automaton().over_tokens(pieces).step
    half = int(step[0, 0])
    assert int(text_automaton().distance[half]) == 1
    assert step[half, 1] == 0
    assert step[int(step[0, 2]), 3] == 0
    assert step[0, 3] == DEAD
    assert step[0, 4] == 0
    assert step[0, 5] == DEAD
    assert step[0, 6] == DEAD
