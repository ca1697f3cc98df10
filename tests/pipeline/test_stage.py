"""How rows travel through stages: failures stay with their row, bugs cost a row and not the job."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping

import pytest

from pipeline.errors import DLCodeGenError, StageFailure
from pipeline.plan.solution_plan import SolutionPlan
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


def _build_slow() -> Step:
    async def step(record: Requirement) -> Mapping[str, object]:
        await asyncio.sleep(0.02 if record.row == 0 else 0)
        return _plan_step(record)

    return step


SLOW = Stage(name="plan", accepts=Requirement, returns=Planned, build=_build_slow, waits=True)


def test_async_steps_give_the_rows_of_sync_ones_in_order() -> None:
    rows = _rows("one", "fail", "bug", "two")
    waited, at_once = list(run_local((SLOW, SOURCES), rows)), list(run_local((PLAN, SOURCES), rows))
    assert [row.id for row in waited] == [row.id for row in at_once]
    for ours, theirs in zip(waited, at_once, strict=True):
        assert ours == theirs or (ours.failure and theirs.failure and ours.failure.kind == theirs.failure.kind == "bug")


def test_rows_are_read_as_they_are_needed() -> None:
    taken = 0

    def rows() -> Iterator[Requirement]:
        nonlocal taken
        for row in _rows(*map(str, range(1000))):
            taken += 1
            yield row

    found = run_local((SLOW,), rows(), rows_in_flight=2)
    assert next(found).id == "0"
    assert taken < 20
    found.close()


def test_an_async_step_needs_a_stage_that_waits() -> None:
    stage = Stage(name="plan", accepts=Requirement, returns=Planned, build=_build_slow)
    with pytest.raises(TypeError, match=r"stage 'plan' has an async step; say Stage\(waits=True\)"):
        list(run_local((stage,), _rows("one")))


def test_a_mistake_of_the_user_ends_the_run_after_rows_under_way_are_done() -> None:
    finished = []

    async def step(record: Requirement) -> Mapping[str, object]:
        if record.row == 1:
            raise DLCodeGenError("no such model")
        await asyncio.sleep(0.02)
        finished.append(record.row)
        return {}

    stage = Stage(name="plan", accepts=Requirement, returns=Planned, build=lambda: step, waits=True)
    with pytest.raises(DLCodeGenError, match="no such model"):
        list(run_local((stage,), _rows(*"abcd")))
    assert finished == [0, 2, 3]


def test_a_failure_keeps_the_fields_that_were_found_before_it() -> None:
    def step(record: Requirement) -> Mapping[str, object]:
        raise StageFailure("half", "only half of it", added={"plan_sources": ("p1",)})

    (row,) = run_local((Stage(name="plan", accepts=Requirement, returns=Planned, build=lambda: step),), _rows("a"))
    assert isinstance(row, Planned)
    assert row.plan_sources == ("p1",)
    assert row.failure is not None
