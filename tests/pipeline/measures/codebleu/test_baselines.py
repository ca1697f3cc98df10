from __future__ import annotations

import numpy as np
import pytest

from pipeline.measures.codebleu.baselines import (
    Solution,
    best_in_hindsight,
    copyable_samples,
    nearest,
    neighbours,
    one_for_all,
    random_of_category,
)

ROWS = [
    Solution(requirement="classify cat photos", code="cats()", category="image"),
    Solution(requirement="classify dog photos", code="dogs()", category="image"),
    Solution(requirement="forecast river level", code="river()", category="series"),
]
POOL = [ROWS[1], ROWS[2], Solution(requirement="classify cat photos", code="cats( )  \n", category="image"), ROWS[0]]


def requirement(solution: Solution) -> str:
    return solution.requirement


def test_a_rows_own_reference_is_never_copied() -> None:
    assert copyable_samples(ROWS[0], POOL) == [0, 1, 2]
    assert copyable_samples(Solution(requirement="", code="cats( )"), POOL) == [0, 1, 3]


def test_neighbours_are_in_the_rows_place() -> None:
    assert neighbours(ROWS, POOL) == [0, 1, 2]


def test_the_nearest_requirement_that_is_not_the_rows_own() -> None:
    assert nearest(ROWS, [*ROWS], requirement, requirement)[:2] == [1, 0]


def test_the_nearest_within_the_category() -> None:
    rows = [Solution(requirement="river photos of cats", code="x", category="series")]
    assert nearest(rows, POOL, requirement, requirement, same_category=True) == [1]


def test_a_category_of_one_falls_back_to_all() -> None:
    assert nearest([ROWS[2]], ROWS, requirement, requirement, same_category=True)[0] in (0, 1)
    assert random_of_category([ROWS[2]], ROWS, 0)[0] in (0, 1)


def test_random_samples_are_of_the_category_and_repeatable() -> None:
    drawn = [random_of_category(ROWS[:2], POOL, seed) for seed in range(20)]
    assert drawn == [random_of_category(ROWS[:2], POOL, seed) for seed in range(20)]
    assert {first for first, _ in drawn} == {0, 2}
    assert {second for _, second in drawn} == {2, 3}


def test_hindsight_takes_the_best_allowed() -> None:
    scores = np.array([[np.nan, 0.2, 0.5], [0.9, np.nan, 0.1], [0.3, 0.4, np.nan]])
    assert best_in_hindsight(scores) == [2, 0, 1]


def test_a_row_that_could_not_be_measured_gets_any_sample() -> None:
    scores = np.array([[np.nan, np.nan], [0.1, 0.2]])
    assert best_in_hindsight(scores) == [0, 1]
    assert one_for_all(scores) == [1, 1]


def test_a_pool_of_the_row_alone_is_refused() -> None:
    with pytest.raises(ValueError, match="own reference"):
        copyable_samples(ROWS[0], [ROWS[0]])


def test_one_for_all_gives_way_where_it_is_the_rows_own() -> None:
    scores = np.array([[np.nan, 0.2, 0.5], [0.9, np.nan, 0.1], [0.8, 0.4, np.nan]])
    assert one_for_all(scores) == [1, 0, 0]
