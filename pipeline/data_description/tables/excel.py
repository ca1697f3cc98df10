"""The first sheet of an Excel file that holds a table."""

from __future__ import annotations

import datetime
import zipfile
import zlib
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import pyarrow as pa

from pipeline.data_description.tables.text_format import LINES_LOOKED_AT, has_header
from pipeline.data_description.wording import counted, shown_name
from pipeline.errors import DLCodeGenError


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """A sheet with a table."""

    title: str
    names: tuple[str, ...]
    columns: tuple[pa.Array, ...]
    """An array of texts a column, of at most SAMPLED_ROWS rows."""
    rows: int
    header: bool
    skipped: int
    """Rows above the header, or above the first row of values."""
    notes: tuple[str, ...] = ()


# An encrypted member is a RuntimeError, a method of packing that is not known a NotImplementedError.
DAMAGED_ZIP = (zipfile.BadZipFile, zlib.error, EOFError, KeyError, SyntaxError, RuntimeError, NotImplementedError)
"""What reading a damaged zip file raises, as .xlsx and .npz are; besides OSError and what its members hold."""

SAMPLED_ROWS = 20_000
"""Rows whose cells are looked at: a second reads a few thousand."""


def read_sheet(file: str, path: str) -> Sheet:
    """The first sheet with more than one column.

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
                others = [other for other in book.sheetnames if other != sheet.title]
                notes = (f"{counted(len(others), 'other sheet')} of {path} not looked at",) if others else ()
                return replace(found, notes=notes)
    except (OSError, ValueError, TypeError, AttributeError, *DAMAGED_ZIP) as error:
        reason = shown_name(str(error)) or type(error).__name__
        raise DLCodeGenError(f"{path}: not a whole Excel file ({reason}); save it anew, or as CSV") from error
    raise DLCodeGenError(f"{path}: no sheet holds a table; nothing can be said about it")


def _table_in(sheet: Any) -> Sheet | None:
    lines = sheet.iter_rows(values_only=True)
    skipped, first = next(
        ((number, row) for number, row in enumerate(lines) if sum(cell is not None for cell in row) > 1), (0, None)
    )
    if first is None:
        return None
    used = [position for position, cell in enumerate(first) if cell is not None]
    rows = [
        [_text(row[position]) if position < len(row) else None for position in used]
        for row in islice(lines, SAMPLED_ROWS)
    ]
    rows = [row for row in rows if any(row)]
    top = [_text(first[position]) or "" for position in used]
    header = has_header([top, *([cell or "" for cell in row] for row in rows[:LINES_LOOKED_AT])])
    if not header:
        rows.insert(0, list(top))
    if not rows:
        return None
    # The size that the file states counts what follows; reading it all could take minutes.
    rest = max((sheet.max_row or 0) - skipped - SAMPLED_ROWS - 1, 0) if len(rows) >= SAMPLED_ROWS else 0
    return Sheet(
        title=sheet.title,
        names=tuple(top) if header else tuple(str(number) for number in range(len(used))),
        columns=tuple(pa.array(column, pa.string()) for column in zip(*rows, strict=True)),
        rows=len(rows) + rest,
        header=header,
        skipped=skipped,
    )


def _text(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, datetime.datetime):
        # Excel has no dates without a time of day.
        return value.date().isoformat() if value.time() == datetime.time() else value.isoformat(" ", "seconds")
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).strip()
