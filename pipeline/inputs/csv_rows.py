"""Rows from CSV, in which a broken quote costs one row, not all that follow it."""

from __future__ import annotations

import csv
import math
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from pipeline.errors import DLCodeGenError
from pipeline.inputs.lines import LINE_LIMIT, Line, check_line_ends, read_lines
from pipeline.inputs.rows import Problem, RawRow, cut_row, has_requirement_column

_DELIMITERS = ",;\t"
"""Tried in this order on the header. Spreadsheets write semicolons where the comma is the decimal sign."""

_SEPARATOR = re.compile(r"sep=(?P<delimiter>[,;\t|])", re.IGNORECASE)
_NOT_UTF8 = re.compile(r"[\udc80-\udcff]")
"""What `surrogateescape` makes of bytes that are not UTF-8."""


@dataclass(frozen=True, slots=True)
class _Failure:
    """Why the lines that a csv.reader took are no record."""

    line: int
    """The number of the last line that speaks against it."""

    problem: Problem

    fields_too_many: float = math.inf
    """Whatever record takes that line fails, unless it has so many fields less."""


class _GoesOnAsBeforeError(Exception):
    """A record goes on into lines in which one has failed already."""

    def __init__(self, failure: _Failure) -> None:
        super().__init__()
        self.failure = failure


def read_csv(stream: BinaryIO, name: str) -> Iterator[RawRow]:
    """A row for each record under the header; comma, semicolon or tab, whichever gives a requirement column.

    A record may span lines. Where it cannot be (bad quoting, more fields than the header), its first line alone is
    the failed row, and reading goes on with the next line. Raises DLCodeGenError without a requirement column.
    """
    source = read_lines(stream)
    header, delimiter = _header(*_first_lines(source))
    lines = _Lines(source, delimiter.encode())
    # The limit belongs to the module, not to a reader; it is never lowered.
    csv.field_size_limit(max(csv.field_size_limit(), LINE_LIMIT))
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.taken.clear()
        try:
            fields = next(reader)
            failure = _failure(fields, header, lines.taken)
        except StopIteration:
            return
        except _GoesOnAsBeforeError as error:
            fields, failure = [], error.failure
        except csv.Error as error:
            message = f"not CSV: {error}; put the text in quotes and double those inside"
            fields, failure = [], _Failure(lines.taken[-1].number, ("broken_csv", message))
        first = lines.taken[0]
        location = f"{name}, line {first.number}"
        if failure is None:
            if fields:  # a blank line has none
                # A short record leaves the last columns out.
                yield RawRow(location, dict(zip(header, fields, strict=False)))
            continue
        # The reader may have taken many good lines for one quoted text: they are read again, each on its own.
        lines.give_back(failure)
        if first.cut:
            yield cut_row(location, first)
        else:
            yield RawRow(location, problem=failure.problem)


def _failure(fields: list[str], header: list[str], taken: list[Line]) -> _Failure | None:
    """What speaks against these fields being the record of the lines taken."""
    cut = [line.number for line in taken if line.cut]
    if cut:
        return _Failure(cut[-1], ("broken_csv", "a quote is opened and not closed; close it"))
    if len(fields) > len(header):
        message = f"{len(fields)} fields, but the header has {len(header)}; put text with commas in quotes"
        return _Failure(taken[-1].number, ("broken_csv", message), len(fields) - len(header))
    if any(_NOT_UTF8.search(field) for field in fields):
        last = max(line.number for line in taken if _NOT_UTF8.search(_text(line)))
        return _Failure(last, ("invalid_encoding", "not UTF-8; save the file as UTF-8"))
    return None


def _text(line: Line) -> str:
    # Bytes that are not UTF-8 must not stop the reader; they fail the record they stand in.
    return line.data.decode("utf-8", "surrogateescape")


def _first_lines(source: Iterator[Line]) -> tuple[Line | None, str]:
    """The header's line behind blank ones, and the delimiter that a line `sep=;` before it names, as Excel reads it."""
    delimiter = ""
    for line in source:
        separator = _SEPARATOR.fullmatch(_text(line).strip(' "\r'))
        if separator and not delimiter:
            delimiter = separator["delimiter"]
        elif not line.is_blank():
            return line, delimiter
    return None, delimiter


def _header(line: Line | None, named: str = "") -> tuple[list[str], str]:
    """The columns of the header's line, and the delimiter by which one of them is the requirement; the `named` one
    comes first."""
    text = _text(line).strip() if line else ""
    for delimiter in named + _DELIMITERS:
        try:
            header = next(csv.reader([_without_blanks(text, delimiter)], delimiter=delimiter), [])
        except csv.Error:
            continue
        if has_requirement_column(header):
            repeated = sorted({column for column in header if header.count(column) > 1})
            if repeated:
                raise DLCodeGenError(f"the header repeats {repeated}; give each column a name of its own")
            return header, delimiter
    if line is not None:
        check_line_ends(line)
    raise DLCodeGenError(f'no requirement column in the header {text[:200]!r}; name it "requirement"')


def _without_blanks(text: str, delimiter: str, in_quotes: bool = False) -> str:
    """The line without blanks between a closing quote and the next delimiter, which the strict reader refuses; where
    `in_quotes`, it begins within a quoted field."""
    if '" ' not in text and '"\t' not in text:
        return text
    opened = '"' if in_quotes else ""
    quoted = rf'(?:^|(?<={re.escape(delimiter)}))(?P<quoted>"(?:[^"]|"")*+"?)(?:[ \t]+(?={re.escape(delimiter)}|$))?'
    return re.sub(quoted, r"\g<quoted>", opened + text).removeprefix(opened)


class _Lines:
    """The text lines a csv.reader takes, remembered so that they can be given back.

    Lines in which every record opens a quote (`a","`) would be read to the end of the file from each of them. But a
    record that takes a line within one that failed goes on as that one did, and so fails too: it is told at once.
    """

    def __init__(self, source: Iterator[Line], delimiter: bytes) -> None:
        self._source = source
        self._delimiter = delimiter
        self._given_back: deque[Line] = deque()
        self._in_quotes = False  # behind the last line taken
        self.taken: list[Line] = []
        self._failure = _Failure(0, ("", ""))  # of the record that failed last
        self._fields_too_many = 0.0  # of that record, in the lines that are not read again yet; at least

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self.taken and self.taken[-1].number < self._failure.line and self._fields_too_many > 0:
            raise _GoesOnAsBeforeError(self._failure)
        line = self._given_back.popleft() if self._given_back else next(self._source)
        in_quotes = bool(self.taken) and self._in_quotes
        self._in_quotes = in_quotes ^ bool(line.data.count(b'"') % 2)
        self.taken.append(line)
        self._fields_too_many -= line.data.count(self._delimiter)
        return _without_blanks(_text(line), self._delimiter.decode(), in_quotes) + "\n"

    def give_back(self, failure: _Failure) -> None:
        """Gives back all but the first of the lines taken, whose record failed."""
        if failure.line > self._failure.line:
            self._failure = failure
            self._fields_too_many = failure.fields_too_many - self.taken[0].data.count(self._delimiter)
        self._given_back.extendleft(reversed(self.taken[1:]))
