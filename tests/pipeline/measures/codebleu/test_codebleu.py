import os
import subprocess
import sys
from math import exp

import pytest
from codebleu import calc_codebleu

from pipeline.measures.codebleu import code_features
from pipeline.measures.codebleu.codebleu import CodeBleu, code_bleu, corpus_code_bleu

REFERENCE = "a = 1\nb = a + 2\nprint(b)"
LOOP = "total = 0\nfor item, weight in rows:\n    total = total + item * weight + bias\nprint(total)\n"


def test_equal_sources_score_one() -> None:
    assert code_bleu(REFERENCE, REFERENCE) == CodeBleu(1.0, 1.0, 1.0, 1.0, 1.0)


@pytest.mark.parametrize("blank", ["", "  \n\t\n"])
def test_a_blank_candidate_scores_zero(blank: str) -> None:
    """`calc_codebleu` gives 0.25, for its data-flow match of 0 counts as 1."""
    assert code_bleu(blank, REFERENCE) == CodeBleu(0.0, 0.0, 0.0, 0.0, 0.0)
    assert code_bleu(blank, "print()") == CodeBleu(0.0, 0.0, 0.0, 0.0, 0.0)
    assert code_bleu("x = 1", blank) is not None


def test_parts_by_hand() -> None:
    found = code_bleu("a = 1\nb = a + 2", REFERENCE)
    assert found is not None
    # Words of the candidate: a = 1 b = a + 2 (8), of the reference these and print(b) (9).
    # Every n-gram of the candidate is in the reference, so BLEU is the brevity penalty alone.
    assert found.ngram_match == pytest.approx(exp(1 - 9 / 8))
    # Weighted: recall. No word is a keyword, so the weights (0.2 each) cancel out for single words: 8/9. Of the
    # reference's 8 pairs 7 are found, of its 7 triples 6, of its 6 quadruples 5. The package takes no brevity penalty.
    assert found.weighted_ngram_match == pytest.approx((8 / 9 * 7 / 8 * 6 / 7 * 5 / 6) ** 0.25)
    # Subtrees of the reference: module; statement and assignment of a = 1; statement, assignment and sum of b = a + 2;
    # statement, call and argument list of print(b): 9. The last 3 and the module differ.
    assert found.syntax_match == pytest.approx(5 / 9)
    # Edges of the reference: a from 1, the 1 itself, b from a and 2, a from a, the 2 itself, and last b from b.
    assert found.dataflow_match == pytest.approx(5 / 6)
    assert found.codebleu == pytest.approx(
        (found.ngram_match + found.weighted_ngram_match + found.syntax_match + found.dataflow_match) / 4
    )


def test_keywords_weigh_five_times_as_much() -> None:
    # Words of the reference: for i in x (4), of which for and in are keywords: weights 1 + 0.2 + 1 + 0.2 = 2.4.
    # The candidate has the keywords right, but not the names: 2 / 2.4. No longer n-gram is found: 0.1 stands for 0.
    found = code_bleu("for j in y", "for i in x")
    assert found is not None
    assert found.ngram_match == pytest.approx((2 / 4 * 0.1 / 3 * 0.1 / 2 * 0.1 / 1) ** 0.25)
    assert found.weighted_ngram_match == pytest.approx((2 / 2.4 * 0.1 / 3 * 0.1 / 2 * 0.1 / 1) ** 0.25)


def test_renaming_changes_words_but_not_syntax_and_data_flow() -> None:
    found = code_bleu(REFERENCE.replace("a", "x").replace("b", "y"), REFERENCE)
    assert found is not None
    assert found.ngram_match < 0.5
    assert (found.syntax_match, found.dataflow_match) == (1.0, 1.0)


def test_no_data_flow_in_the_reference_counts_as_in_the_package_and_logs_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    found = code_bleu("pass\nbreak", "pass")
    assert found is not None
    assert found.dataflow_match == 0.0
    assert caplog.records == []
    # The package counts the missing part as 1: (0.1495 + 0.1778 + 0.5 + 1) / 4.
    assert found.codebleu == pytest.approx(calc_codebleu(["pass"], ["pass\nbreak"], "python")["codebleu"])


def test_a_candidate_without_data_flow_scores_as_in_the_package() -> None:
    found = code_bleu("pass", REFERENCE)
    assert found is not None
    assert found.dataflow_match == 0.0
    assert found.codebleu == pytest.approx(calc_codebleu([REFERENCE], ["pass"], "python")["codebleu"])


@pytest.mark.parametrize(
    "candidate", ["def f(:\n  x = = 1", "Dear user, here's the model you asked for.", "\udc80", "{{}"]
)
def test_what_is_not_python_is_measured(candidate: str) -> None:
    found = code_bleu(candidate, REFERENCE)
    assert found is not None
    assert 0 <= found.codebleu < 0.3


@pytest.mark.parametrize(
    "source",
    [
        "x = 1\n" * 30_000,
        "x = " + "(" * 3000 + ")" * 3000,
        "x = " + "a + " * 3000 + "a",
        "".join("    " * depth + f"for i{depth} in x:\n" for depth in range(20)) + "    " * 20 + "y = 1",
    ],
    ids=["long", "nested", "chained", "loops"],
)
def test_beyond_the_limits_nothing_is_measured(source: str) -> None:
    assert code_bleu(source, REFERENCE) is None
    assert code_bleu(REFERENCE, source) is None
    assert corpus_code_bleu([(source, REFERENCE), (REFERENCE, REFERENCE)]) == CodeBleu(1.0, 1.0, 1.0, 1.0, 1.0)


def test_a_corpus_sums_counts_before_dividing() -> None:
    pairs = [(REFERENCE, REFERENCE), ("x = 1", LOOP)]
    found = corpus_code_bleu(pairs)
    whole = calc_codebleu([reference for _, reference in pairs], [candidate for candidate, _ in pairs], "python")
    assert found is not None
    assert found.ngram_match == whole["ngram_match_score"]
    assert found.weighted_ngram_match == whole["weighted_ngram_match_score"]
    assert found.syntax_match == whole["syntax_match_score"]
    assert corpus_code_bleu([]) is None


def test_parts_are_those_of_the_package() -> None:
    """Equal where the package is repeatable: its data flow varies only where a loop merges edges."""
    candidate = "import os\n# a comment\ndef f(n):\n    '''Doc.'''\n    m = n * 2\n    return m\nprint(f(3), os.name)\n"
    reference = "def g(k):\n    j = k + 1\n    if j:\n        j = k * 2\n    return j\nprint(g(4))\n"
    found, theirs = code_bleu(candidate, reference), calc_codebleu([reference], [candidate], "python")
    assert found is not None
    assert found.ngram_match == theirs["ngram_match_score"]
    assert found.weighted_ngram_match == theirs["weighted_ngram_match_score"]
    assert found.syntax_match == theirs["syntax_match_score"]
    assert found.dataflow_match == theirs["dataflow_match_score"]
    assert found.codebleu == pytest.approx(theirs["codebleu"])


def test_the_same_value_in_every_process() -> None:
    candidate = LOOP.replace("total + item", "item + total").replace("bias", "shift - bias")
    program = f"from pipeline.measures.codebleu.codebleu import code_bleu; print(code_bleu({candidate!r}, {LOOP!r}))"
    values = set()
    for seed in ("1", "2", "3"):
        run = subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        values.add(run.stdout)
    assert values == {f"{code_bleu(candidate, LOOP)}\n"}


def test_limits_leave_room_for_real_projects() -> None:
    project = "".join(f"def step_{i}(x):\n    for a in x:\n        y = a + {i}\n    return y\n\n\n" for i in range(400))
    assert len(project) < code_features.MAX_CHARACTERS
    assert code_bleu(project, project) is not None


def test_equal_sources_have_one_unless_they_are_shorter_than_four_words() -> None:
    for source in ("def f(a):\n    return a\n", "import keras\nmodel = keras.Sequential()\nmodel.fit(x)\n"):
        equal = code_bleu(source, source)
        assert equal is not None
        assert equal.codebleu == pytest.approx(1)
    short = code_bleu("x=1", "x=1")
    assert short is not None
    assert short.codebleu == pytest.approx(0.56, abs=0.01)
