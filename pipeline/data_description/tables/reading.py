"""The cells of a table file as texts: all of them, or of a large file a sample spread over it."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import posixpath
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import IO, Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from pipeline.data_description.tables import excel
from pipeline.data_description.tables.text_format import WHITESPACE, TextTable, decode, table_of
from pipeline.data_description.wording import counted
from pipeline.errors import DLCodeGenError
from pipeline.request.data_contract import TableFormat

WHOLE_BYTES = 64 << 20
"""A text file up to this size is read whole."""
BLOCKS = 16
BLOCK_BYTES = 1 << 20
"""Of a larger one, so many blocks of this size are read besides its beginning, at equal distances."""
COUNTED_BYTES = 1 << 30
"""As far the lines of a larger file are counted; then their number is estimated from the size."""
SAMPLED_ROWS = 200_000
"""Rows of a Parquet file whose cells are looked at."""

SURE_TABLES = (".csv", ".tsv", ".tab", ".psv", ".parquet", ".pq", ".xlsx", ".xlsm")
PERHAPS_TABLES = (".txt", ".data", ".dat")
_KIND_NAMES = {".csv": "CSV", ".tsv": "TSV", ".tab": "TSV", ".psv": "CSV"}
COMPRESSED: dict[str, Callable[[str], Any]] = {".gz": gzip.GzipFile, ".bz2": bz2.BZ2File, ".xz": lzma.LZMAFile}


@dataclass(frozen=True, kw_only=True, slots=True)
class TableSample:
    """Cells of a table as texts without the blanks around them, and what was found about its file."""

    path: str
    """Relative to the data folder."""
    kind: str
    """"CSV", "Parquet" or "Excel"."""
    names: tuple[str, ...]
    columns: tuple[pa.Array, ...]
    """An array of texts a column; null where the file itself has no value."""
    rows: int
    """Of the whole file."""
    exact: bool = True
    """Whether `rows` was counted; otherwise it is estimated."""
    whole: bool = True
    """Whether `columns` hold all rows."""
    format: TableFormat
    class_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def extension_of(path: str) -> tuple[str, str]:
    """The ending of a file's name in small letters, and that of its compression: ".csv", ".gz"."""
    stem, extension = posixpath.splitext(path.lower())
    if extension in COMPRESSED:
        return posixpath.splitext(stem)[1], extension
    return extension, ""


def read_table(file: str, path: str) -> TableSample | None:
    """The table in a local file. None where its lines are not divided alike: a text.

    `path` is the file's name for messages and the contract. Raises DLCodeGenError for a file that is damaged or empty.
    """
    extension, _ = extension_of(file)
    try:
        if extension in (".parquet", ".pq"):
            sample = _read_parquet(file, path)
        elif extension in (".xlsx", ".xlsm"):
            sheet = excel.read_sheet(file, path)
            sample = TableSample(
                path=path,
                kind="Excel",
                names=sheet.names,
                columns=sheet.columns,
                rows=sheet.rows,
                exact=sheet.rows <= excel.SAMPLED_ROWS,
                whole=sheet.rows <= excel.SAMPLED_ROWS,
                format=TableFormat(separator="", header=sheet.header, skipped_lines=sheet.skipped, sheet=sheet.title),
                notes=sheet.notes,
            )
        else:
            return _read_text(file, path, sure=extension in SURE_TABLES)
    except (OSError, EOFError, zlib.error, lzma.LZMAError, pa.ArrowException) as error:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise DLCodeGenError(f"{path}: cannot be read ({reason}); it may be damaged or cut off, get it anew") from error
    return sample


def _read_text(file: str, path: str, *, sure: bool) -> TableSample | None:
    compression = extension_of(file)[1]
    with COMPRESSED[compression](file) if compression else open(file, "rb") as stream:
        head = stream.read(WHOLE_BYTES + 1)
        whole = len(head) <= WHOLE_BYTES
        head = head[:WHOLE_BYTES]
        if not head.strip():
            raise DLCodeGenError(f"{path}: the file is empty; nothing can be said about it")
        text, encoding = decode(head, path)
        if not whole:
            text = text[: text.rfind("\n") + 1] or text
        table = table_of(text, encoding, sure=sure)
        if table is None:
            return None
        cells = _cells(text, table, begins=True)
        notes = []
        if encoding == "cp1252":
            notes.append(f"{path} is not UTF-8; it was read as Windows-1252 (if names look wrong, save it as UTF-8)")
        if cells.skipped:
            notes.append(f"{counted(cells.skipped, 'row')} of {path} with another number of cells left out")
        rows, exact, arrays = len(cells.columns[0]) if cells.columns else 0, True, [cells.columns]
        if not whole and compression:
            rows, exact = _rows_by_size(rows, len(head), os.path.getsize(file) * 4), False
        elif not whole:
            rows, exact = _rows_by_lines(stream, file, text, rows), False
            if encoding != "utf-16":  # a block would have to begin where a character does
                arrays += [_block_cells(stream, offset, table) for offset in _offsets(os.path.getsize(file))]
    if not rows:
        raise DLCodeGenError(f"{path}: the table has no rows; nothing can be said about its columns")
    if not whole:
        seen = sum(len(columns[0]) for columns in arrays)
        notes.append(f"{path} is large: {seen:,} of its rows were looked at")
    return TableSample(
        path=path,
        kind=_KIND_NAMES.get(extension_of(file)[0], "Text"),
        names=table.names,
        columns=tuple(pa.concat_arrays(parts) for parts in zip(*arrays, strict=True)),
        rows=rows,
        exact=exact,
        whole=whole,
        format=table.format if cells.quoted else replace(table.format, quote=""),
        class_names=table.class_names,
        notes=tuple(notes),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Cells:
    columns: list[pa.Array]
    skipped: int
    quoted: bool = True


def _cells(text: str, table: TextTable, *, begins: bool) -> _Cells:
    """The cells of a text. `begins`: it is the beginning of the file, with header and lines to skip."""
    first = table.first_row if begins else 0
    if table.format.separator == WHITESPACE:
        text = "\n".join("\t".join(line.split()) for line in text.splitlines())
    cells = _parsed(text, table, first, quoted=True)
    lines = text.count("\n")
    if cells is None or (lines > 20 and len(cells.columns[0]) < 0.5 * (lines - cells.skipped)):
        # A quotation mark that is opened and not closed takes all that follows into one cell.
        unquoted = _parsed(text, table, first, quoted=False)
        if unquoted is not None and (cells is None or len(unquoted.columns[0]) > 2 * len(cells.columns[0])):
            return unquoted
    return cells or _Cells(columns=[pa.array([], pa.string()) for _ in table.names], skipped=lines)


def _parsed(text: str, table: TextTable, first: int, *, quoted: bool) -> _Cells | None:
    separator = "\t" if table.format.separator == WHITESPACE else table.format.separator
    numbers = [str(number) for number in range(len(table.names))]
    skipped = 0

    def skip(row: Any) -> str:
        nonlocal skipped
        skipped += 1
        return "skip"

    data = text.encode("utf-8", "replace")
    options = {
        "read_options": pacsv.ReadOptions(column_names=numbers, skip_rows=first, block_size=64 << 20),
        "parse_options": pacsv.ParseOptions(
            delimiter=separator,
            quote_char=table.format.quote if quoted else False,
            newlines_in_values=quoted,
            invalid_row_handler=skip,
        ),
        "convert_options": pacsv.ConvertOptions(column_types=dict.fromkeys(numbers, pa.string())),
    }
    try:
        read = pacsv.read_csv(pa.BufferReader(data), **options)
    except pa.ArrowInvalid:
        return None
    columns = [column.combine_chunks() for column in read.columns]
    return _Cells(columns=[trimmed(column) for column in columns], skipped=skipped, quoted=quoted)


def trimmed(column: Any) -> pa.Array:
    """A column of texts without the blanks around them."""
    import pyarrow.compute as pc

    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return pc.utf8_trim_whitespace(column)


def _offsets(size: int) -> list[int]:
    """Where the blocks of a large file begin."""
    step = (size - WHOLE_BYTES) // BLOCKS
    return [WHOLE_BYTES + number * step for number in range(BLOCKS)]


def _block_cells(stream: IO[bytes], offset: int, table: TextTable) -> list[pa.Array]:
    """The cells of the whole lines in a block."""
    stream.seek(offset)
    data = stream.read(BLOCK_BYTES)
    lines = data[data.find(b"\n") + 1 : data.rfind(b"\n") + 1]
    text = lines.decode(table.format.encoding.removesuffix("-sig"), "replace")
    return _cells(text, table, begins=False).columns


def _rows_by_lines(stream: IO[bytes], file: str, head: str, rows: int) -> int:
    """The rows of a large file: as many for its other lines as for those of its beginning."""
    lines = 0
    for _ in range(COUNTED_BYTES // BLOCK_BYTES):
        block = stream.read(BLOCK_BYTES)
        if not block:
            break
        lines += block.count(b"\n")
    total = rows + lines * rows / max(head.count("\n"), 1)
    return _rows_by_size(total, stream.tell(), os.path.getsize(file))


def _rows_by_size(rows: float, read: int, size: int) -> int:
    from pipeline.data_description.wording import rounded

    return rounded(rows * max(size / max(read, 1), 1))


def _read_parquet(file: str, path: str) -> TableSample:
    with pq.ParquetFile(file) as parquet:
        rows = parquet.metadata.num_rows
        schema = parquet.schema_arrow
        if not rows or not len(schema):
            raise DLCodeGenError(f"{path}: the table has no rows; nothing can be said about its columns")
        plain = [field.name for field in schema if not pa.types.is_nested(field.type) and not _is_bytes(field.type)]
        left_out = [field.name for field in schema if field.name not in plain]
        batches, seen = [], 0
        for batch in parquet.iter_batches(batch_size=8192, columns=plain):
            batches.append(batch)
            seen += batch.num_rows
            if seen >= SAMPLED_ROWS:
                break
        table = pa.Table.from_batches(batches)
    notes = []
    if left_out:
        notes.append(f"columns of lists, records or bytes in {path} were not looked at: {', '.join(left_out)[:200]}")
    if seen < rows:
        notes.append(f"{path} is large: its first {seen:,} rows were looked at")
    return TableSample(
        path=path,
        kind="Parquet",
        names=tuple(table.column_names),
        columns=tuple(trimmed(_as_text(column)) for column in table.columns),
        rows=rows,
        whole=seen >= rows,
        format=TableFormat(separator=""),
        notes=tuple(notes),
    )


def _is_bytes(kind: Any) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind))


def _as_text(column: Any) -> Any:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return column.cast(pa.string())
