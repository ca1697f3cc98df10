"""A reproduction as a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jobs.scoring.pages import artifact_items
from jobs.scoring.reproduction.artifact_outputs import ArtifactScoring
from jobs.scoring.reproduction.results import ReproducedValue, Reproduction
from jobs.scoring.reproduction.tables import HEADS
from pipeline.comparison.plan_tables import PlanComparison, PlannerResult
from pipeline.comparison.verdict import WITHIN_NOISE
from pipeline.pages.findings import findings
from pipeline.pages.score_report import PlainTable, PublishedRow, PublishedTable, ScorePage


def reproduction_page(reproduction: Reproduction, scoring: ArtifactScoring) -> ScorePage:
    """The page of a reproduction, with every item of the artifact."""
    code = reproduction.code
    items = tuple(artifact_items(code, scoring.outputs))
    return ScorePage(
        title="The paper's tables from its released outputs",
        lede="Published, reproduced, and what the tables leave unsaid: length, copying, leaks and noise.",
        findings=tuple(findings(code.methods, code.rows, code.comparisons)),
        methods=code.methods,
        rows=code.rows,
        comparisons=code.comparisons,
        items=items,
        asked=len(items),
        published=tuple(_published(reproduction.values)),
        tables=tuple(_plan_tables(reproduction.plans.rows, reproduction.plans.comparisons)),
        absent=reproduction.absent,
    )


def _published(values: Sequence[ReproducedValue]) -> Iterator[PublishedTable]:
    """The paper's tables, a model each, in the order of the values."""
    by_table: dict[tuple[str, str], list[ReproducedValue]] = {}
    for value in values:
        by_table.setdefault((value.table, value.model), []).append(value)
    for (table, model), of_table in by_table.items():
        cells: dict[str, dict[str, tuple[float | None, float]]] = {}
        columns: list[str] = []
        for value in of_table:
            head = HEADS[value.column]
            cells.setdefault(value.method, {})[head] = value.published, value.reproduced
            if head not in columns:
                columns.append(head)
        rows = [PublishedRow(method=method, values=of_method) for method, of_method in cells.items()]
        yield PublishedTable(title=f"{table}, {model}", columns=tuple(columns), rows=rows)


def _plan_tables(rows: Sequence[PlannerResult], compared: Sequence[PlanComparison]) -> Iterator[PlainTable]:
    if rows:
        yield _plan_values(rows)
        if compared:
            yield _plan_differences(compared)


def _plan_values(rows: Sequence[PlannerResult]) -> PlainTable:
    planners = list(dict.fromkeys(row.planner for row in rows))
    row_of = {(row.column, row.planner): row for row in rows}
    lines = []
    for column in dict.fromkeys(row.column for row in rows):
        cells = [_plan_cell(row_of.get((column, planner))) for planner in planners]
        lines.append([column.replace("_", " "), *cells])
    return PlainTable(
        title="Plans: Table IV and Fig. 4",
        about="Published | protocol P on all 400 rows, where measured | protocol P on the "
        f"{rows[0].rows} rows here. The released predictions cannot give the published table, so planners are "
        "compared by one protocol on equal rows.",
        heads=["column", *planners],
        rows=lines,
    )


def _plan_differences(compared: Sequence[PlanComparison]) -> PlainTable:
    lines = []
    for row in compared:
        interval = f"{row.low:+.3g} to {row.high:+.3g}"
        # Columns differ in whether lower is better, and this table does not say which.
        verdict = WITHIN_NOISE if row.verdict == WITHIN_NOISE else "differs"
        column, difference = row.column.replace("_", " "), f"{row.difference:+.3g}"
        lines.append([row.planner, column, str(row.rows), difference, interval, f"{row.p_holm:.4f}", verdict])
    return PlainTable(
        title="Plans: differences on the same rows",
        about=f"Mean difference from {compared[0].against}, with a 95 % paired bootstrap interval; p after Holm's "
        "correction over all of these.",
        heads=["planner", "column", "rows", "difference", "95 % interval", "p (Holm)", "verdict"],
        rows=lines,
    )


def _plan_cell(row: PlannerResult | None) -> str:
    if row is None:
        return "–"
    texts = []
    for value in (row.published, row.on_all_rows, row.reproduced):
        texts.append("–" if value is None else f"{value:.4g}")
    return " | ".join(texts)
