"""Markdown as plain words, in time that is in proportion to the text."""

from __future__ import annotations

import pytest

from corpus_build.extract.requirement.markdown import headings, sentences, tidy, title_of
from pipeline.time_limit import time_limit

SIZE = 50_000


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("# A title\n", ["A title"]),
        ("Text\n  ### A title ##  \n\n\ntext", ["A title"]),
        ("#\n\nA title\nText", ["A title"]),
        ("# A title # of two #", ["A title # of two"]),
        ("    # four blanks are code", []),
        ("####### seven", ["seven"]),
        ("#", []),
        ("#  \n ", []),
        ("A title\n=====\nText", ["A title"]),
        ("<h1 align='center'>A <b>title</b>\nof two lines</h1> and <H2>more</H2>", ["A title of two lines", "more"]),
        ("<h1>never closed", []),
        ("# Handwritten digits (LB 0.99) EDA", ["Handwritten digits"]),
        ("# Digits [never closed 0.99", ["Digits never closed 0.99"]),
    ],
)
def test_headings(text: str, titles: list[str]) -> None:
    assert list(headings(text)) == titles


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("See [the paper](http://a.b/c) and ![a picture](x.png)!", "See the paper and !"),
        ("[[nested](a) [open](b", "nested open (b"),
        ("a <b>bold</b> word, 3 < 4 &lt; 5", "a bold word, 3 4 5"),
        ("one <> two", "one two"),
        ("`code` and ```\nblock\n``` and $$x^2$$ and http://x.y/z end", "code and and and end"),
        ("above\n\n ---- \nbelow", "above below"),
        ("a table\n\n  | x | y |\n and all after it", "a table"),
        ("10 &#946; and &#" + "9" * 5000 + "; more", "10 \u03b2 and more"),
    ],
)
def test_marks_say_nothing(text: str, line: str) -> None:
    assert tidy(text) == line


def test_blank_lines_and_items_divide_sentences() -> None:
    text = "One. Two 2\n\n \nthree\n  - four\n* five\nsix. seven"
    assert [line for line in sentences(text) if line] == ["One", "Two 2", "three", "four five six. seven"]


@pytest.mark.parametrize(
    ("before", "piece", "after"),
    [
        ("# a", " ", "x"),
        ("# a", "#", "x"),
        ("# a", " #", "x"),
        ("#", "\n", ""),
        ("", "#", ""),
        ("", "# \n", ""),
        ("", "\n", "x"),
        ("", " \n", "- x"),
        ("", "[", ""),
        ("", "![", "]("),
        ("", "![]", ""),
        ("", "[a](", ""),
        ("", "<", ""),
        ("", "<a", "<>"),
        ("", "<h1>", ""),
        ("", "<h1", ""),
        ("# ", "(1.1", ""),
        ("# ", "(a ", ")"),
        ("a\n", "-", "x"),
        ("a\n---", " ", "x"),
        ("", "&a", ""),
        ("", "&#1", ""),
        ("", "```a`", ""),
        ("", "$$a", "$"),
        ("", ">\n", ""),
    ],
)
def test_what_is_repeated_takes_time_in_proportion(before: str, piece: str, after: str) -> None:
    text = before + piece * (SIZE // len(piece)) + after
    with time_limit(2):  # what needs the square of the text takes minutes
        list(headings(text))
        list(sentences(text))
        title_of(text)
