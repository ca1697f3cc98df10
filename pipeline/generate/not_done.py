"""The list of what a project does not do of what was asked, in the first cell of its script.

The list is comments. It stands at the end of the first cell's prose, or in a cell of its own above a script that begins
otherwise. `without_list` takes it out again, so that measures of the code see the code as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from pipeline.foreign_text import visible
from pipeline.measures.delivery.not_done import HEAD, ITEM
from pipeline.request.delivery import ConstraintCheck, Delivery
from pipeline.request.wording import constraint_words

_MARKDOWN_CELL = "# %% [markdown]"
_CELL = re.compile(r"#\s*%%")
_FIRST_LINES = re.compile(r"#!|.*coding[:=]")
"""What only the first two lines of a file can say (PEP 263)."""


def with_list(script: str, delivery: Delivery) -> tuple[str, Delivery]:
    """The script with the list, and the delivery with the lines of that script; both as they are where all is met."""
    if not delivery.not_met:
        return script, delivery
    lines = script.split("\n")
    place, added = _listed(lines, delivery.not_met)
    lines[place:place] = added
    checks: list[ConstraintCheck] = []
    for check in delivery.checks:
        if check.line is not None and check.line > place:
            check = replace(check, line=check.line + len(added))
        checks.append(check)
    moved = replace(delivery, checks=tuple(checks))
    # The list names lines too: those of the script that it stands in.
    lines[place : place + len(added)] = _listed(script.split("\n"), moved.not_met)[1]
    return "\n".join(lines), moved


def one_line(text: str) -> str:
    """Foreign words as one line without anything that an editor obeys or hides."""
    return " ".join(visible(text).split())


def not_done(check: ConstraintCheck) -> str:
    """What was asked, and what stands there instead with its line: "epochs 3: 5 (line 93)"."""
    words = constraint_words(check.constraint)
    if check.evidence:
        words += f": {check.evidence}"
    if check.line is not None:
        words += f" (line {check.line})"
    return one_line(words)


def _listed(lines: Sequence[str], missing: Sequence[ConstraintCheck]) -> tuple[int, list[str]]:
    """Where the list goes, as an index, and its lines."""
    items = [f"{ITEM}{not_done(check)}" for check in missing]
    place = 0
    while place < min(2, len(lines)) and _FIRST_LINES.match(lines[place]) and lines[place].startswith("#"):
        place += 1
    if place < len(lines) and lines[place].rstrip() == _MARKDOWN_CELL:
        place += 1
        while place < len(lines) and lines[place].startswith("#") and not _CELL.match(lines[place]):
            place += 1
        return place, ["#", HEAD, *items]
    # Prose goes on to the next cell: where none begins, code that opens with comments would be taken for prose.
    opens_a_cell = place < len(lines) and _CELL.match(lines[place]) is not None
    return place, [_MARKDOWN_CELL, HEAD, *items, "", *([] if opens_a_cell else ["# %%"])]
