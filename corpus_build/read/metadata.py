"""Meta Kaggle's tables, joined to notebooks by the id of their version.

The tables are far larger than memory should be (KernelVersions has over ten million rows), so they are streamed, and
only rows of the notebooks at hand are kept. Ids that may be null are written as floats ("123.0"). A table or a column
that is missing leaves its facts empty; KernelVersions.csv must be there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from corpus_build.records import KaggleFacts
from pipeline.errors import DLCodeGenError
from pipeline.storage.files import exists, join

LICENCE = "Apache-2.0"
"""The licence under which Kaggle publishes the notebooks of Meta Kaggle Code."""

_BLOCK = 16 * 2**20
_DATES = ("%m/%d/%Y %H:%M:%S", "%m/%d/%Y", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S")

Row = Mapping[str, str]


def load_kaggle_facts(folder: str, ids: Iterable[str]) -> dict[str, KaggleFacts]:
    """The facts of the versions with these ids (KernelVersions.Id as text); versions Meta Kaggle lacks are left out.

    Raises DLCodeGenError where the folder has no KernelVersions.csv, or a table cannot be read.
    """
    if not exists(join(folder, "KernelVersions.csv")):
        raise DLCodeGenError(f"--meta-kaggle {folder}: no KernelVersions.csv; point to the unpacked Meta Kaggle tables")
    wanted = {value for value in ids if value.isdigit()}
    versions = _by_id(folder, "KernelVersions", wanted)
    kernels = _by_id(folder, "Kernels", {read_id(row.get("ScriptId")) for row in versions.values()})
    languages = _by_id(folder, "KernelLanguages", {read_id(row.get("ScriptLanguageId")) for row in versions.values()})
    sources = _sources(folder, set(versions))
    tags = _tags(folder, set(kernels))
    found = {}
    for version, row in versions.items():
        kernel = read_id(row.get("ScriptId"))
        of_kernel = kernels.get(kernel, {})
        language = languages.get(read_id(row.get("ScriptLanguageId")), {})
        found[version] = KaggleFacts(
            title=row.get("Title", "").strip(),
            kernel_id=int(kernel or 0),
            author_id=int(read_id(row.get("AuthorUserId")) or read_id(of_kernel.get("AuthorUserId")) or 0),
            created_at=read_kaggle_date(row.get("CreationDate")),
            current=read_id(of_kernel.get("CurrentKernelVersionId")) == version,
            votes=int(read_id(of_kernel.get("TotalVotes")) or read_id(row.get("TotalVotes")) or 0),
            medal=int(read_id(of_kernel.get("Medal")) or 0),
            language=language.get("DisplayName") or language.get("Name", ""),
            dataset_sources=sources.get(version, ()),
            tags=tags.get(kernel, ()),
            licence=LICENCE,
        )
    return found


def read_id(text: str | None) -> str:
    """An id as digits: "123.0" and "123" are the same, anything else is ""."""
    whole, _, fraction = (text or "").strip().partition(".")
    return whole if whole.isdigit() and not fraction.strip("0") else ""


def read_kaggle_date(text: str | None) -> float | None:
    """Seconds since 1970 of a date in Meta Kaggle's form (`%m/%d/%Y %H:%M:%S`, UTC)."""
    for form in _DATES:
        try:
            return datetime.strptime((text or "").strip(), form).replace(tzinfo=UTC).timestamp()
        except ValueError:
            continue
    return None


def _by_id(folder: str, table: str, ids: set[str]) -> dict[str, Row]:
    return {read_id(row["Id"]): row for row in _rows(folder, table, "Id", ids)}


def _sources(folder: str, versions: set[str]) -> dict[str, tuple[str, ...]]:
    """For each version its data sources: the slug or title where the tables name it, else `dataset-version-<id>`."""
    used = _links(folder, "KernelVersionDatasetSources", "KernelVersionId", "SourceDatasetVersionId", versions)
    names = _by_id(folder, "DatasetVersions", {item for items in used.values() for item in items})
    competing = _links(folder, "KernelVersionCompetitionSources", "KernelVersionId", "SourceCompetitionId", versions)
    competitions = _by_id(folder, "Competitions", {item for items in competing.values() for item in items})
    found: dict[str, tuple[str, ...]] = {}
    for links, rows, kind in ((used, names, "dataset-version"), (competing, competitions, "competition")):
        for version, items in links.items():
            named = (_named(rows.get(item, {})) or f"{kind}-{item}" for item in items)
            found[version] = (*found.get(version, ()), *named)
    return found


def _named(row: Row) -> str:
    return row.get("Slug") or row.get("Title") or ""


def _tags(folder: str, kernels: set[str]) -> dict[str, tuple[str, ...]]:
    tagged = _links(folder, "KernelTags", "KernelId", "TagId", kernels)
    names = _by_id(folder, "Tags", {tag for tags in tagged.values() for tag in tags})
    named = {kernel: [names.get(tag, {}).get("Name", "") for tag in tags] for kernel, tags in tagged.items()}
    return {kernel: tuple(sorted(tag for tag in tags if tag)) for kernel, tags in named.items()}


def _links(folder: str, table: str, key: str, value: str, keys: set[str]) -> dict[str, list[str]]:
    """For each key the values of a linking table, sorted as numbers."""
    found: dict[str, list[str]] = {}
    for row in _rows(folder, table, key, keys):
        if item := read_id(row.get(value)):
            found.setdefault(read_id(row[key]), []).append(item)
    return {name: sorted(set(items), key=int) for name, items in found.items()}


def _rows(folder: str, table: str, key: str, keys: set[str]) -> Iterator[Row]:
    """The rows of a table whose key is one of the ids; none where the table is missing."""
    url = join(folder, f"{table}.csv")
    keys = keys - {""}
    if not keys or not exists(url):
        return
    # As in the file: plain, or with a zero behind the point.
    values = pa.array([form for item in sorted(keys) for form in (item, f"{item}.0")], pa.string())
    try:
        with fsspec.open(url, "rb") as stream:
            for batch in _batches(stream):
                if key not in batch.schema.names:
                    raise DLCodeGenError(f"{url}: no column {key} (columns: {', '.join(batch.schema.names)})")
                chosen = batch.filter(pc.is_in(pc.utf8_trim_whitespace(batch[key]), values))
                for row in chosen.to_pylist():
                    yield {name: value or "" for name, value in row.items()}
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise DLCodeGenError(f"{url}: cannot be read as CSV ({error}); unpack Meta Kaggle anew") from error


def _batches(stream: Any) -> Iterator[pa.RecordBatch]:
    """The table in pieces of _BLOCK bytes, every column as text."""
    header = stream.readline().decode("utf-8-sig").strip()
    names = [name.strip().strip('"') for name in header.split(",")]
    read = pacsv.ReadOptions(column_names=names, block_size=_BLOCK, use_threads=False)
    parse = pacsv.ParseOptions(newlines_in_values=True, invalid_row_handler=_pass_over)
    convert = pacsv.ConvertOptions(column_types={name: pa.string() for name in names}, strings_can_be_null=True)
    if not stream.read(1):
        return
    stream.seek(-1, 1)
    yield from pacsv.open_csv(stream, read, parse, convert)


_pass_over: Callable[[Any], str] = lambda row: "skip"  # noqa: E731
