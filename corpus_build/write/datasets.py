"""The three data sets as Parquet, in the order of ids, whatever shards their rows come from.

DLCodeEval/requirements.parquet            CodeEvalRow: an input of `dlcodegen generate`
DLSamplePool/samples.parquet               SamplePoolRow: a `pool`
DLPlanData/{train,eval,test}.parquet       PlanDataRow: `plans`
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow.parquet as pq

from corpus_build.divide.assign import Assignment
from corpus_build.divide.split import EVAL, EVALUATION, POOL, SETS, TEST, TRAIN
from corpus_build.records import CodeEvalRow, Extracted, PlanDataRow, SamplePoolRow
from corpus_build.store import CorpusStore, read_records, record_writer
from pipeline.storage.arrow import schema_of, to_table

ROWS_IN_MEMORY = 2048
_ROWS_BEFORE_SPILL = 64

SET_FILES = {
    EVALUATION: "DLCodeEval/requirements.parquet",
    POOL: "DLSamplePool/samples.parquet",
    TRAIN: "DLPlanData/train.parquet",
    EVAL: "DLPlanData/eval.parquet",
    TEST: "DLPlanData/test.parquet",
}

_SHARED_FIELDS = (
    "id",
    "requirement",
    "attributes",
    "plan",
    "confidence",
    "disagreements",
    "other_models",
    "unread",
    "trained_with",
    "language",
    "extraction",
    "provenance",
)


def write_datasets(store: CorpusStore, assignment: Assignment) -> None:
    """Writes all sets, whatever shards their rows come from.

    Rows are first laid into buckets of neighbouring ids, then each bucket is sorted: memory holds one bucket.
    """
    ids: dict[str, list[str]] = {name: [] for name in SETS}
    set_of_row: dict[tuple[int, int], str] = {}
    for row in assignment.rows:
        if name := assignment.sets.get(row.number, ""):
            ids[name].append(row.id)
            set_of_row[row.shard, row.row] = name
    id_ranges = {name: _IdRanges(sorted(set_ids)) for name, set_ids in ids.items()}
    with TemporaryDirectory() as folder:
        buckets: dict[tuple[str, int], _Bucket] = {}
        for shard in sorted({shard for shard, _ in set_of_row}):
            for number, extracted in enumerate(store.read("extracted", shard, Extracted)):
                if name := set_of_row.get((shard, number), ""):
                    key = name, id_ranges[name].number_of(extracted.id)
                    if key not in buckets:
                        buckets[key] = _Bucket(f"{folder}/{len(buckets)}.parquet")
                    buckets[key].add(extracted)
        for name in SETS:
            keys = sorted(key for key in buckets if key[0] == name)
            _write_set(store.path(SET_FILES[name]), name, [buckets[key] for key in keys])


def read_dataset(store: CorpusStore, name: str) -> Iterator[Any]:
    """The rows of a written set."""
    yield from read_records(store.path(SET_FILES[name]), _record_class(name))


def _record_class(name: str) -> Any:
    return {EVALUATION: CodeEvalRow, POOL: SamplePoolRow}.get(name, PlanDataRow)


def _write_set(url: str, name: str, buckets: Iterable[_Bucket]) -> None:
    convert = _CONVERTERS.get(name, _plan_data_row)
    with record_writer(url, _record_class(name)) as writer:
        for bucket in buckets:
            for row in bucket.sorted_rows():
                writer.add(convert(row), len(row.code))


@dataclass(frozen=True, slots=True)
class _IdRanges:
    """Sorted ids, cut into runs of ROWS_IN_MEMORY."""

    ids: list[str]

    def number_of(self, id: str) -> int:
        return bisect_left(self.ids, id) // ROWS_IN_MEMORY


class _Bucket:
    """Rows of one bucket, kept in memory while few, then in a temporary file."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._rows: list[Extracted] = []
        self._writer: pq.ParquetWriter | None = None

    def add(self, row: Extracted) -> None:
        self._rows.append(row)
        if len(self._rows) >= _ROWS_BEFORE_SPILL:
            if self._writer is None:
                self._writer = pq.ParquetWriter(self._path, schema_of(Extracted), compression="zstd")
            self._writer.write_table(to_table(self._rows, Extracted))
            self._rows = []

    def sorted_rows(self) -> list[Extracted]:
        """All its rows in the order of ids. Nothing can be added any more."""
        rows = list(self._rows)
        if self._writer is not None:
            self._writer.close()
            rows += read_records(self._path, Extracted)
        return sorted(rows, key=lambda row: row.id)


def _shared_values(row: Extracted) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _SHARED_FIELDS}


def _plan_data_row(row: Extracted) -> PlanDataRow:
    return PlanDataRow(**_shared_values(row), code=row.code)


def _sample_pool_row(row: Extracted) -> SamplePoolRow:
    return SamplePoolRow(**_shared_values(row), code=row.code, quality=row.quality)


def _code_eval_row(row: Extracted) -> CodeEvalRow:
    return CodeEvalRow(**_shared_values(row), reference=row.code)


_CONVERTERS: dict[str, Callable[[Extracted], Any]] = {EVALUATION: _code_eval_row, POOL: _sample_pool_row}
