"""The three data sets as Parquet, in the order of ids, whatever shards their rows come from.

DLCodeEval/requirements.parquet            EvalRow: an input of `dlcodegen generate`
DLSamplePool/samples.parquet               SampleRow: a `pool`
DLPlanData/{train,eval,test}.parquet       PlanRow: `plans`
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow.parquet as pq

from corpus_build.divide.split import EVAL, EVALUATION, POOL, SETS, TEST, TRAIN
from corpus_build.records import EvalRow, Extracted, PlanRow, SampleRow
from corpus_build.store import CorpusStore, read_records, record_writer
from pipeline.storage.arrow import schema_of, to_table

ROWS_IN_MEMORY = 2048

FILES = {
    EVALUATION: "DLCodeEval/requirements.parquet",
    POOL: "DLSamplePool/samples.parquet",
    TRAIN: "DLPlanData/train.parquet",
    EVAL: "DLPlanData/eval.parquet",
    TEST: "DLPlanData/test.parquet",
}

SHARED = (
    "id",
    "requirement",
    "attributes",
    "plan",
    "confidence",
    "disagreements",
    "other_models",
    "extraction",
    "provenance",
)


def record_of(name: str) -> Any:
    """The record class of a set."""
    return {EVALUATION: EvalRow, POOL: SampleRow}.get(name, PlanRow)


def write_datasets(
    store: CorpusStore, assigned: Mapping[tuple[int, int], str], ids: Mapping[tuple[int, int], str]
) -> None:
    """Writes all sets. `assigned` gives the set, `ids` the id of extracted row (shard, row).

    Rows are first laid into buckets of neighbouring ids, then each bucket is sorted: memory holds one bucket.
    """
    ranks: dict[str, list[str]] = {name: [] for name in SETS}
    for place, name in assigned.items():
        ranks[name].append(ids[place])
    buckets = {name: _Buckets(sorted(found)) for name, found in ranks.items()}
    with TemporaryDirectory() as folder:
        spills: dict[tuple[str, int], _Spill] = {}
        for shard in sorted({shard for shard, _ in assigned}):
            for row, extracted in enumerate(store.read("extracted", shard, Extracted)):
                if chosen := assigned.get((shard, row)):
                    bucket = chosen, buckets[chosen].of(extracted.id)
                    if bucket not in spills:
                        spills[bucket] = _Spill(f"{folder}/{len(spills)}.parquet")
                    spills[bucket].add(extracted)
        for name in SETS:
            parts = [spills[key] for key in sorted(key for key in spills if key[0] == name)]
            _write_set(store.path(FILES[name]), name, (part.sorted() for part in parts))


def read_dataset(store: CorpusStore, name: str) -> Iterator[Any]:
    """The rows of a written set."""
    yield from read_records(store.path(FILES[name]), record_of(name))


def _write_set(url: str, name: str, parts: Iterable[list[Extracted]]) -> None:
    record = record_of(name)
    convert = _CONVERTERS.get(name, _plan_row)
    with record_writer(url, record) as writer:
        for rows in parts:
            for row in rows:
                writer.add(convert(row), len(row.code))


@dataclass(frozen=True, slots=True)
class _Buckets:
    """Sorted ids, cut into runs of ROWS_IN_MEMORY."""

    ids: list[str]

    def of(self, id: str) -> int:
        return bisect_left(self.ids, id) // ROWS_IN_MEMORY


class _Spill:
    """Rows of one bucket, kept in memory while few, then in a temporary file."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._rows: list[Extracted] = []
        self._writer: pq.ParquetWriter | None = None

    def add(self, row: Extracted) -> None:
        self._rows.append(row)
        if len(self._rows) >= 64:
            if self._writer is None:
                self._writer = pq.ParquetWriter(self._path, schema_of(Extracted), compression="zstd")
            self._writer.write_table(to_table(self._rows, Extracted))
            self._rows = []

    def sorted(self) -> list[Extracted]:
        found = list(self._rows)
        if self._writer is not None:
            self._writer.close()
            found += read_records(self._path, Extracted)
        return sorted(found, key=lambda row: row.id)


def _shared(row: Extracted) -> dict[str, Any]:
    return {name: getattr(row, name) for name in SHARED}


def _plan_row(row: Extracted) -> PlanRow:
    return PlanRow(**_shared(row), code=row.code)


def _sample_row(row: Extracted) -> SampleRow:
    return SampleRow(**_shared(row), code=row.code, quality=row.quality)


def _eval_row(row: Extracted) -> EvalRow:
    return EvalRow(**_shared(row), reference=row.code)


_CONVERTERS: dict[str, Callable[[Extracted], Any]] = {EVALUATION: _eval_row, POOL: _sample_row}
