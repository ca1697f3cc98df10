"""What was asked and what was delivered, as tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich.table import Table
from rich.text import Text

from pipeline.request.constraints import Constraint, Source
from pipeline.request.delivery import Delivery, Outcome
from pipeline.request.wording import OUTCOME_WORDS, assumption_words, constraint_words

_COLOURS: dict[Outcome, str] = {"met": "green", "not_met": "red", "not_checkable": "yellow"}


def delivery_table(delivery: Delivery, texts: Mapping[Source, str] | None = None) -> Table:
    """Each constraint with its outcome, the line, and what stands there instead or why it cannot be told. With the
    `texts` by their sources, also the words that ask for it."""
    share = f"{delivery.met} of {delivery.checkable} met" if delivery.checkable else "nothing that can be looked up"
    table = Table("asked", title=f"asked: {share}", title_justify="left")
    if texts is not None:
        table.add_column("in the words")
    for head in ("", "line", "what is there"):
        table.add_column(head)
    for check in delivery.checks:
        cells: list[str | Text] = [constraint_words(check.constraint)]
        if texts is not None:
            cells.append(check.constraint.words(texts[check.constraint.source]))
        line = "" if check.line is None else str(check.line)
        cells += [Text(OUTCOME_WORDS[check.outcome], _COLOURS[check.outcome]), line, check.evidence]
        table.add_row(*cells)
    return table


def assumptions_table(delivery: Delivery) -> Table:
    """What the request left open and the project decides."""
    table = Table("assumed", "from", title="assumed: what nobody asked for", title_justify="left")
    for assumption in delivery.assumptions:
        table.add_row(f"{assumption.name.replace('_', ' ')} {assumption.value}", assumption_words(assumption))
    return table


def assumed_lines(delivery: Delivery) -> Iterator[str]:
    """The same in a line for each place that values came from."""
    values: dict[str, list[str]] = {}
    for assumption in delivery.assumptions:
        setting = f"{assumption.name.replace('_', ' ')} {assumption.value}"
        values.setdefault(assumption_words(assumption), []).append(setting)
    for words, settings in values.items():
        yield f"assumed: {', '.join(settings)} ({words})"


def constraints_table(constraints: Sequence[Constraint]) -> Table:
    """What was understood, of a row without a project."""
    table = Table("asked", title="asked, and no project came", title_justify="left")
    for constraint in constraints:
        table.add_row(constraint_words(constraint))
    return table
