"""What the hybrid planner decides for each field: the known value that scores best on average, by the field's measure.

All requirements here are the same, so that every known plan counts the same and the best value can be found by hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from pipeline.measures.plan_metrics import PlanScores, score_plan
from pipeline.plan.fields import FIELD, FIELDS, PlanField, plan_of
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.planners.hybrid.fit import fit
from pipeline.planners.hybrid.planner import HybridPlanner
from pipeline.records import Requirement
from pipeline.retrieval.sample_pool import KnownPlan


def _decided(name: str, values: Sequence[Any]) -> Any:
    """The value that the planner gives a field, where known plans have these."""
    known = []
    for number, value in enumerate(values):
        plan = plan_of({"task_category": "Image Classification", name: value})
        known.append(KnownPlan(id=f"k{number}", requirement="Sort photos of shells", attributes="", plan=plan))
    planner = HybridPlanner(fit(known, penalties=[1.0]))
    plan = planner(Requirement(id="q", row=0, requirement="Sort pictures of old coins by mint", attributes=""))["plan"]
    assert isinstance(plan, SolutionPlan)
    return FIELD[name].of(plan)


def test_labels_are_equal_by_letters_and_digits_and_spelled_as_most_spell_them() -> None:
    assert _decided("loss", ["Cross Entropy", "mse", "mse", "cross_entropy", "cross_entropy"]) == "cross_entropy"


def test_of_texts_the_one_that_agrees_most_with_the_others_is_taken() -> None:
    texts = ["images of cats", "images of small cats", "images of small black cats", "a table"]
    assert _decided("preprocess", texts) == "images of small cats"


def test_of_numbers_the_median_is_taken_and_open_ones_say_nothing() -> None:
    assert _decided("batch_size", [16, None, 64, 32, None, 32, 4096]) == 32


LAYERS = [
    ("Dense(8)", "Dense(1)"),
    ("Conv2D(4, 3)", "Flatten()", "Dense(10)"),
    ("Conv2D(8, 3)", "Flatten()", "Dense(10)"),
    ("Flatten()",),
    ("Conv2D(8, 3)", "MaxPooling2D()", "Flatten()", "Dense(64)", "Dense(10)"),
]


def _lost(scores: PlanScores) -> float:
    """Edits, surplus layers, and 20 edits for wrong types (docs/planners.md)."""
    return scores.layers_distance + scores.layer_count_error + 20 * (1 - scores.layer_type_f1)


def test_of_layer_lists_the_one_of_least_edits_surplus_and_wrong_types_is_taken() -> None:
    plans = [plan_of({"layers": layers}) for layers in LAYERS]
    lost = {plan.layers: sum(_lost(score_plan(plan, right)) for right in plans) for plan in plans}
    assert _decided("layers", LAYERS) == min(lost, key=lambda layers: lost[layers])


def test_lists_of_bare_names_are_known_but_not_chosen_unless_there_are_only_such() -> None:
    bare = ("Conv2D", "Dense")
    assert _decided("layers", [bare, bare, bare, ("Dense(8)",)]) == ("Dense(8)",)
    assert _decided("layers", [bare, ("Dense",), bare]) == bare


@pytest.mark.parametrize("field", [field for field in FIELDS if field.name != "task_category"])
def test_a_field_that_no_plan_has_stays_open(field: PlanField) -> None:
    value = field.of(SolutionPlan())
    assert _decided(field.name, [value, value]) == value
