"""Tests that were generated, and what choosing by them is worth."""

from __future__ import annotations

import math

import pytest

from pipeline.comparison.statistics import wilson
from pipeline.dlbench.agreement.choosing import CHOICES, all_worths, author_variant, codet, codet_sqrt, worth
from pipeline.dlbench.agreement.control import ControlTask, Drawn, contrasts, effects
from pipeline.dlbench.agreement.generated import generated_tests
from pipeline.dlbench.agreement.matrix import Matrix, program_key, unique_tests
from pipeline.dlbench.statistics import clustered_mean, mcnemar, pass_at_k


def test_assertions_are_read_from_programs_fences_functions_and_continuations() -> None:
    program = "import math\nx = math.pi\nassert f(x) == 1\nassert g(1) == 2\nassert f( 2 )==3, 'why'\n"
    [first, second] = generated_tests(program, "f")
    assert (first.setup, first.assertion) == ("import math\nx = math.pi", "assert f(x) == 1")
    assert (second.setup, second.assertion) == ("", "assert f(2) == 3")
    assert generated_tests(f"Here:\n```python\n{program}```\n", "f") == [first, second]
    assert [test.assertion for test in generated_tests("f(1) == 2\nassert f(3) == 4", "f")] == [
        "assert f(1) == 2",
        "assert f(3) == 4",
    ]
    inside = "from guess import f\ndef test_f():\n    a = 1\n    assert f(a) == 1\n"
    assert generated_tests(inside, "f")[0].setup == "a = 1"
    assert generated_tests("I would test it with care.", "f") == []
    assert len(generated_tests("\n".join(f"assert f({n}) == {n}" for n in range(9)), "f")) == 5


def test_equal_programs_and_tests_are_one() -> None:
    assert program_key("def f(x):\n    'doc'\n    return x  # c\n") == program_key("def f(x): return x\n")
    assert program_key("def f(x): return 1") != program_key("def f(x): return 1.0")
    suites = [generated_tests(text, "f") for text in ("assert f(1)==1", "assert f(1) == 1\nassert f(2) == 2")]
    tests, numbered = unique_tests(suites)
    assert (len(tests), numbered) == (2, [(0,), (0, 1)])


MATRIX = Matrix(
    passes=(frozenset({0, 1}), frozenset({0, 1}), frozenset({0, 1, 2}), frozenset()), tests=3, suites=((0, 1), (2,))
)


def test_scores() -> None:
    assert codet_sqrt(MATRIX) == [pytest.approx(2 * math.sqrt(2))] * 2 + [3.0, 0.0]
    assert codet(MATRIX) == [4.0, 4.0, 3.0, 0.0]
    # (True, True) once gives 2, (False,) once gives 0; of the third candidate 2 + 1.
    assert author_variant(MATRIX) == [2.0, 2.0, 3.0, 0.0]


def test_what_choices_are_worth_with_ties_shared() -> None:
    correct = (True, False, False, False)
    worths = all_worths(MATRIX, correct)
    assert worths["CodeT |S||T|"] == 0.5
    assert worths["tests only"] == 0.0
    assert worths["random"] == 0.25
    assert worths["first"] == 1.0
    assert worths["oracle"] == 1.0
    assert set(CHOICES) < set(worths)
    assert worth([1.0, 1.0], (True, False)) == 0.5


def test_pass_at_k_is_unbiased_and_large_numbers_do_not_matter() -> None:
    assert pass_at_k(4, 1, 1) == pytest.approx(0.25)
    assert pass_at_k(5, 2, 3) == pytest.approx(1 - 1 / 10)
    assert pass_at_k(10_000, 1, 10) == pytest.approx(0.001)
    assert pass_at_k(3, 3, 3) == 1.0
    with pytest.raises(ValueError, match="at least 5"):
        pass_at_k(4, 1, 5)


def test_intervals_and_mcnemar() -> None:
    interval = clustered_mean([1.0] * 10 + [0.0] * 10, ["a"] * 10 + ["b"] * 10)
    assert (interval.estimate, interval.low, interval.high) == (0.5, 0.0, 1.0)
    narrower = clustered_mean([1.0, 0.0] * 10, list(range(20)))
    assert narrower.low > 0.2
    assert wilson(157, 415).low == pytest.approx(0.333, abs=0.001)
    found = mcnemar([True] * 6 + [False], [False] * 6 + [False])
    assert (found.first_only, found.second_only) == (6, 0)
    assert found.p == pytest.approx(2 * 0.5**6)
    assert mcnemar([True], [True]).p == 1.0


def test_the_control_compares_as_many_calls() -> None:
    good = Drawn(correct=(True, True, True, False), matrix=MATRIX)
    bad = Drawn(correct=(False, False, True, False), matrix=MATRIX)
    tasks = [ControlTask(task=str(n), repository=f"r{n % 4}", original=bad, mutated=good) for n in range(8)]
    by_name = {one.name: one for one in contrasts(tasks, "CodeT |S||T|")}
    assert by_name["mutation, as it comes"].interval.estimate == pytest.approx(0.5)
    assert by_name["mutation, with agreement"].mcnemar.first_only == 8
    assert by_name["agreement, on the original"].interval.estimate == pytest.approx(-0.25)
    assert by_name["mutation, with agreement"].p_holm >= by_name["mutation, with agreement"].mcnemar.p
    shorter = Drawn(correct=(True,), matrix=MATRIX)
    with pytest.raises(ValueError, match="as many calls"):
        contrasts([ControlTask(task="x", repository="r", original=shorter, mutated=good)], "random")


def test_the_taxonomy() -> None:
    rows = [
        ("passive", "training", "fail", "pass"),
        ("passive", "training", "fail", "pass"),
        ("q", "t", "pass", "pass"),
    ]
    first, second = effects(rows)
    assert (first.kind, first.variant_only) == ("fail", 2)
    assert (second.kind, second.both) == ("", 1)
