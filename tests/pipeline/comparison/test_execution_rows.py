from __future__ import annotations

from pipeline.comparison.execution_rows import execution_rows, outcome_of
from pipeline.execution.ladder import Rung
from pipeline.execution.running.execute_stage import Executed
from pipeline.measures.outputs import MethodName
from pipeline.records import Failure
from tests.pipeline.execution.running.executed_projects import executed_project

NAME = MethodName("Runs", "", "symbolic")


def test_every_item_is_in_a_denominator_but_those_that_the_machinery_failed() -> None:
    no_plan = Failure(stage="plan", kind="no_plan", message="none")
    bug = Failure(stage="draft", kind="bug", message="ours")
    records = [
        Executed(id="a", row=0, execution=executed_project()),
        Executed(id="b", row=1, execution=executed_project(learns="not_measurable")),
        Executed(id="c", row=2, execution=executed_project(came_to=Rung.DATA_FOUND)),
        Executed(id="d", row=3, execution=executed_project(infra="dead")),
        Executed(id="e", row=4, failure=no_plan),
        Executed(id="f", row=5, failure=bug),
    ]
    rows = {row.rung: row for row in execution_rows({NAME: [outcome_of(record) for record in records]})}
    finishes, learns = rows["finishes"], rows["learns"]
    assert (finishes.asked, finishes.executed, finishes.infra) == (6, 4, 1)
    assert (finishes.of, finishes.reached, finishes.share) == (4, 2, 0.5)
    assert (learns.not_measurable, learns.of, learns.reached) == (1, 3, 1)
    assert (rows["parses"].of, rows["parses"].reached) == (4, 3)


def test_of_no_item_there_is_no_share() -> None:
    record = Executed(id="d", row=3, execution=executed_project(infra="dead"))
    assert {row.share for row in execution_rows({NAME: [outcome_of(record)]})} == {None}
