"""Plots of an evaluation of planners, as PNG pictures: Table IV, Fig. 4, and the differences with their intervals."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pipeline.comparison.plan_columns import COLUMNS, FIELD_COLUMNS, PlanColumn
from pipeline.comparison.plan_tables import ALL, PlanComparison, PlannerResult
from pipeline.foreign_text import plot_text
from pipeline.storage.files import join, write_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_WHOLE_PLANS = (
    COLUMNS["line_bleu"],
    COLUMNS["plan_bleu"],
    COLUMNS["validity_strict"],
    COLUMNS["layer_type_f1"],
)
_VERDICT_COLORS = {"better": "tab:green", "worse": "tab:red"}


def write_plots(results: Sequence[PlannerResult], comparisons: Sequence[PlanComparison], out: str) -> tuple[str, ...]:
    """Writes the pictures into the folder `out` and gives their names."""
    on_all = [result for result in results if result.subset == ALL]
    pictures = {"table-iv.png": _bars(on_all, FIELD_COLUMNS), "whole-plans.png": _bars(on_all, _WHOLE_PLANS)}
    by_opponent: dict[str, list[PlanComparison]] = {}
    for item in comparisons:
        items = by_opponent.setdefault(item.against, [])
        if item.subset == ALL:
            items.append(item)
    for against, items in by_opponent.items():
        safe_name = re.sub(r"[^A-Za-z0-9_.-]+", "-", against)
        pictures[f"differences-from-{safe_name}.png"] = _intervals(items, against)
    for name, figure in pictures.items():
        stream = io.BytesIO()
        figure.savefig(stream, format="png", dpi=110)
        write_bytes(join(out, name), stream.getvalue())
    return tuple(pictures)


def _bars(results: Sequence[PlannerResult], columns: Sequence[PlanColumn]) -> Figure:
    """A panel a column: what each planner reaches, and where the paper printed a value, a mark at it."""
    planners = list(dict.fromkeys([result.planner for result in results]))
    figure, panels = _panels(columns, len(planners))
    result_of = {(result.planner, result.column): result for result in results}
    for panel, column in zip(panels, columns, strict=True):
        widths: list[float] = []
        marked: list[str] = []
        marks: list[float] = []
        for planner in planners:
            result = result_of.get((planner, column.name))
            if result is None or result.reproduced is None:
                widths.append(0.0)  # no bar, but the planner keeps its line
            else:
                widths.append(result.reproduced)
            if result is not None and result.published is not None:
                marked.append(plot_text(planner))
                marks.append(result.published)
        panel.barh([plot_text(planner) for planner in planners], widths, color="tab:blue")
        if marked:
            panel.plot(marks, marked, "k|", ms=12, label="as published")
            panel.legend(fontsize="x-small")
    return figure


def _intervals(comparisons: Sequence[PlanComparison], against: str) -> Figure:
    """A panel a column of Table IV: each planner's mean difference with its 95 % interval."""
    items_of: dict[str, list[PlanComparison]] = {}
    for item in comparisons:
        items_of.setdefault(item.column, []).append(item)
    columns = [column for column in FIELD_COLUMNS if column.name in items_of]
    names = {column.name for column in columns}
    planners = {item.planner for item in comparisons if item.column in names}
    figure, panels = _panels(columns, len(planners))
    for panel, column in zip(panels, columns, strict=True):
        panel.axvline(0, color="grey", linewidth=0.8)
        for item in items_of[column.name]:
            ends = [[item.difference - item.low], [item.high - item.difference]]
            color = _VERDICT_COLORS.get(item.verdict, "grey")
            panel.errorbar([item.difference], [plot_text(item.planner)], xerr=ends, fmt="o", color=color, capsize=3)
    figure.suptitle(f"Differences from {plot_text(against)}; green and red exclude chance (Holm)")
    return figure


def _panels(columns: Sequence[PlanColumn], planners: int) -> tuple[Figure, list[Any]]:
    """A figure with an axis a column, which has the column's heading, for so many planners."""
    from matplotlib.figure import Figure

    count = max(1, len(columns))
    across = min(4, count)
    down = -(-count // across)  # rounded up
    figure = Figure(figsize=(3.4 * across + 2, down * (1.2 + 0.28 * planners)), layout="constrained")
    panels = list(figure.subplots(down, across, sharey=True, squeeze=False).flat)
    for panel in panels[len(columns) :]:
        panel.set_axis_off()
    panels[0].invert_yaxis()  # the first planner on top; the panels share the axis
    for panel, column in zip(panels, columns, strict=False):  # the last row may have panels left over
        panel.set_title(column.heading, fontsize="medium")
    return figure, panels[: len(columns)]
