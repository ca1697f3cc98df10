"""Who says what in a plan, what was corrected in it, and what a model says it decided, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table

from pipeline.foreign_text import visible
from pipeline.plan.change import Decisions
from pipeline.records import Generated


def origins_table(record: Generated) -> Table:
    """Each field of the plan with who says it."""
    table = Table("field", "", "by", title="who says it", title_justify="left")
    for origin in record.plan_origins:
        table.add_row(origin.field, origin.source, visible(origin.by))
    return table


def corrections_table(record: Generated) -> Table:
    """What the final plan says otherwise."""
    table = Table("field", "was", "now", "because", title="corrected in the plan", title_justify="left")
    for one in record.corrections:
        table.add_row(one.field, *map(visible, (one.was, one.now, one.because)))
    return table


def decision_lines(decisions: Decisions) -> Iterator[str]:
    """What the model says beside the project, a line each."""
    if decisions.base:
        yield f"base: {decisions.base}"
    for text in decisions.from_other:
        yield f"from the other draft: {visible(text)}"
    for text in decisions.assumptions:
        yield f"the model assumed: {visible(text)}"
    if decisions.notes:
        yield f"the model says: {visible(decisions.notes)}"
