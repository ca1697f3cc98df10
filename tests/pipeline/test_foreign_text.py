"""The doors through which others' texts enter our files."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from hypothesis import example, given

from pipeline.foreign_text import json_line, markdown_cell, markdown_text, spreadsheet_cell, storable, visible
from tests.hostile_texts import hostile_texts

_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@given(hostile_texts())
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    assert not _OBEYED.search(visible(text))
    visible(text).encode()
    storable(text).encode()


@given(hostile_texts())
@example("\x9b31m \u202e \ud83d 😀 \u2028")
def test_json_says_the_same_and_hides_nothing(text: str) -> None:
    line = json_line({"text": text})
    assert json.loads(line) == {"text": text}
    assert not _OBEYED.search(line)
    assert len(line.splitlines()) == 1


@given(hostile_texts())
def test_no_cell_is_a_formula(text: str) -> None:
    cell = spreadsheet_cell(text)
    assert cell in (text, f"'{text}")
    assert len(cell) < 2 or cell[0] not in "=+-@\t\r\n"


@pytest.mark.parametrize("text", ["-", "-1.5", "+2", "1e-3", "-.5e+10", "a=b", "", "CNN - small"])
def test_numbers_and_plain_words_stay(text: str) -> None:
    assert spreadsheet_cell(text) == text


@pytest.mark.parametrize("text", ["=1+1", "-1+cmd|' /C calc'!A0", "@SUM(A1)", "+A1", "\t=1", "＝1"])
def test_formulas_become_text(text: str) -> None:
    (row,) = csv.reader(io.StringIO(f'"{spreadsheet_cell(text)}"\n'))
    assert row == [f"'{text}"]


@given(hostile_texts())
def test_markdown_opens_no_element(text: str) -> None:
    assert not re.search(r"(?<!\\)<[A-Za-z/!?]", markdown_text(text))
    assert not re.search(r"(?<!\\)\]\((?!https?://|#)", markdown_text(text))
    cell = markdown_cell(text)
    assert "\n" not in cell
    assert not re.search(r"(?<!\\)\|", cell)
