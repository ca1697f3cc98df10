"""How a text file is a table: its encoding, separator, decimal sign, and whether its first line names the columns."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.errors import DLCodeGenError
from pipeline.request.data_contract import TableFormat

WHITESPACE = "whitespace"
"""The separator of tables in columns of any number of blanks."""

LINES_LOOKED_AT = 200
_CELL_LIMIT = 1 << 24
_SEPARATORS = ("\t", ";", "|", ",", WHITESPACE)
"""In the order of trust: a comma may be a decimal sign, a blank may stand in any text."""

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_COMMA_NUMBER = re.compile(r"[+-]?\d+(\.\d{3})*,\d+")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")


@dataclass(frozen=True, kw_only=True, slots=True)
class TextTable:
    """The format of a text table and what its first lines tell."""

    format: TableFormat
    names: tuple[str, ...]
    """Of the columns; their positions where no line names them."""
    first_row: int = 0
    """Lines before the first row of values."""
    class_names: tuple[str, ...] = ()
    """Where the first line lists them, as in files that scikit-learn ships."""


def decode(data: bytes, name: str) -> tuple[str, str]:
    """The text of a file's first bytes, and its encoding as Python names it.

    What is neither UTF-8 nor UTF-16 is taken for Windows-1252. Raises DLCodeGenError for what is no text.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace"), "utf-16"
    if b"\0" in data[:4096]:
        raise DLCodeGenError(f"{name}: not a text file (it holds zero bytes); save it as CSV in UTF-8")
    if data.startswith(b"\xef\xbb\xbf"):
        return data.decode("utf-8-sig", "replace"), "utf-8-sig"
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError as error:
        if error.start >= len(data) - 3:  # the sample ends within a character
            return data[: error.start].decode("utf-8"), "utf-8"
    return data.decode("cp1252", "replace"), "cp1252"


def table_of(text: str, encoding: str, *, sure: bool = True) -> TextTable | None:
    """The format that the first lines of a text show.

    `sure`: the file's name says that it is a table, so one column is a table too. Otherwise None where lines are not
    divided alike: prose.
    """
    beginning = text[: 1 << 20]
    lines = beginning.splitlines(keepends=True)[:LINES_LOOKED_AT]
    if len(text) > len(beginning) and len(lines) > 1:
        lines.pop()  # it may be cut
    if not any(line.strip() for line in lines):
        return None
    separator, width = _separator([line for line in lines if line.strip()], sure=sure)
    if not separator or (width == 1 and not sure):
        return None
    first_line = next(line for line in lines if line.strip())
    quote = "'" if _in_single_quotes(first_line, separator) else '"'
    rows = _numbered_rows(lines, separator, quote)
    if not rows:
        return None  # a quote that nothing closes holds nothing but blanks
    for _, row in rows:
        if len(row) == width + 1 and not row[-1]:
            row.pop()  # a separator at the end of the line
    first = rows[0][1]
    if len(first) == width - 1 and not any(NUMBER.fullmatch(cell) for cell in first) and len(rows) > 2:
        first.insert(0, "")  # as R writes row names: without a name of their own
    skipped = 0
    while skipped < min(20, len(rows) - 1) and (len(rows[skipped][1]) < width or rows[skipped][1][0].startswith("#")):
        skipped += 1
    class_names: tuple[str, ...] = ()
    if skipped:
        class_names = _named_classes(rows[skipped - 1][1], width)
    elif class_names := _named_classes(first, width):
        skipped = 1
    numbered = [(number, row) for number, row in rows[skipped:] if len(row) == width]
    if not numbered:
        return None
    rows_alike = [row for _, row in numbered]
    header = not class_names and has_header(rows_alike)
    names = tuple(rows_alike[0]) if header else tuple(str(number) for number in range(width))
    decimal, thousands = _number_style(rows_alike[header:], separator)
    return TextTable(
        format=TableFormat(
            separator=separator,
            decimal=decimal,
            thousands=thousands,
            encoding=encoding,
            header=header,
            skipped_lines=numbered[0][0] if skipped else 0,
            quote=quote,
        ),
        names=names,
        class_names=class_names,
        first_row=numbered[header][0] if header < len(numbered) else numbered[0][0] + 1,
    )


def rows_of(lines: Sequence[str], separator: str) -> list[list[str]]:
    """The cells of the lines that are not blank, without the blanks around them."""
    return [row for _, row in _numbered_rows(lines, separator, '"')]


def _numbered_rows(lines: Sequence[str], separator: str, quote: str) -> list[tuple[int, list[str]]]:
    """The rows in lines, each with the number of lines before it: a quoted cell may span several."""
    if separator == WHITESPACE:
        split = [[cell.strip(quote) for cell in line.split()] for line in lines]
        return [(number, row) for number, row in enumerate(split) if row]
    csv.field_size_limit(max(csv.field_size_limit(), _CELL_LIMIT))
    reader = csv.reader(lines, delimiter=separator, quotechar=quote, skipinitialspace=True)
    rows = []
    before = 0
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append((before, [cell.strip() for cell in row]))
            before = reader.line_num
    except csv.Error:
        rows = [(number, line.split(separator)) for number, line in enumerate(lines) if line.strip()]
    return rows


def _separator(lines: Sequence[str], *, sure: bool) -> tuple[str, int]:
    """The separator and the number of columns; the separator is "" where lines are not divided alike."""
    candidates = [(separator, rows_of(lines, separator)) for separator in _SEPARATORS]
    # Where the first line has another length than the rest, it is a title or a line of counts.
    for first_alike in (True, False):
        for separator, rows in candidates:
            width, count = Counter(len(row) for row in rows).most_common(1)[0] if rows else (0, 0)
            if width < 2 or count < (0.8 if sure else 0.95) * len(rows):
                continue
            if (len(rows[0]) == width) != first_alike or (not sure and len(rows) < 3):
                continue
            if separator == WHITESPACE and not _all_numbers(lines):
                continue  # words of a text
            if not sure and separator in (",", ";") and (not first_alike or _is_prose(lines, separator)):
                continue
            return separator, width
    if not sure:
        return "", 0
    widths = Counter(len(row) for row in candidates[_SEPARATORS.index(",")][1])
    return (",", widths.most_common(1)[0][0]) if widths else ("", 0)


def _is_prose(lines: Sequence[str], separator: str) -> bool:
    """Whether marks between clauses, each before a blank, divide lines alike by chance: no column is of numbers."""
    text = "".join(lines)
    if 2 * text.count(f"{separator} ") <= text.count(separator):
        return False
    columns = zip(*rows_of(lines, separator), strict=False)
    return not any(sum(NUMBER.fullmatch(cell) is not None for cell in cells) > 0.5 * len(cells) for cells in columns)


def _in_single_quotes(line: str, separator: str) -> bool:
    cells = rows_of([line], separator)
    return bool(cells) and all(len(cell) > 1 and cell[0] == cell[-1] == "'" for cell in cells[0])


def _all_numbers(lines: Sequence[str]) -> bool:
    cells = [cell for line in lines[1:] for cell in line.split()]
    return bool(cells) and sum(NUMBER.fullmatch(cell) is not None for cell in cells) >= 0.8 * len(cells)


def _named_classes(row: Sequence[str], width: int) -> tuple[str, ...]:
    """The classes of a first line "150,4,setosa,versicolor,virginica": rows, features, and the names of classes."""
    if len(row) < 4 or not (row[0].isdecimal() and row[1].isdecimal()):
        return ()
    if int(row[1]) != width - 1 or any(not cell or NUMBER.fullmatch(cell) for cell in row[2:]):
        return ()
    return tuple(row[2:])


def has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names the columns."""
    first, below = rows[0], rows[1:]
    named = [cell for cell in first if cell]
    if not named or len(set(named)) < 0.8 * len(named):
        return False
    numbers = [cell for cell in first if NUMBER.fullmatch(cell)]
    if not first[0] and below and all(row[0] for row in below):
        return True  # an index has no name
    if numbers and not _counts_up(numbers):
        return False
    if not below:
        return not numbers
    if len(numbers) == len(first):
        return len(numbers) >= 5 and int(numbers[0]) in (0, 1) and not _counts_up(list(below[0]))
    for position, cell in enumerate(first):
        cells = [row[position] for row in below if row[position]]
        if cells and cell and not NUMBER.fullmatch(cell):
            numeric = sum(bool(NUMBER.fullmatch(text) or _COMMA_NUMBER.fullmatch(text)) for text in cells)
            if numeric >= 0.8 * len(cells):
                return True
    # Text below text: names are short, without the marks of a sentence, and are no values.
    for position, cell in enumerate(first):
        if len(cell) > 40 or len(cell.split()) > 4 or re.search(r"[.!?,;:@]", cell):
            return False
        if cell and any(row[position] == cell for row in below):
            return False
    return True


def _counts_up(numbers: Sequence[str]) -> bool:
    """Whether numbers are names such as the years or pixels of a wide table: whole, each one more than the last."""
    if len(numbers) < 3 or not all(text.isdecimal() for text in numbers):
        return False
    values = [int(text) for text in numbers]
    return values == list(range(values[0], values[0] + len(values)))


def _number_style(rows: Sequence[Sequence[str]], separator: str) -> tuple[str, str]:
    """The decimal sign and what groups digits."""
    columns = list(zip(*rows, strict=False))
    grouped = decimal = False
    for cells in columns:
        filled = [cell for cell in cells if cell]
        with_comma = [cell for cell in filled if "," in cell]
        if not with_comma or len(with_comma) < 0.3 * len(filled):
            continue
        if all(_THOUSANDS.fullmatch(cell) for cell in with_comma) and separator != ";":
            grouped = True
        elif all(_COMMA_NUMBER.fullmatch(cell) for cell in with_comma):
            decimal = True
    if decimal:
        return ",", ""
    return ".", "," if grouped else ""
