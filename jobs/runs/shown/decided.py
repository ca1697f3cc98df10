"""Who says what in a plan, and what was corrected in it, for a terminal."""

from __future__ import annotations

from rich.table import Table

from pipeline.foreign_text import visible
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
