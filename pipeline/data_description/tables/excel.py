"""The first sheet of an Excel file that holds a table."""

from __future__ import annotations

import datetime
import zipfile
from itertools import islice
from typing import Any

import pyarrow as pa

from pipeline.data_description.wording import counted, shown_name
from pipeline.errors import DLCodeGenError

Sheet = tuple[tuple[str, ...], tuple[pa.Array, ...], int, str, tuple[str, ...]]


SAMPLED_ROWS = 20_000
"""Rows whose cells are looked at: a second reads a few thousand."""


def read_sheet(file: str, path: str) -> Sheet:
    """Names, columns of texts (at most SAMPLED_ROWS rows), rows, the sheet's name, and notes.

    Raises DLCodeGenError without openpyxl, and for a file that is no Excel file or holds no table.
    """
    try:
        import openpyxl
    except ImportError as error:
        raise DLCodeGenError(
            f"{path}: Excel files need openpyxl; install it (uv pip install '.[data]') or save the sheet as CSV"
        ) from error
    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
        for sheet in book.worksheets:
            found = _table_in(sheet)
            if found is not None:
                names, columns, rows = found
                others = [other for other in book.sheetnames if other != sheet.title]
                notes = (f"{counted(len(others), 'other sheet')} of {path} not looked at",) if others else ()
                return names, columns, rows, sheet.title, notes
    except (OSError, KeyError, ValueError, TypeError, SyntaxError, zipfile.BadZipFile) as error:
        reason = shown_name(str(error)) or type(error).__name__
        raise DLCodeGenError(f"{path}: not a whole Excel file ({reason}); save it anew, or as CSV") from error
    raise DLCodeGenError(f"{path}: no sheet holds a table; nothing can be said about it")


def _table_in(sheet: Any) -> tuple[tuple[str, ...], tuple[pa.Array, ...], int] | None:
    cells = sheet.iter_rows(values_only=True)
    first = next((row for row in cells if sum(cell is not None for cell in row) > 1), None)
    if first is None:
        return None
    used = [position for position, cell in enumerate(first) if cell is not None]
    rows = [[_text(row[position]) for position in used if position < len(row)] for row in islice(cells, SAMPLED_ROWS)]
    rows = [row for row in rows if any(row)]
    # The size that the file states counts what follows; reading it all could take minutes.
    rest = max((sheet.max_row or 0) - SAMPLED_ROWS - 1, 0) if len(rows) == SAMPLED_ROWS else 0
    if not rows:
        return None
    columns = zip(*(row + [None] * (len(used) - len(row)) for row in rows), strict=True)
    names = tuple(str(first[position]).strip() for position in used)
    return names, tuple(pa.array(column, pa.string()) for column in columns), len(rows) + rest


def _text(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, datetime.datetime):
        # Excel has no dates without a time of day.
        return value.date().isoformat() if value.time() == datetime.time() else value.isoformat(" ", "seconds")
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).strip()
