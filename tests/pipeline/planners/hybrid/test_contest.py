"""Each field from the planner that is best at it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.plan.fields import FIELD, FIELD_NAMES
from pipeline.plan.reading import read_plan
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.planners.hybrid.contest import RIDGE, FieldContest, judge
from pipeline.planners.hybrid.fit import Fitted, fit
from pipeline.planners.hybrid.planner import HybridPlanner
from pipeline.planners.hybrid.rivals import MAJORITY, RETRIEVAL, held_out_answers, rival
from pipeline.records import Requirement
from pipeline.retrieval.sample_pool import KnownPlan, load_known_plans


@pytest.fixture(scope="module")
def fitted() -> Fitted:
    return fit(load_known_plans())


def _plan(category: str, batch_size: int) -> SolutionPlan:
    hyper = {"batch size": batch_size}
    return read_plan({"Task Category": category, "Model Architecture": {"Hyperparameters": hyper}})


def _best(answers: dict[str, list[SolutionPlan | None]], known: list[SolutionPlan]) -> dict[str, str]:
    return {contest.field: contest.best for contest in judge(answers, known)}


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
    answers, judged = held_out_answers(fitted)
    assert judged == [item.plan for item in load_known_plans()]
    assert {name: len(plans) for name, plans in answers.items()} == {RIDGE: 100, RETRIEVAL: 100, MAJORITY: 100}
    contests = {contest.field: contest.gains for contest in judge(answers, judged)}
    assert set(contests) == set(FIELD_NAMES) - {"preprocess"}
    # Of its own plan each planner would give the category nearly always.
    assert contests["task_category"][MAJORITY] < contests["task_category"][RIDGE] < 95


def test_the_ridge_answers_as_a_fit_without_these_plans_would() -> None:
    known = load_known_plans()[:60]
    whole, rest = fit(known, penalties=[1.0]), fit(known[10:], penalties=[1.0])
    model = next(model for model in whole.fields if model.name == "task_category")
    planner = HybridPlanner(rest)
    same = [
        model.candidates[model.held_out[row]] == _answer(planner, item).task_category
        for row, item in enumerate(known[:10])
    ]
    assert sum(same) >= 9  # the frequencies of words differ a little


def _answer(planner: HybridPlanner, item: KnownPlan) -> SolutionPlan:
    plan = planner(Requirement(id="q", row=0, requirement=item.requirement, attributes=item.attributes))["plan"]
    assert isinstance(plan, SolutionPlan)
    return plan


def test_a_field_comes_from_who_won_it(fitted: Fitted) -> None:
    query = Requirement(id="q", row=0, requirement="Sort photos of shells into four species.", attributes="")
    retrieval = rival(RETRIEVAL, fitted.known)
    own, others = HybridPlanner(fitted)(query)["plan"], retrieval(query)["plan"]  # type: ignore[index,call-overload]
    mixed = HybridPlanner(fitted, others={"input": retrieval, "loss": retrieval})(query)["plan"]
    for field in FIELD.values():
        source = others if field.name in ("input", "loss") else own
        assert field.of(mixed) == field.of(source)  # type: ignore[arg-type]
    assert own.dataset.input != others.dataset.input  # type: ignore[attr-defined]


def test_one_plan_has_nobody_to_compete_for() -> None:
    one = fit([KnownPlan(id="k", requirement="Sort photos", attributes="", plan=_plan("Image Classification", 8))])
    assert held_out_answers(one)[1] == []
    assert replace(one, contest=(FieldContest("loss", {RIDGE: 0.0}, RIDGE),)).known[0].plan.task_category
