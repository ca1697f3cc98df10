"""Each field from the planner that is best at it."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.plan.fields import FIELD_NAMES, FIELDS
from pipeline.plan.reading import read_plan
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.planners.hybrid.field_choice import (
    MAJORITY,
    RETRIEVAL,
    build_other_planner,
    choose_planners,
    held_out_answers,
)
from pipeline.planners.hybrid.field_model import RIDGE
from pipeline.planners.hybrid.fit import Fitted, fit
from pipeline.planners.hybrid.planner import HybridPlanner
from pipeline.records import Requirement
from pipeline.retrieval.sample_pool import KnownPlan, load_known_plans


@pytest.fixture(scope="module")
def fitted() -> Fitted:
    return fit(load_known_plans())


def _plan(category: str, batch_size: int) -> SolutionPlan:
    hyper = {"batch size": batch_size}
    return read_plan({"Task Category": category, "Model Architecture": {"Hyperparameters": hyper}})


def _best(answers: dict[str, list[SolutionPlan | None]], known: list[SolutionPlan]) -> dict[str, str]:
    return {choice.field: choice.planner for choice in choose_planners(answers, known)}


def test_the_one_that_is_ahead_gets_the_field_and_what_is_close_stays_with_the_ridge() -> None:
    known = [_plan("Image Classification", 32)] * 20
    clear = {RIDGE: [_plan("Tabular Regression", 32)] * 20, "other": [_plan("Image Classification", 64)] * 20}
    assert _best(clear, known) | {"task_category": "other", "batch_size": RIDGE} == _best(clear, known)
    one_row = [_plan("Image Classification", 32), *[_plan("Tabular Regression", 32)] * 19]
    close = {RIDGE: [_plan("Tabular Regression", 32)] * 20, "other": one_row}
    assert _best(close, known)["task_category"] == RIDGE


def test_one_extreme_number_does_not_decide() -> None:
    known = [*[_plan("", 32)] * 29, _plan("", 50_000)]
    ridge, lucky = [_plan("", 32)] * 30, [*[_plan("", 64)] * 29, _plan("", 50_000)]
    assert _best({RIDGE: ridge, "lucky": lucky}, known)["batch_size"] == RIDGE


def test_a_field_that_no_plan_tells_stays_with_the_ridge() -> None:
    empty = [SolutionPlan()] * 3
    assert _best({RIDGE: empty, "other": [_plan("", 32)] * 3}, empty)["batch_size"] == RIDGE


def test_known_plans_are_answered_for_as_if_they_were_unknown(fitted: Fitted) -> None:
    answers, answered = held_out_answers(fitted)
    assert answered == [item.plan for item in load_known_plans()]
    known = len(load_known_plans())
    assert {name: len(plans) for name, plans in answers.items()} == {RIDGE: known, RETRIEVAL: known, MAJORITY: known}
    scores = {choice.field: choice.mean_scores for choice in choose_planners(answers, answered)}
    assert set(scores) == set(FIELD_NAMES) - {"preprocess"}
    # Of its own plan each planner would give the category nearly always.
    assert scores["task_category"][MAJORITY] < scores["task_category"][RIDGE] < 95


def test_the_ridge_answers_as_a_fit_without_these_plans_would() -> None:
    known = load_known_plans()[:60]
    answers, _ = held_out_answers(fit(known, penalties=[1.0]))
    without_first_part = HybridPlanner(fit(known[10:], penalties=[1.0]))
    same = 0
    for item, answer in zip(known[:10], answers[RIDGE][:10], strict=True):
        assert answer is not None
        same += answer.task_category == _answer(without_first_part, item).task_category
    assert same >= 9  # the frequencies of words differ a little


def _answer(planner: Any, item: KnownPlan) -> SolutionPlan:
    plan = planner(Requirement(id="q", row=0, requirement=item.requirement, attributes=item.attributes))["plan"]
    assert isinstance(plan, SolutionPlan)
    return plan


def test_a_field_comes_from_who_was_chosen_for_it(fitted: Fitted) -> None:
    query = KnownPlan(
        id="q", requirement="Sort photos of shells into four species.", attributes="", plan=SolutionPlan()
    )
    retrieval = build_other_planner(RETRIEVAL, fitted.known_plans)
    own = _answer(HybridPlanner(fitted), query)
    other = _answer(retrieval, query)
    mixed = _answer(HybridPlanner(fitted, other_planners={"input": retrieval, "loss": retrieval}), query)
    for field in FIELDS:
        source = other if field.name in ("input", "loss") else own
        assert field.of(mixed) == field.of(source)
    assert own.dataset.input != other.dataset.input


def test_where_the_category_comes_from_another_planner_the_rest_goes_with_it(fitted: Fitted) -> None:
    """The ridge's other fields are drawn from known plans of that category."""
    query = KnownPlan(id="q", requirement="Something about shells.", attributes="", plan=_plan("", 8))
    forecasts = [item for item in fitted.known_plans if item.plan.task_category == "Time Series Forecasting"]
    forecasting = build_other_planner(MAJORITY, forecasts)
    mixed = _answer(HybridPlanner(fitted, other_planners={"task_category": forecasting}), query)
    assert mixed.task_category == "Time Series Forecasting"
    assert mixed.layers in {item.plan.layers for item in forecasts}


def test_one_plan_has_nobody_to_be_answered_from() -> None:
    one = fit([KnownPlan(id="k", requirement="Sort photos", attributes="", plan=_plan("Image Classification", 8))])
    assert held_out_answers(one)[1] == []
