"""Plots of an evaluation of planners, as PNG pictures: Table IV, Fig. 4, and the differences with their intervals."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from jobs.scoring.plans.page import head
from pipeline.comparison.plan_tables import ALL, LOWER_IS_BETTER, TABLE_IV, PlanComparison, PlanRow
from pipeline.storage.files import join, write_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PLANS = ("line_bleu", "plan_bleu", "validity_strict", "layer_type_f1")
_VERDICTS = {"better": "tab:green", "worse": "tab:red"}


def write_plots(rows: Sequence[PlanRow], compared: Sequence[PlanComparison], out: str) -> tuple[str, ...]:
    """Writes the pictures into the folder `out` and gives their names."""
    whole = [row for row in rows if row.subset == ALL]
    pictures = {"table-iv.png": _bars(whole, TABLE_IV), "whole-plans.png": _bars(whole, _PLANS)}
    for against in dict.fromkeys(row.against for row in compared):
        chosen = [row for row in compared if (row.against, row.subset) == (against, ALL) and row.column in TABLE_IV]
        pictures[f"differences-from-{re.sub(r'[^A-Za-z0-9_.-]+', '-', against)}.png"] = _intervals(chosen, against)
    for name, figure in pictures.items():
        stream = io.BytesIO()
        figure.savefig(stream, format="png", dpi=110)
        write_bytes(join(out, name), stream.getvalue())
    return tuple(pictures)


def _bars(rows: Sequence[PlanRow], columns: Sequence[str]) -> Figure:
    """A panel a column: what each planner reaches, and where the paper printed a value, a mark at it."""
    planners = list(dict.fromkeys(row.planner for row in rows))
    figure, panels = _panels(columns, len(planners))
    found = {(row.planner, row.column): row for row in rows}
    for panel, column in zip(panels, columns, strict=True):
        cells = [found.get((name, column)) for name in planners]
        panel.barh(planners, [(cell.reproduced if cell else None) or 0.0 for cell in cells], color="tab:blue")
        printed = [(name, cell.published) for name, cell in zip(planners, cells, strict=True) if cell]
        marks = [(name, value) for name, value in printed if value is not None]
        if marks:
            panel.plot([value for _, value in marks], [name for name, _ in marks], "k|", ms=12, label="as published")
            panel.legend(fontsize="x-small")
        panel.set_title(_title(column), fontsize="medium")
    return figure


def _intervals(rows: Sequence[PlanComparison], against: str) -> Figure:
    """A panel a column: each planner's mean difference with its 95 % interval."""
    columns = [column for column in TABLE_IV if any(row.column == column for row in rows)]
    planners = list(dict.fromkeys(row.planner for row in rows))
    figure, panels = _panels(columns, len(planners))
    for panel, column in zip(panels, columns, strict=True):
        panel.axvline(0, color="grey", linewidth=0.8)
        for row in (row for row in rows if row.column == column):
            ends = [[row.difference - row.low], [row.high - row.difference]]
            color = _VERDICTS.get(row.verdict, "grey")
            panel.errorbar([row.difference], [row.planner], xerr=ends, fmt="o", color=color, capsize=3)
        panel.set_title(_title(column), fontsize="medium")
    figure.suptitle(f"Differences from {against}; green and red exclude chance (Holm)")
    return figure


def _panels(columns: Sequence[str], planners: int) -> tuple[Figure, list[Any]]:
    from matplotlib.figure import Figure

    across = min(4, max(1, len(columns)))
    down = -(-max(1, len(columns)) // across)
    figure = Figure(figsize=(3.4 * across + 2, down * (1.2 + 0.28 * planners)), layout="constrained")
    panels = list(figure.subplots(down, across, sharey=True, squeeze=False).flat)
    for panel in panels[len(columns) :]:
        panel.set_axis_off()
    panels[0].invert_yaxis()
    return figure, panels[: len(columns)]


def _title(column: str) -> str:
    return head(column) + (" ↓" if column in LOWER_IS_BETTER and "↓" not in head(column) else "")
