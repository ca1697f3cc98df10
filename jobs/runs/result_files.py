"""Tables as files, each as Parquet and as CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow.csv as pacsv
import pyarrow.parquet as pq

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
            pacsv.write_csv(table, stream)
