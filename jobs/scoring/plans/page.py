"""An evaluation of planners as tables, for the terminal and for a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.table import Table

from pipeline.comparison.plan_columns import COLUMNS, COMPANIONS, FIELD_COLUMNS, WHOLE_PLANS, PlanColumn
from pipeline.comparison.plan_tables import ALL, NOT_NEAR, PlanComparison, PlannerResult
from pipeline.pages.report_page import write_page
from pipeline.pages.score_report import PlainTable

WHY_NOT_PUBLISHED = (
    "The published Table IV cannot be recomputed from the released predictions: 95 of the 400 beam-search "
    "predictions are no JSON, two columns are impossible by counting, and how plans were read and numbers "
    "compared is not said. So all planners are measured by one code on equal rows (protocol P), and the printed "
    "values stand beside it."
)


@dataclass(frozen=True, slots=True)
class _Group:
    """The differences of planners from another one, in one subset of rows."""

    title: str
    about: str
    columns: Sequence[tuple[str, Sequence[PlanComparison]]]
    """By the column's heading."""


def plan_report(results: Sequence[PlannerResult], near: int) -> Iterator[PlainTable]:
    """Table IV under protocol P, over all rows and over the unknown ones; the printed one; Fig. 4; companions."""
    count = _row_count(results, ALL)
    yield _reproduced("Table IV", f"Protocol P over all {count} rows.", results, ALL, FIELD_COLUMNS)
    left = _row_count(results, NOT_NEAR)
    if left:
        about = f"The {left} rows left without the {near} whose requirement is nearly among the known plans'."
        yield _reproduced("Table IV without nearly known rows", about, results, NOT_NEAR, FIELD_COLUMNS)
    published = {}
    on_all_rows = {}
    for result in results:
        if result.subset != ALL:
            continue
        if result.published is not None:
            published[result.planner, result.column] = result.published
        if result.on_all_rows is not None:
            on_all_rows[result.planner, result.column] = result.on_all_rows
    if published:
        yield _table("Table IV as published", WHY_NOT_PUBLISHED, published, _columns_of(published))
    if on_all_rows:
        about = "Measured where all test rows were at hand."
        yield _table("Protocol P on all 400 rows", about, on_all_rows, _columns_of(on_all_rows))
    about = (
        "BLEU-4 over all lines at once (Fig. 4 as published; the prompt is part of a line, and matches), and validity."
    )
    yield _reproduced("Whole plans", about, results, ALL, WHOLE_PLANS)
    about = (
        "The mean error of the learning rate hangs on a few extreme known values, and no layers at all come "
        "close to real ones in edit distance; these tell more. Coverage: share of rows on which a number could be "
        "compared."
    )
    yield _reproduced("Companions", about, results, ALL, COMPANIONS)


def _row_count(results: Sequence[PlannerResult], subset: str) -> int:
    """Rows of a subset; 0 where nothing was measured over it."""
    for result in results:
        if result.subset == subset:
            return result.rows
    return 0


def _reproduced(
    title: str, about: str, results: Sequence[PlannerResult], subset: str, columns: Sequence[PlanColumn]
) -> PlainTable:
    cells: dict[tuple[str, str], float | None] = {}
    for result in results:
        if result.subset == subset:
            cells[result.planner, result.column] = result.reproduced
    return _table(title, about, cells, columns)


def _columns_of(cells: Mapping[tuple[str, str], float]) -> list[PlanColumn]:
    names = dict.fromkeys(column for _, column in cells)
    return [COLUMNS[name] for name in names]


def _table(
    title: str, about: str, cells: Mapping[tuple[str, str], float | None], columns: Sequence[PlanColumn]
) -> PlainTable:
    """A row a planner, from values by planner and column."""
    headings = [column.heading for column in columns]
    rows = []
    for planner in dict.fromkeys([planner for planner, _ in cells]):
        row = [planner]
        for column in columns:
            row.append(_cell(cells.get((planner, column.name)), column.digits))
        rows.append(row)
    return PlainTable(title=title, about=about, heads=["planner", *headings], rows=rows)


def _cell(value: float | None, digits: int) -> str:
    if value is None:
        return "–"
    return f"{value:.{digits}f}"


def _groups(comparisons: Sequence[PlanComparison]) -> Iterator[_Group]:
    groups: dict[tuple[str, str], dict[str, list[PlanComparison]]] = {}
    for item in comparisons:
        columns = groups.setdefault((item.against, item.subset), {})
        columns.setdefault(COLUMNS[item.column].heading, []).append(item)
    for (against, subset), columns in groups.items():
        title = f"Differences from {against}"
        if subset == NOT_NEAR:
            title += ", nearly known rows left out"
        yield _Group(
            title=title,
            about="Mean difference on the same rows with a 95 % paired bootstrap interval; p of a paired permutation "
            "test, and after Holm's correction over all of these.",
            columns=list(columns.items()),
        )


def terminal_tables(
    results: Sequence[PlannerResult], comparisons: Sequence[PlanComparison], near: int
) -> Iterator[Table]:
    """What `dlcodegen eval-planner` prints: the report's tables, then a table of differences for each opponent."""
    for part in plan_report(results, near):
        table = Table(title=f"{part.title}. {part.about}", title_justify="left")
        for number, heading in enumerate(part.heads):
            table.add_column(heading, justify="right" if number else "left", overflow="fold")
        for row in part.rows:
            table.add_row(*row)
        yield table
    for group in _groups(comparisons):
        table = Table(title=f"{group.title}. {group.about}", title_justify="left")
        for heading in ("column", "planner"):
            table.add_column(heading)
        for heading in ("difference", "95 % interval", "p (Holm)", "verdict"):
            table.add_column(heading, justify="right")
        for heading, items in group.columns:
            for item in items:
                difference, interval = f"{item.difference:+.3g}", f"{item.low:+.3g} to {item.high:+.3g}"
                table.add_row(heading, item.planner, difference, interval, f"{item.p_holm:.4f}", item.verdict)
            table.add_section()
        yield table


def write_plan_page(
    results: Sequence[PlannerResult], comparisons: Sequence[PlanComparison], near: int, count: int, out: str
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
        tables=list(plan_report(results, near)),
        groups=list(_groups(comparisons)),
        span=_span,
    )


def _span(items: Sequence[PlanComparison]) -> float:
    """How far from zero the intervals reach."""
    ends = []
    for item in items:
        ends += [abs(item.low), abs(item.high)]
    return max(ends, default=1.0) or 1.0  # the page divides by it
