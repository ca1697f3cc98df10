"""Tables as files, each as Parquet for programs and as CSV for spreadsheets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from pipeline.foreign_text import spreadsheet_cell
from pipeline.storage.arrow import to_table
from pipeline.storage.files import atomic_writer, join
from pipeline.storage.parquet import with_version

TABLES_VERSION = 1
"""The layout of the tables of scores. Raise it when a column goes, or comes to mean something else; a new column at the
end needs none."""

Table = tuple[Sequence[Any], type]
"""Rows, and the record class they are of."""


def write_tables(folder: str, tables: Mapping[str, Table]) -> None:
    """Writes <name>.parquet and <name>.csv for each; a table without rows has its columns all the same."""
    for name, (rows, kind) in tables.items():
        table = to_table(rows, kind)
        with atomic_writer(join(folder, f"{name}.parquet")) as stream:
            pq.write_table(with_version(table, TABLES_VERSION), stream)
        with atomic_writer(join(folder, f"{name}.csv")) as stream:
            pacsv.write_csv(_without_formulas(table), stream)


def _without_formulas(table: pa.Table) -> pa.Table:
    """The table with texts that no spreadsheet takes for formulas: names of runs and ids of rows are others' words."""
    for number, field in enumerate(table.schema):
        if pa.types.is_string(field.type):
            texts = table.column(number).to_pylist()
            safe = [None if text is None else spreadsheet_cell(text) for text in texts]
            table = table.set_column(number, field, pa.array(safe, field.type))
    return table
