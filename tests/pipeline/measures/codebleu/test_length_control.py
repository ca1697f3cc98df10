from __future__ import annotations

import math

import pytest

from pipeline.measures.codebleu.length_control import cut, cut_to_equal_length, length_ratio


def test_the_ratio_is_over_all_words() -> None:
    assert length_ratio([("a b", "a b c d"), ("a", "a b")]) == pytest.approx(3 / 6)
    assert math.isnan(length_ratio([("a", " ")]))


@pytest.mark.parametrize(
    ("count", "left"), [(0, ""), (1, "def"), (3, "def f():\n    return"), (9, "def f():\n    return 1")]
)
def test_a_cut_keeps_layout(count: int, left: str) -> None:
    assert cut("def f():\n    return 1", count) == left


def test_both_are_cut_to_the_shorter_one() -> None:
    assert cut_to_equal_length("a b c", "d\n e f  g") == ("a b c", "d\n e f")
    assert cut_to_equal_length("a b c", "d") == ("a", "d")
    assert cut_to_equal_length("", "d") == ("", "")
