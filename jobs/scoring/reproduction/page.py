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


def reproduction_page(found: Reproduction, scoring: ArtifactScoring) -> ScorePage:
    items = tuple(artifact_items(found.code, scoring.outputs))
    return ScorePage(
        title="The paper's tables from its released outputs",
        lede="Published, reproduced, and what the tables leave unsaid: length, copying, leaks and noise.",
        findings=tuple(findings(found.code.methods, found.code.rows, found.code.comparisons)),
        methods=found.code.methods,
        rows=found.code.rows,
        comparisons=found.code.comparisons,
        items=items,
        asked=len(items),
        published=tuple(_published(found.values)),
        tables=tuple(_plans(found.plans.rows, found.plans.comparisons)),
        absent=found.absent,
    )


def _published(values: Sequence[ReproducedValue]) -> Iterator[PublishedTable]:
    for table, model in dict.fromkeys((value.table, value.model) for value in values):
        group = [value for value in values if (value.table, value.model) == (table, model)]
        rows: dict[str, dict[str, tuple[float | None, float]]] = {}
        for value in group:
            rows.setdefault(value.method, {})[HEADS[value.column]] = value.published, value.reproduced
        yield PublishedTable(
            title=f"{table}, {model}",
            columns=tuple(dict.fromkeys(HEADS[value.column] for value in group)),
            rows=[PublishedRow(method=method, values=cells) for method, cells in rows.items()],
        )


def _plans(rows: Sequence[PlannerResult], compared: Sequence[PlanComparison]) -> Iterator[PlainTable]:
    planners = list(dict.fromkeys(row.planner for row in rows))
    if not planners:
        return
    cells = {(row.column, row.planner): row for row in rows}
    yield PlainTable(
        title="Plans: Table IV and Fig. 4",
        about="Published | protocol P on all 400 rows, where measured | protocol P on the "
        f"{rows[0].rows} rows here. The released predictions cannot give the published table, so planners are compared "
        "by one protocol on equal rows.",
        heads=["column", *planners],
        rows=[
            [column.replace("_", " "), *(_plan_cell(cells.get((column, planner))) for planner in planners)]
            for column in dict.fromkeys(row.column for row in rows)
        ],
    )
    if compared:
        yield PlainTable(
            title="Plans: differences on the same rows",
            about=f"Mean difference from {compared[0].against}, with a 95 % paired bootstrap interval; p after Holm's "
            "correction over all of these.",
            heads=["planner", "column", "rows", "difference", "95 % interval", "p (Holm)", "verdict"],
            rows=[
                [
                    row.planner,
                    row.column.replace("_", " "),
                    str(row.rows),
                    f"{row.difference:+.3g}",
                    f"{row.low:+.3g} to {row.high:+.3g}",
                    f"{row.p_holm:.4f}",
                    WITHIN_NOISE if row.verdict == WITHIN_NOISE else "differs",
                ]
                for row in compared
            ],
        )


def _plan_cell(row: PlannerResult | None) -> str:
    if row is None:
        return "–"
    return " | ".join(
        "–" if value is None else f"{value:.4g}" for value in (row.published, row.on_all_rows, row.reproduced)
    )
