"""How far projects came when they were run, as tables for a terminal."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from pipeline.execution.funnel import Funnel
from pipeline.execution.running.rows import ExecutedProject
from pipeline.execution.wording import run_words, rung_words

_MOST_KINDS = 8
"""What projects ended of, most often first; the rest is in the table's file."""

_COLOURS = {"reached": "green", "failed": "red", "not_tried": "dim", "not_measurable": "yellow"}

_TAIL_LINES = 25


def funnel_table(funnel: Funnel) -> Table:
    """How many projects reach each rung, of how many."""
    table = Table("rung", title="The ladder", title_justify="left")
    for name in ("reached", "of", "share", "not measurable"):
        table.add_column(name, justify="right")
    for share in funnel.shares():
        part = f"{share.reached / share.of:.1%}" if share.of else "-"
        aside = f"{share.not_measurable:,}" if share.not_measurable else ""
        table.add_row(rung_words(share.rung), f"{share.reached:,}", f"{share.of:,}", part, aside)
    return table


def endings_table(funnel: Funnel) -> Table:
    """What projects ended of."""
    table = Table("ended of", "projects", title_justify="left")
    table.columns[1].justify = "right"
    for kind, count in funnel.exceptions.most_common(_MOST_KINDS):
        table.add_row(kind.replace("_", " "), f"{count:,}")
    return table


def rungs_table(executed: ExecutedProject) -> Table:
    """One project's rungs, each with what was seen."""
    table = Table("rung", "outcome", "line", "seen", title=f"run: {run_words(executed)}", title_justify="left")
    for rung in executed.rungs:
        outcome = Text(rung.outcome.replace("_", " "), _COLOURS[rung.outcome])
        line = "" if rung.line is None else str(rung.line)
        table.add_row(rung_words(rung.rung), outcome, line, rung.seen)
    return table


def tail_of(text: str) -> str:
    """The last lines of an output."""
    return "\n".join(text.rstrip().splitlines()[-_TAIL_LINES:])
