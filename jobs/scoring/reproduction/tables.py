"""A reproduction as tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.table import Table

from jobs.scoring.reproduction.results import ReproducedValue, Reproduction
from jobs.scoring.tables import corpora_table, differences_table, method_table
from pipeline.comparison.code_rows import ALL
from pipeline.comparison.plan_tables import PlannerResult

HEADS = {
    "ngram_match": "n-gram",
    "weighted_ngram_match": "weighted n-gram",
    "syntax_match": "syntax",
    "dataflow_match": "data flow",
    "codebleu": "CodeBLEU",
}


def report_tables(reproduction: Reproduction) -> Iterator[Table]:
    """Published against reproduced, the same outputs beside the baselines, differences from the paper's method, plans,
    and what was absent."""
    for group in sorted({(value.table, value.model) for value in reproduction.values}):
        yield _published([value for value in reproduction.values if (value.table, value.model) == group])
    yield method_table(reproduction.code.methods)
    yield corpora_table([row for row in reproduction.code.rows if row.subset == ALL])
    yield differences_table(row for row in reproduction.code.comparisons if row.measure == "CodeBLEU")
    yield _plans(reproduction)
    if reproduction.absent:
        absent = Table(title="Not there", title_justify="left", show_header=False)
        for line in reproduction.absent:
            absent.add_row(line)
        yield absent


def _published(values: Sequence[ReproducedValue]) -> Table:
    columns = list(dict.fromkeys(value.column for value in values))
    table = Table(
        title=f"{values[0].table}, {values[0].model}: published | reproduced | difference", title_justify="left"
    )
    table.add_column("method")
    for column in columns:
        table.add_column(HEADS[column], justify="right")
    for method in dict.fromkeys(value.method for value in values):
        cells = {value.column: value for value in values if value.method == method}
        table.add_row(method, *(_three(cells[column]) if column in cells else "" for column in columns))
    table.add_section()
    table.add_row("mean absolute difference", *(_mean_difference(values, column) for column in columns))
    return table


def _three(value: ReproducedValue) -> str:
    if value.published is None or value.difference is None:
        return f"- | {value.reproduced:.2f} | -"
    return f"{value.published:.2f} | {value.reproduced:.2f} | {value.difference:+.2f}"


def _mean_difference(values: Sequence[ReproducedValue], column: str) -> str:
    of_column = [value.difference for value in values if value.column == column]
    differences = [abs(difference) for difference in of_column if difference is not None]
    return f"{sum(differences) / len(differences):.2f}" if differences else "-"


def _plans(reproduction: Reproduction) -> Table:
    rows = reproduction.plans.rows
    planners = list(dict.fromkeys(row.planner for row in rows))
    count = rows[0].rows if rows else 0
    table = Table(
        title=f"Table IV and Fig. 4: published | protocol P on 400 rows | protocol P on the {count} rows here",
        title_justify="left",
    )
    table.add_column("column")
    for planner in planners:
        table.add_column(planner, justify="right")
    for column in dict.fromkeys(row.column for row in rows):
        cells = {row.planner: row for row in rows if row.column == column}
        table.add_row(column.replace("_", " "), *(_plan_cell(cells[name]) for name in planners))
    return table


def _plan_cell(row: PlannerResult) -> str:
    values = row.published, row.on_all_rows, row.reproduced
    return " | ".join("-" if value is None else f"{value:.4g}" for value in values)
