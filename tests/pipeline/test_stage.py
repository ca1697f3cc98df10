"""How rows travel through stages: failures stay with their row, bugs cost a row and not the job."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from pipeline.errors import StageFailure
from pipeline.plan import SolutionPlan
from pipeline.records import Planned, Requirement, Retrieved
from pipeline.stage import Stage, Step, check_chain, run_local


def _plan_step(record: Requirement) -> Mapping[str, object]:
    if record.requirement == "fail":
        raise StageFailure("no_idea", "nothing comes to mind")
    if record.requirement == "bug":
        raise ZeroDivisionError("oops")
    return {"plan": SolutionPlan(task_category=record.requirement)}


def _build_plan() -> Step:
    return _plan_step


def _build_sources() -> Step:
    return lambda record: {"plan_sources": (record.plan.task_category,)}


PLAN = Stage(name="plan", accepts=Requirement, returns=Planned, build=_build_plan)
SOURCES = Stage(name="sources", accepts=Planned, returns=Planned, build=_build_sources)


def _rows(*texts: str) -> list[Requirement]:
    return [Requirement(id=text, row=number, requirement=text) for number, text in enumerate(texts)]


def test_rows_come_out_in_order_and_a_failed_row_skips_later_stages() -> None:
    good, failed, bug = run_local((PLAN, SOURCES), _rows("good", "fail", "bug"))
    assert isinstance(good, Planned)
    assert good.plan_sources == ("good",)
    assert failed.failure is not None
    assert (failed.failure.stage, failed.failure.kind) == ("plan", "no_idea")
    assert bug.failure is not None
    assert bug.failure.kind == "bug"
    assert "ZeroDivisionError: oops" in bug.failure.message
    assert "test_stage.py" in bug.failure.message


def test_a_row_that_failed_before_keeps_its_failure() -> None:
    (first,) = run_local((PLAN,), _rows("fail"))
    (second,) = run_local((SOURCES,), [first])
    assert second.failure == first.failure


def test_a_chain_that_does_not_fit_is_named() -> None:
    later = Stage(name="later", accepts=Retrieved, returns=Retrieved, build=_build_plan)
    with pytest.raises(TypeError, match="'later' accepts Retrieved, but 'plan' before it returns Planned"):
        check_chain((PLAN, later))
