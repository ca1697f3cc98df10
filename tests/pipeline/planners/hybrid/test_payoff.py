"""What candidate values score against known ones: the plan metrics' own numbers."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.measures.plan_metrics import layers_distance, score_plan
from pipeline.plan.fields import FIELDS, PlanField
from pipeline.plan.reading import read_plan
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.planners.hybrid import payoff
from pipeline.planners.hybrid.payoff import TYPES_WORTH


def test_labels_are_equal_by_letters_and_digits_and_spelled_as_most_spell_them() -> None:
    found = payoff.labels(["Cross Entropy", "mse", "cross_entropy", "cross_entropy", ""])
    assert found.candidates == ("cross_entropy", "mse")
    assert found.table.tolist() == [[1, 0], [0, 1], [1, 0], [1, 0], [0, 0]]
    assert found.candidate_of.tolist() == [0, 1, 0, 0, -1]


def _of_layers(layers: tuple[str, ...]) -> SolutionPlan:
    return read_plan({"Model Architecture": {"Layers": list(layers)}})


def test_layers_score_minus_their_distance_surplus_and_wrong_types() -> None:
    lists = [("Dense(8)", "Dense(1)"), ("Conv2D(4, 3)", "Flatten()", "Dense(10)"), ("Flatten()",)]
    found = payoff.layer_lists(lists)
    for row, known in enumerate(lists):
        for column, candidate in enumerate(lists):
            scores = score_plan(_of_layers(candidate), _of_layers(known))
            lost = scores.layers_distance + scores.layer_count_error + TYPES_WORTH * (1 - scores.layer_type_f1)
            assert -10 * found.table[row, column] == pytest.approx(lost)


def test_lists_of_bare_names_are_known_but_not_chosen_unless_there_are_only_such() -> None:
    found = payoff.layer_lists([("Conv2D", "Dense"), ("Dense(8)",), ()])
    assert found.candidates == (("Dense(8)",),)
    assert found.candidate_of.tolist() == [-1, 0, -1]
    assert -10 * found.table[0, 0] == pytest.approx(
        layers_distance(("Dense(8)",), ("Conv2D", "Dense")) + 1 + TYPES_WORTH / 3  # one type of one and of two: 2/3
    )
    assert payoff.layer_lists([("Conv2D", "Dense")]).candidates == (("Conv2D", "Dense"),)


def test_numbers_score_minus_their_error_and_open_ones_say_nothing() -> None:
    found = payoff.numbers([32, None, 64, 32])
    assert found.candidates == (32, 64)
    assert np.isnan(found.table[1]).all()
    assert (found.table[0] * 32).tolist() == [0, -32]


@pytest.mark.parametrize("field", FIELDS)
def test_a_field_that_no_plan_has_has_no_candidates(field: PlanField) -> None:
    open_value = field.of(SolutionPlan())
    found = payoff.PAYOFFS[field.measure]([open_value, open_value])
    assert found.candidates == ()
    assert found.table.shape == (2, 0)
