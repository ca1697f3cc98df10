"""Which known plans one of them is answered from, so that it is like a new requirement."""

from __future__ import annotations

import numpy as np

from pipeline.planners.hybrid.holding_out import distant_plans, every_kth, independent_plans


def test_the_lines_beside_a_plan_are_held_out_with_it_fewer_of_a_short_file() -> None:
    assert np.flatnonzero(~distant_plans(500, 4000)).tolist() == list(range(425, 576))
    assert np.flatnonzero(~distant_plans(3, 100)).tolist() == list(range(9))


def test_plans_too_much_like_it_are_held_out_unless_all_are() -> None:
    similarity = np.full(4000, 0.2, np.float32)
    similarity[[7, 9]] = 0.5, 0.49
    independent = independent_plans(500, similarity)
    assert independent[[7, 9, 425, 424]].tolist() == [False, True, False, True]
    assert independent_plans(3, np.ones(100, np.float32)).sum() == 91


def test_of_too_many_rows_every_kth_is_taken() -> None:
    assert every_kth(10, 10).tolist() == list(range(10))
    assert every_kth(11, 10).tolist() == [0, 2, 4, 6, 8, 10]
    assert every_kth(0, 10).tolist() == []
