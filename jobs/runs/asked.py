"""What was asked and what was delivered, as tables for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from pipeline.request.constraints import Constraint
from pipeline.request.delivery import Delivery
from pipeline.request.wording import OUTCOME_WORDS, assumption_words, constraint_words


def delivery_table(delivery: Delivery) -> Table:
    """Each constraint with its outcome, the line, and what stands there instead or why it cannot be told."""
    share = f"{delivery.met} of {delivery.checkable} met" if delivery.checkable else "nothing that can be looked up"
    table = Table("asked", "", "line", "what is there", title=f"asked: {share}", title_justify="left")
    for check in delivery.checks:
        line = "" if check.line is None else str(check.line)
        table.add_row(constraint_words(check.constraint), OUTCOME_WORDS[check.outcome], line, check.evidence)
    return table


def assumptions_table(delivery: Delivery) -> Table:
    """What the request left open and the project decides."""
    table = Table("assumed", "from", title="assumed: what nobody asked for", title_justify="left")
    for assumption in delivery.assumptions:
        table.add_row(f"{assumption.name.replace('_', ' ')} {assumption.value}", assumption_words(assumption))
    return table


def constraints_table(constraints: Sequence[Constraint]) -> Table:
    """What was understood, of a row without a project."""
    table = Table("asked", title="asked, and no project came", title_justify="left")
    for constraint in constraints:
        table.add_row(constraint_words(constraint))
    return table
