"""Scores by which one of several candidates is chosen. What a choice is worth is the mean correctness of the best:
where several are equally good, any of them may be taken."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence

from pipeline.dlbench.agreement.matrix import Matrix

Score = Callable[[Matrix], list[float]]
"""A score for each candidate."""


def codet_sqrt(matrix: Matrix) -> list[float]:
    """sqrt(|S|) * |T| of a candidate's group: those that pass the same tests (Chen et al., CodeT, 2022, section 3.2;
    the published program takes the root)."""
    return _by_group(matrix, math.sqrt)


def codet(matrix: Matrix) -> list[float]:
    """|S| * |T|, as the paper's text has it."""
    return _by_group(matrix, float)


def _by_group(matrix: Matrix, weight: Callable[[int], float]) -> list[float]:
    sizes = Counter(matrix.passes)
    return [weight(sizes[passed]) * len(passed) for passed in matrix.passes]


def author_variant(matrix: Matrix) -> list[float]:
    """The thesis' own way: a candidate's result on each suite is a vector; the sum over its vectors of how often that
    vector is among its own, times the tests passed in it. Candidates are never compared with one another."""
    scores = []
    for passed in matrix.passes:
        vectors = [tuple(test in passed for test in suite) for suite in matrix.suites if suite]
        frequency = Counter(vectors)
        scores.append(float(sum(frequency[vector] * sum(vector) for vector in vectors)))
    return scores


def tests_only(matrix: Matrix) -> list[float]:
    """How many tests a candidate passes."""
    return [float(len(passed)) for passed in matrix.passes]


def random(matrix: Matrix) -> list[float]:
    """None is better than another."""
    return [0.0] * len(matrix.passes)


def first(matrix: Matrix) -> list[float]:
    """The first one drawn."""
    return [float(-place) for place in range(len(matrix.passes))]


CHOICES: dict[str, Score] = {
    "CodeT sqrt(|S|)|T|": codet_sqrt,
    "CodeT |S||T|": codet,
    "author's variant": author_variant,
    "tests only": tests_only,
    "random": random,
    "first": first,
}

ORACLE = "oracle"
"""Right where any candidate is."""


def chosen(scores: Sequence[float]) -> list[int]:
    """The candidates with the best score."""
    best = max(scores)
    return [place for place, score in enumerate(scores) if math.isclose(score, best, abs_tol=1e-12)]


def worth(scores: Sequence[float], correct: Sequence[bool]) -> float:
    """Mean correctness of the best: pass@1 of the choice."""
    best = chosen(scores)
    return sum(correct[place] for place in best) / len(best)


def all_worths(matrix: Matrix, correct: Sequence[bool]) -> dict[str, float]:
    """What each choice is worth on a task, and the oracle's."""
    worths = {name: worth(score(matrix), correct) for name, score in CHOICES.items()}
    return worths | {ORACLE: float(any(correct))}
