"""The table of a plan's fields: every field once, and every list of them elsewhere the same."""

from __future__ import annotations

import json
from dataclasses import fields

from corpus_build.records import Confidence
from jobs.scoring.reproduction.published import load_published
from pipeline.comparison.plan_columns import COMPANIONS, FIELD_COLUMNS
from pipeline.measures.plan_metrics import PlanMetrics, PlanScores
from pipeline.plan.fields import FIELD_NAMES, FIELDS, NUMBER_FIELDS, TABLE_IV, plan_of
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.retrieval.sample_pool import load_known_plans


def test_a_plan_is_its_fields() -> None:
    for item in load_known_plans():
        values = {field.name: field.of(item.plan) for field in FIELDS}
        assert plan_of(values) == item.plan
    assert plan_of({}) == plan_of(dict.fromkeys(FIELD_NAMES)) == SolutionPlan()


def test_the_fields_stand_in_the_order_of_a_plans_json() -> None:
    def leaves(part: object) -> list[object]:
        return [leaf for value in part.values() for leaf in leaves(value)] if isinstance(part, dict) else [part]

    plan = load_known_plans()[0].plan
    in_order = [list(value) if isinstance(value := field.of(plan), tuple) else value for field in FIELDS]
    assert leaves(json.loads(plan.to_json())) == in_order


def test_numbers_are_those_that_are_measured_by_their_error() -> None:
    assert [field.name for field in NUMBER_FIELDS] == ["learning_rate", "batch_size", "epochs"]
    assert tuple(field for field in FIELDS if field.column.endswith("_error")) == NUMBER_FIELDS


def test_scores_tables_and_the_published_values_have_the_columns_of_table_iv() -> None:
    columns = [field.column for field in TABLE_IV]
    assert [field.name for field in fields(PlanScores)][: len(columns)] == columns
    assert [field.name for field in fields(PlanMetrics)][1 : len(columns) + 1] == columns
    assert list(load_published().plans.columns) == columns
    shown = [column.name for column in (*FIELD_COLUMNS, *COMPANIONS)]
    assert sorted(shown) == sorted({field.name for field in fields(PlanMetrics)} - {"rows"})


def test_the_corpus_build_says_of_every_field_how_sure_it_is() -> None:
    assert [field.name for field in fields(Confidence)] == ["requirement", "attributes", *FIELD_NAMES]


def test_arrows_stand_where_lower_is_better() -> None:
    assert [column.heading for column in FIELD_COLUMNS if column.lower_is_better] == [
        "layers ↓", "LR ↓", "batch ↓", "epochs ↓",
    ]  # fmt: skip
