from __future__ import annotations

import pytest

from pipeline.score.code_outputs import score_outputs

CODE = """import os


def count(path):
    total = 0
    for name in os.listdir(path):
        total = total + 1
    return total
"""


def test_equal_code_is_one_everywhere() -> None:
    scores = score_outputs([CODE, CODE], [CODE, CODE])
    assert scores.corpus is not None
    assert scores.equal_length is not None
    assert scores.corpus.codebleu == scores.equal_length.codebleu == 1
    assert [item.codebleu for item in scores.items if item] == [1, 1]
    assert (scores.length_ratio, scores.item_length_ratios, scores.measured) == (1, (1.0, 1.0), 2)


def test_the_first_half_scores_more_at_equal_length() -> None:
    half = CODE[: CODE.index("    for")]
    scores = score_outputs([half], [CODE])
    assert scores.corpus is not None
    assert scores.equal_length is not None
    assert scores.equal_length.codebleu > 0.95 > scores.corpus.codebleu
    assert scores.length_ratio == pytest.approx(len(half.split()) / len(CODE.split()))


def test_a_pair_beyond_the_limits_is_left_out_and_counted() -> None:
    scores = score_outputs(["x = 1\n" * 20_000, CODE], [CODE, CODE])
    assert scores.items[0] is None
    assert (len(scores.items), scores.measured) == (2, 1)
    assert scores.corpus is not None
    assert scores.corpus.codebleu == 1


def test_a_blank_reference_has_no_length_ratio() -> None:
    assert score_outputs(["x"], [""]).item_length_ratios == (None,)


def test_candidates_and_references_must_be_as_many() -> None:
    with pytest.raises(ValueError, match="zip"):
        score_outputs([CODE], [])
