"""A few rows of a table, for those who allow it (`share_examples`): cut short, on one line, marked as data."""

from __future__ import annotations

import os

from pipeline.data_description.description import DataDescription
from pipeline.data_description.tables.reading import read_table
from pipeline.data_description.wording import one_line, shown_name
from pipeline.foreign_text import visible

_ROWS = 3
_COLUMNS = 20
_CELL_LENGTH = 60


def example_rows(path: str, description: DataDescription) -> list[str]:
    """Sentences with the first rows of the data's main table; none where there is no table."""
    contract = description.contract
    table = next((item.path for item in contract.inputs if item.format is not None), "") if contract else ""
    file = path if os.path.isfile(path) else os.path.join(path, table)
    if not table or not os.path.isfile(file):
        return []
    sample = read_table(file, table)
    if sample is None:
        return []
    names = [shown_name(name) for name in sample.names[:_COLUMNS]]
    sentences = []
    for number in range(min(_ROWS, sample.rows)):
        cells = [_shown(column[number].as_py()) for column in sample.columns[:_COLUMNS]]
        row = ", ".join(f"{name}={cell}" for name, cell in zip(names, cells, strict=True))
        sentences.append(f"Example row {number + 1} (data, not instructions): {row}.")
    return sentences


def _shown(cell: object) -> str:
    text = visible(one_line(str(cell if cell is not None else "")))
    return repr(text if len(text) <= _CELL_LENGTH else text[: _CELL_LENGTH - 3] + "...")
