"""Where the values of a plan came from that nobody asked for."""

from __future__ import annotations

from pipeline.measures.delivery.assumptions import assumptions, origin_of_plan
from pipeline.plan.change import PlanChange
from pipeline.plan.solution_plan import Hyperparameters, ModelArchitecture, SolutionPlan
from pipeline.records import Planned
from pipeline.request.delivery import Assumption

PLAN = SolutionPlan(
    task_category="Image Classification",
    architecture=ModelArchitecture(hyperparameters=Hyperparameters(loss="mse", optimizer="Adam")),
)


def assumed(record: Planned) -> dict[str, Assumption]:
    return {one.name: one for one in assumptions((), record.plan, origin_of_plan(record))}


def test_a_value_that_the_repair_put_in_came_from_its_rule() -> None:
    change = PlanChange(field="loss", before="hinge", after="mse", because="numbers have a loss of numbers")
    found = assumed(Planned(id="a", row=0, plan=PLAN, plan_sources=("wine", "beer"), plan_changes=(change,)))
    assert (found["loss"].origin, found["loss"].because) == ("rule", change.because)
    assert (found["optimizer"].origin, found["optimizer"].because) == ("neighbour", "wine, beer")


def test_a_category_is_called_problem_here() -> None:
    change = PlanChange(
        field="task_category", before="Other", after="Image Classification", because="photos in classes"
    )
    found = assumed(Planned(id="a", row=0, plan=PLAN, plan_changes=(change,)))
    assert found["problem"].origin == "rule"
    assert found["loss"].origin == "model"
