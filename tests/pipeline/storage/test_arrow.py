"""Records as Arrow tables and back."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pytest
from pydantic import ValidationError

from pipeline.plan.reading import read_plan
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.records import Failure, Scored, Scores, SourceFile
from pipeline.storage.arrow import from_rows, schema_of, to_table
from tests.pipeline.plan.test_reading import PLAN

ROWS = [
    Scored(
        id="a",
        row=0,
        plan=read_plan(PLAN),
        files=(SourceFile(path="project.py", text="é\n"),),
        scores=Scores(parses=True),
    ),
    Scored(id="b", row=1, failure=Failure(stage="plan", kind="no_plan", message="none")),
    Scored(id="c", row=2, plan=SolutionPlan()),
]


def test_records_survive_the_way_through_arrow() -> None:
    assert from_rows(to_table(ROWS, Scored).to_pylist(), Scored) == ROWS


def test_an_empty_table_has_all_columns() -> None:
    assert to_table([], Scored).schema == schema_of(Scored)


def test_the_plan_is_a_struct_that_can_be_queried() -> None:
    table = to_table(ROWS, Scored)
    assert table["plan"][0]["architecture"]["hyperparameters"]["batch_size"].as_py() == 32
    assert pa.types.is_struct(table.schema.field("plan").type)


def test_a_mapping_has_no_place_in_a_record() -> None:
    @dataclass
    class Wrong:
        files: dict[str, str]

    with pytest.raises(TypeError, match="no Arrow type"):
        schema_of(Wrong)


def test_a_foreign_row_is_refused() -> None:
    with pytest.raises(ValidationError):
        from_rows([{"id": 3}], Scored)
