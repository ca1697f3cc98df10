"""Rows from CSV, in which a broken quote costs one row, not all that follow it."""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO

from pipeline.errors import DLCodeGenError
from pipeline.inputs.lines import LINE_LIMIT, Line, read_lines
from pipeline.inputs.rows import Problem, RawRow, cut_row, has_requirement_column

_DELIMITERS = ",;\t"
"""Tried in this order on the header. Spreadsheets write semicolons where the comma is the decimal sign."""

_NOT_UTF8 = re.compile(r"[\udc80-\udcff]")
"""What `surrogateescape` makes of bytes that are not UTF-8."""


def read_csv(stream: BinaryIO, name: str) -> Iterator[RawRow]:
    """A row for each record under the header; comma, semicolon or tab, whichever gives a requirement column.

    A record may span lines. Where it cannot be (bad quoting, more fields than the header), its first line alone is
    the failed row, and reading goes on with the next line. Raises DLCodeGenError without a requirement column.
    """
    lines = _Lines(read_lines(stream))
    header, delimiter = _header(lines)
    # The limit belongs to the module, not to a reader; it is never lowered.
    csv.field_size_limit(max(csv.field_size_limit(), LINE_LIMIT))
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.taken.clear()
        try:
            fields = next(reader)
            problem = _problem(fields, header, lines.taken)
        except StopIteration:
            return
        except csv.Error as error:
            fields, problem = [], ("broken_csv", f"not CSV: {error}; put the text in quotes and double those inside")
        first = lines.taken[0]
        location = f"{name}, line {first.number}"
        if problem is None:
            if fields:  # a blank line has none
                # A short record leaves the last columns out.
                yield RawRow(location, dict(zip(header, fields, strict=False)))
            continue
        # The reader may have taken many good lines for one quoted text: they are read again, each on its own.
        lines.give_back(lines.taken[1:])
        if first.cut:
            yield cut_row(location, first)
        else:
            yield RawRow(location, problem=problem)


def _problem(fields: list[str], header: list[str], taken: list[Line]) -> Problem | None:
    """What speaks against these fields being the record of the lines taken."""
    if any(line.cut for line in taken):
        return "broken_csv", "a quote is opened and not closed; close it"
    if len(fields) > len(header):
        return "broken_csv", f"{len(fields)} fields, but the header has {len(header)}; put text with commas in quotes"
    if any(_NOT_UTF8.search(field) for field in fields):
        return "invalid_encoding", "not UTF-8; save the file as UTF-8"
    return None


def _header(lines: _Lines) -> tuple[list[str], str]:
    """The columns of the first line, and the delimiter by which one of them is the requirement."""
    text = next(lines, "").strip()
    for delimiter in _DELIMITERS:
        try:
            header = next(csv.reader([text], delimiter=delimiter), [])
        except csv.Error:
            continue
        if has_requirement_column(header):
            repeated = sorted({column for column in header if header.count(column) > 1})
            if repeated:
                raise DLCodeGenError(f"the header repeats {repeated}; give each column a name of its own")
            return header, delimiter
    raise DLCodeGenError(f'no requirement column in the header {text[:200]!r}; name it "requirement"')


class _Lines:
    """The text lines a csv.reader takes, remembered so that they can be given back."""

    def __init__(self, source: Iterator[Line]) -> None:
        self._source = source
        self._given_back: deque[Line] = deque()
        self.taken: list[Line] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._given_back.popleft() if self._given_back else next(self._source)
        self.taken.append(line)
        # Bytes that are not UTF-8 must not stop the reader; they fail the record they stand in.
        return line.data.decode("utf-8", "surrogateescape") + "\n"

    def give_back(self, lines: list[Line]) -> None:
        self._given_back.extendleft(reversed(lines))
