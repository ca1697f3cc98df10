"""The planner on a loopback Serve: the plans of the batch job, gathered into batches."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from ray import serve

from pipeline.plan.solution_plan import SolutionPlan
from pipeline.planners.causal_lm.planner import Gpt2Planner
from pipeline.planners.repair.repair import RepairedPlanner
from pipeline.records import Requirement
from serving.planner import PlannerServer, planner_application
from tests.pipeline.planners.causal_lm.tiny_gpt2 import random_gpt2
from tests.waiting import scaled

pytestmark = [pytest.mark.ray, pytest.mark.slow]

TEXTS = [f"Classify photos of {number} kinds of shells." for number in range(2, 10)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return random_gpt2(tmp_path_factory.mktemp("model"), seed=1, spread=0.4, context=400)


@pytest.fixture
def application() -> Iterator[str]:
    yield "planner-test"
    serve.delete("planner-test")


def _locally(folder: str) -> list[SolutionPlan]:
    records = [Requirement(id=text, row=0, requirement=text, attributes="RGB") for text in TEXTS]
    planner = RepairedPlanner(Gpt2Planner(folder))
    return [dict(planner(record))["plan"] for record in records]  # type: ignore[call-overload]


def test_the_plain_class_gives_the_plans_of_a_job(folder: str) -> None:
    found = asyncio.run(PlannerServer(folder).plan(TEXTS, ["RGB"] * len(TEXTS)))
    assert [SolutionPlan.model_validate(plan) for plan in found] == _locally(folder)


def test_requests_to_a_replica_are_answered_each_with_its_own_plan(folder: str, application: str) -> None:
    options = {"ray_actor_options": {"num_cpus": 0.5}}
    handle = serve.run(planner_application(folder, batch=8, **options), name=application, route_prefix=None)
    waiting = [handle.plan.remote(text, "RGB") for text in TEXTS]
    found = [SolutionPlan.model_validate(answer.result(timeout_s=scaled(60))) for answer in waiting]
    assert found == _locally(folder)
