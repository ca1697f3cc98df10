"""The values of columns, in the brackets behind their names: "plan (basic, plus, premium)"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from pipeline.request.constraints import Constraint
from pipeline.request.reading.found import Written
from pipeline.request.terms.lists import Name, listed
from pipeline.request.terms.pieces import Piece

_FURTHEST = 30
"""How many pieces the brackets may hold."""
_LAST_WORD = re.compile(r"(\w{1,60})[\"'`]?\s?$")


class ColumnValues(NamedTuple):
    """What the brackets behind a column hold."""

    of_target: bool
    first: int
    """Index of the piece before the bracket: the column's name, or its end."""
    last: int
    """Index of the closing bracket."""
    start: int
    """Where the bracket begins, in characters of the text."""
    end: int
    names: list[Name]


def column_values(
    text: str, pieces: list[Piece], of_table: Sequence[Written], problems: Sequence[str]
) -> list[ColumnValues]:
    """The brackets behind the columns of a request.

    None where its target is not known and could be any of them. That of a regression has amounts, not named values.
    """
    targets = [item.value.lower() for item in of_table if item.name == "target"]
    if not targets and "regression" not in problems:
        return []
    columns = {item.value.lower() for item in of_table if item.name == "column"}
    results = []
    for index, piece in enumerate(pieces):
        if piece.key != "(" or not index:
            continue
        before = _LAST_WORD.search(text[max(0, piece.start - 64) : piece.start])
        column = before.group(1).lower() if before is not None else ""
        if column not in columns and column not in targets:
            continue
        names, end = listed(text, pieces, index + 1, ")")
        if end < len(pieces) and end - index <= _FURTHEST and pieces[end].key == ")":
            results.append(ColumnValues(column in targets, index - 1, end, piece.start, pieces[end].end, names))
    return results


def is_of_input(constraint: Constraint, values: Sequence[ColumnValues]) -> bool:
    """Whether something is said of an input column only: the yes and no of "garden (yes/no)"."""
    for of_column in values:
        if of_column.start <= constraint.start and constraint.end <= of_column.end:
            return not of_column.of_target
    return False


_HEADED = re.compile(r"[\"'`]?,? (?:\(|with|holding|containing|that has|having)")
_SENTENCE_ENDS = re.compile(r"[.;]\s|\n")


def without_outputs(text: str, of_files: Sequence[Written], named: list[Written]) -> list[Written]:
    """The columns that are read: those behind a file that the project writes are its own, "written to guesses.csv with
    the columns clip and species"."""
    kept = named
    for file in of_files:
        if file.name != "predictions_file" or not _HEADED.match(text, file.end):
            continue
        end = _SENTENCE_ENDS.search(text, file.end)
        last = end.start() if end is not None else len(text)
        kept = [one for one in kept if not file.end <= one.start <= last]
    return kept
