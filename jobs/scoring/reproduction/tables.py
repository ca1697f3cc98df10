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
    """Published against reproduced, the same outputs beside the baselines, differences from the paper's method,
    plans, and what was absent."""
    by_table: dict[tuple[str, str], list[ReproducedValue]] = {}
    for value in reproduction.values:
        by_table.setdefault((value.table, value.model), []).append(value)
    for _, values in sorted(by_table.items()):
        yield _published(values)
    yield method_table(reproduction.code.methods)
    corpora = [row for row in reproduction.code.rows if row.subset == ALL]
    yield corpora_table(corpora)
    differences = [row for row in reproduction.code.comparisons if row.measure == "CodeBLEU"]
    yield differences_table(differences)
    yield _plans(reproduction)
    if reproduction.absent:
        absent = Table(title="Not there", title_justify="left", show_header=False)
        for line in reproduction.absent:
            absent.add_row(line)
        yield absent


def _published(values: Sequence[ReproducedValue]) -> Table:
    """One table of the paper for one model, a row a method."""
    columns = list(dict.fromkeys(value.column for value in values))
    rows: dict[str, dict[str, str]] = {}
    for value in values:
        rows.setdefault(value.method, {})[value.column] = _three(value)
    title = f"{values[0].table}, {values[0].model}: published | reproduced | difference"
    table = Table(title=title, title_justify="left")
    table.add_column("method")
    for column in columns:
        table.add_column(HEADS[column], justify="right")
    for method, cells in rows.items():
        table.add_row(method, *[cells.get(column, "") for column in columns])
    table.add_section()
    mean_differences = [_mean_difference(values, column) for column in columns]
    table.add_row("mean absolute difference", *mean_differences)
    return table


def _three(value: ReproducedValue) -> str:
    """Published, reproduced and their difference; the paper shows some values in a plot only."""
    if value.published is None or value.difference is None:
        return f"- | {value.reproduced:.2f} | -"
    return f"{value.published:.2f} | {value.reproduced:.2f} | {value.difference:+.2f}"


def _mean_difference(values: Sequence[ReproducedValue], column: str) -> str:
    differences = []
    for value in values:
        if value.column == column and value.difference is not None:
            differences.append(abs(value.difference))
    if not differences:
        return "-"
    return f"{sum(differences) / len(differences):.2f}"


def _plans(reproduction: Reproduction) -> Table:
    """Measures of plans, a row a measure and a column a planner."""
    rows = reproduction.plans.rows
    count = 0
    if rows:
        count = rows[0].rows
    planners = list(dict.fromkeys(row.planner for row in rows))
    cells: dict[str, dict[str, str]] = {}
    for row in rows:
        cells.setdefault(row.column, {})[row.planner] = _plan_cell(row)
    title = f"Table IV and Fig. 4: published | protocol P on 400 rows | protocol P on the {count} rows here"
    table = Table(title=title, title_justify="left")
    table.add_column("column")
    for planner in planners:
        table.add_column(planner, justify="right")
    for column, by_planner in cells.items():
        table.add_row(column.replace("_", " "), *[by_planner[name] for name in planners])
    return table


def _plan_cell(row: PlannerResult) -> str:
    texts = []
    for value in (row.published, row.on_all_rows, row.reproduced):
        texts.append("-" if value is None else f"{value:.4g}")
    return " | ".join(texts)
