"""Meta Kaggle's tables, joined to notebooks by the id of their version.

The tables are far larger than memory should be (KernelVersions has over ten million rows), so they are streamed, and
only rows of the notebooks at hand are kept. Ids that may be null are written as floats ("123.0"). A table or a column
that is missing leaves its facts empty; KernelVersions.csv must be there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from corpus_build.records import KaggleFacts
from pipeline.errors import DLCodeGenError
from pipeline.storage.files import exists, join
from pipeline.storage.opening import open_input

LICENCE = "Apache-2.0"
"""The licence under which Kaggle publishes the notebooks of Meta Kaggle Code."""

_BLOCK = 16 * 2**20
_DATE_FORMS = ("%m/%d/%Y %H:%M:%S", "%m/%d/%Y", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S")
# Table and column that link versions to their data, the table that names it, and what to call it without a name.
_SOURCE_TABLES = (
    ("KernelVersionDatasetSources", "SourceDatasetVersionId", "DatasetVersions", "dataset-version"),
    ("KernelVersionCompetitionSources", "SourceCompetitionId", "Competitions", "competition"),
)

Row = Mapping[str, str]
"""A row of a table, every value as text, "" for null."""


def load_kaggle_facts(folder: str, ids: Iterable[str]) -> dict[str, KaggleFacts]:
    """The facts of the versions with these ids (KernelVersions.Id as text); versions Meta Kaggle lacks are left out.

    Raises DLCodeGenError where the folder has no KernelVersions.csv, or a table cannot be read.
    """
    if not exists(join(folder, "KernelVersions.csv")):
        raise DLCodeGenError(f"--meta-kaggle {folder}: no KernelVersions.csv; point to the unpacked Meta Kaggle tables")
    versions = _rows_by_id(folder, "KernelVersions", {id for id in ids if id.isdigit()})
    kernels = _rows_by_id(folder, "Kernels", _ids_in(versions, "ScriptId"))
    languages = _rows_by_id(folder, "KernelLanguages", _ids_in(versions, "ScriptLanguageId"))
    data_sources = _data_sources(folder, set(versions))
    tags = _tags(folder, set(kernels))
    facts = {}
    for version, row in versions.items():
        kernel = read_id(row.get("ScriptId"))
        kernel_row = kernels.get(kernel, {})
        language = languages.get(read_id(row.get("ScriptLanguageId")), {})
        facts[version] = KaggleFacts(
            title=row.get("Title", "").strip(),
            kernel_id=int(kernel or 0),
            author_id=int(read_id(row.get("AuthorUserId")) or read_id(kernel_row.get("AuthorUserId")) or 0),
            created_at=read_kaggle_date(row.get("CreationDate")),
            current=read_id(kernel_row.get("CurrentKernelVersionId")) == version,
            votes=int(read_id(kernel_row.get("TotalVotes")) or read_id(row.get("TotalVotes")) or 0),
            medal=int(read_id(kernel_row.get("Medal")) or 0),
            language=language.get("DisplayName") or language.get("Name", ""),
            dataset_sources=tuple(data_sources.get(version, ())),
            tags=tags.get(kernel, ()),
            licence=LICENCE,
        )
    return facts


def read_id(text: str | None) -> str:
    """An id as digits: "123.0" and "123" are the same, anything else is ""."""
    whole, _, fraction = (text or "").strip().partition(".")
    return whole if whole.isdigit() and not fraction.strip("0") else ""


def read_kaggle_date(text: str | None) -> float | None:
    """Seconds since 1970 of a date in Meta Kaggle's form (`%m/%d/%Y %H:%M:%S`, UTC)."""
    for form in _DATE_FORMS:
        try:
            return datetime.strptime((text or "").strip(), form).replace(tzinfo=UTC).timestamp()
        except ValueError:
            continue
    return None


def _ids_in(rows: Mapping[str, Row], column: str) -> set[str]:
    return {read_id(row.get(column)) for row in rows.values()}


def _rows_by_id(folder: str, table: str, ids: set[str]) -> dict[str, Row]:
    return {read_id(row["Id"]): row for row in _rows(folder, table, "Id", ids)}


def _data_sources(folder: str, versions: set[str]) -> dict[str, list[str]]:
    """For each version its data sets, then its competitions: the slug or title where the tables name it, else
    `dataset-version-<id>` or `competition-<id>`."""
    names: dict[str, list[str]] = {}
    for link_table, link_column, table, kind in _SOURCE_TABLES:
        links = _links(folder, link_table, "KernelVersionId", link_column, versions)
        rows = _rows_by_id(folder, table, _all_linked(links))
        for version, ids in links.items():
            for id in ids:
                row = rows.get(id, {})
                name = row.get("Slug") or row.get("Title") or f"{kind}-{id}"
                names.setdefault(version, []).append(name)
    return names


def _tags(folder: str, kernels: set[str]) -> dict[str, tuple[str, ...]]:
    """For each kernel the names of its tags, in alphabetical order; tags without a name are left out."""
    links = _links(folder, "KernelTags", "KernelId", "TagId", kernels)
    rows = _rows_by_id(folder, "Tags", _all_linked(links))
    tags = {}
    for kernel, ids in links.items():
        names = [rows.get(id, {}).get("Name", "") for id in ids]
        tags[kernel] = tuple(sorted(filter(None, names)))
    return tags


def _links(folder: str, table: str, key: str, value: str, keys: set[str]) -> dict[str, list[str]]:
    """For each key the ids that a linking table gives it, each once, sorted as numbers."""
    links: dict[str, set[str]] = {}
    for row in _rows(folder, table, key, keys):
        if linked := read_id(row.get(value)):
            links.setdefault(read_id(row[key]), set()).add(linked)
    return {id: sorted(linked_ids, key=int) for id, linked_ids in links.items()}


def _all_linked(links: Mapping[str, Iterable[str]]) -> set[str]:
    return set(chain.from_iterable(links.values()))


def _rows(folder: str, table: str, key: str, keys: set[str]) -> Iterator[Row]:
    """The rows of a table whose key is one of the ids; none where the table is missing."""
    url = join(folder, f"{table}.csv")
    keys = keys - {""}
    if not keys or not exists(url):
        return
    # As in the file: plain, or with a zero behind the point.
    values = pa.array([*sorted(keys), *(f"{id}.0" for id in sorted(keys))], pa.string())
    try:
        with open_input(url) as stream:
            for batch in _batches(stream):
                if key not in batch.schema.names:
                    raise DLCodeGenError(f"{url}: no column {key} (columns: {', '.join(batch.schema.names)})")
                wanted = batch.filter(pc.is_in(pc.utf8_trim_whitespace(batch[key]), values))
                for row in wanted.to_pylist():
                    yield {name: value or "" for name, value in row.items()}
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise DLCodeGenError(f"{url}: cannot be read as CSV ({error}); unpack Meta Kaggle anew") from error


def _batches(stream: Any) -> Iterator[pa.RecordBatch]:
    """The table in pieces of _BLOCK bytes, every column as text."""
    header = stream.readline().decode("utf-8-sig").strip()
    names = [name.strip().strip('"') for name in header.split(",")]
    read = pacsv.ReadOptions(column_names=names, block_size=_BLOCK, use_threads=False)
    parse = pacsv.ParseOptions(newlines_in_values=True, invalid_row_handler=_skip_row)
    convert = pacsv.ConvertOptions(column_types={name: pa.string() for name in names}, strings_can_be_null=True)
    if not stream.read(1):  # Arrow refuses a table without rows
        return
    stream.seek(-1, 1)
    yield from pacsv.open_csv(stream, read, parse, convert)


def _skip_row(row: Any) -> str:
    """What Arrow is to do with a row of another number of columns than the header has."""
    return "skip"
