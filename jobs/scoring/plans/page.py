"""An evaluation of planners as tables, for the terminal and for a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.table import Table

from pipeline.comparison.plan_tables import ALL, LOWER_IS_BETTER, NOT_NEAR, TABLE_IV, PlanComparison, PlanRow
from pipeline.pages.report_page import write_page
from pipeline.pages.score_report import PlainTable

WHY_NOT_PUBLISHED = (
    "The published Table IV cannot be recomputed from the released predictions: 95 of the 400 beam-search predictions "
    "are no JSON, two columns are impossible by counting, and how plans were read and numbers compared is not said. "
    "So all planners are measured by one code on equal rows (protocol P), and the printed values stand beside it."
)
WHOLE = ("line_bleu", "plan_bleu", "validity_lenient", "validity_strict")
COMPANIONS = (
    "learning_rate_decades",
    "layer_type_f1",
    "layer_count_error",
    "learning_rate_coverage",
    "batch_size_coverage",
    "epochs_coverage",
)
_HEADS = {
    "task_category": "category",
    "input_bleu": "input",
    "output_bleu": "output",
    "layers_distance": "layers ↓",
    "learning_rate_error": "LR ↓",
    "batch_size_error": "batch ↓",
    "epochs_error": "epochs ↓",
    "line_bleu": "BLEU-4, lines (Fig. 4)",
    "plan_bleu": "BLEU-4, plans",
    "validity_lenient": "valid, read leniently",
    "validity_strict": "valid as it stands",
    "learning_rate_decades": "LR, median decades ↓",
    "layer_type_f1": "layer types F1",
    "layer_count_error": "layer count error ↓",
    "learning_rate_coverage": "LR coverage",
    "batch_size_coverage": "batch coverage",
    "epochs_coverage": "epochs coverage",
}


@dataclass(frozen=True, slots=True)
class _Group:
    title: str
    about: str
    columns: Sequence[tuple[str, Sequence[PlanComparison]]]


def plan_report(rows: Sequence[PlanRow], near: int) -> Iterator[PlainTable]:
    """Table IV under protocol P, over all rows and over those not nearly known; the printed one; Fig. 4, companions."""
    count = next((row.rows for row in rows if row.subset == ALL), 0)
    yield _values("Table IV", f"Protocol P over all {count} rows.", rows, ALL, TABLE_IV)
    kept = next((row.rows for row in rows if row.subset == NOT_NEAR), 0)
    if kept:
        about = f"The {kept} rows left without the {near} whose requirement is nearly among the known plans'."
        yield _values("Table IV without nearly known rows", about, rows, NOT_NEAR, TABLE_IV)
    printed = [row for row in rows if row.subset == ALL and row.published is not None]
    if printed:
        yield _printed("Table IV as published", WHY_NOT_PUBLISHED, printed, "published")
    on_all = [row for row in rows if row.subset == ALL and row.on_all_rows is not None]
    if on_all:
        yield _printed(
            "Protocol P on all 400 rows", "Measured where all test rows were at hand.", on_all, "on_all_rows"
        )
    about = (
        "BLEU-4 over all lines at once (Fig. 4 as published; the prompt is part of a line, and matches), and validity."
    )
    yield _values("Whole plans", about, rows, ALL, WHOLE)
    about = (
        "The mean error of the learning rate hangs on a few extreme known values, and no layers at all come close to "
        "real ones in edit distance; these tell more. Coverage: share of rows on which a number could be compared."
    )
    yield _values("Companions", about, rows, ALL, COMPANIONS)


def head(column: str) -> str:
    return _HEADS.get(column, column)


def _values(title: str, about: str, rows: Sequence[PlanRow], subset: str, columns: Sequence[str]) -> PlainTable:
    cells = {(row.planner, row.column): row.reproduced for row in rows if row.subset == subset}
    planners = list(dict.fromkeys(planner for planner, _ in cells))
    return PlainTable(
        title=title,
        about=about,
        heads=["planner", *map(head, columns)],
        rows=[[name, *(_cell(cells.get((name, column)), column) for column in columns)] for name in planners],
    )


def _printed(title: str, about: str, rows: Sequence[PlanRow], which: str) -> PlainTable:
    cells = {(row.planner, row.column): getattr(row, which) for row in rows}
    planners, columns = (list(dict.fromkeys(part)) for part in zip(*cells, strict=True))
    return PlainTable(
        title=title,
        about=about,
        heads=["planner", *map(head, columns)],
        rows=[[name, *(_cell(cells.get((name, column)), column) for column in columns)] for name in planners],
    )


def _cell(value: float | None, column: str) -> str:
    if value is None:
        return "–"
    return f"{value:.3f}" if column.startswith("learning_rate") or column == "layer_type_f1" else f"{value:.2f}"


def _groups(compared: Sequence[PlanComparison]) -> Iterator[_Group]:
    for against, subset in dict.fromkeys((row.against, row.subset) for row in compared):
        rows = [row for row in compared if (row.against, row.subset) == (against, subset)]
        yield _Group(
            title=f"Differences from {against}" + (", nearly known rows left out" if subset == NOT_NEAR else ""),
            about="Mean difference on the same rows with a 95 % paired bootstrap interval; p of a paired permutation "
            "test, and after Holm's correction over all of these.",
            columns=[
                (
                    head(column) + ("" if column not in LOWER_IS_BETTER or "↓" in head(column) else " ↓"),
                    [row for row in rows if row.column == column],
                )
                for column in dict.fromkeys(row.column for row in rows)
            ],
        )


def terminal_tables(rows: Sequence[PlanRow], compared: Sequence[PlanComparison], near: int) -> Iterator[Table]:
    """What `dlcodegen eval-planner` prints: the report's tables, then a table of differences for each opponent."""
    for found in plan_report(rows, near):
        table = Table(title=f"{found.title}. {found.about}", title_justify="left")
        for number, name in enumerate(found.heads):
            table.add_column(name, justify="right" if number else "left", overflow="fold")
        for row in found.rows:
            table.add_row(*row)
        yield table
    for group in _groups(compared):
        table = Table(title=f"{group.title}. {group.about}", title_justify="left")
        for number, name in enumerate(("column", "planner", "difference", "95 % interval", "p (Holm)", "verdict")):
            table.add_column(name, justify="right" if number > 1 else "left")
        for column, differences in group.columns:
            for item in differences:
                interval = f"{item.low:+.3g} to {item.high:+.3g}"
                table.add_row(
                    column, item.planner, f"{item.difference:+.3g}", interval, f"{item.p_holm:.4f}", item.verdict
                )
            table.add_section()
        yield table


def write_plan_page(
    rows: Sequence[PlanRow], compared: Sequence[PlanComparison], near: int, count: int, out: str
) -> None:
    """Writes the page; equal input gives equal bytes."""
    write_page(
        out,
        "plan_report.html.jinja",
        title="Planners compared",
        data=(),
        styles=("report.css", "score_report.css"),
        lede=f"{count} test rows, {near} of them nearly among the known plans. Lower is better where a column has ↓.",
        notes=[WHY_NOT_PUBLISHED],
        tables=list(plan_report(rows, near)),
        groups=list(_groups(compared)),
        span=lambda part: max((abs(end) for row in part for end in (row.low, row.high)), default=1.0) or 1.0,
    )
