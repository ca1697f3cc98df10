"""A run's folder: the staged input, one result file per shard of rows, and what is written at the end.

    input/part-000000.parquet     requirements as read, `shard_rows` a file
    input/staged.json            how many, their digest, the settings: written last, so its presence means "complete"
    begun/                       a marker for each shard in work
    results/part-000000.parquet   the same rows, finished; equal bytes for equal input and settings
    timings/part-000000.parquet   seconds per row and stage (apart, since they differ from run to run)
    calls/part-000000.parquet     each call to a language model: tokens, seconds, cost, from the cache or not
    calls/shared.parquet          those that all rows share (C-CoT's chains)
    stopped                      why the run stops early; removed when it goes on
    failures.jsonl, manifest.json, report.html, projects/<id>/

A shard is done when its result file is there; files appear whole. So a killed run goes on where it was.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.runs.call_rows import CallRow, call_row, call_rows, with_measures, without_measures
from pipeline.errors import DLCodeGenError
from pipeline.records import LLMCall, Requirement, Scored
from pipeline.storage.arrow import from_rows, to_table
from pipeline.storage.files import (
    atomic_writer,
    exists,
    join,
    names_in,
    read_bytes,
    remove,
    remove_temporary,
    write_bytes,
)

_SHARED = "shared.parquet"
_TIMINGS = pa.schema([("id", pa.string()), ("stage", pa.string()), ("seconds", pa.float64())])


@dataclass(frozen=True, kw_only=True, slots=True)
class Staged:
    """What was staged: rows, shards of `shard_rows`, a digest of all rows, and what the run belongs to: the settings'
    digest and the fingerprint of the files it reads (input, pool, plans)."""

    input: str
    rows: int
    shards: int
    digest: str
    settings: str
    sources: str
    shard_rows: int

    def rows_in(self, shard: int) -> int:
        return min(self.shard_rows, self.rows - shard * self.shard_rows)


@dataclass(frozen=True, slots=True)
class RunStore:
    """The folder of one run, on disk or any fsspec URL. Small enough to be sent to every worker."""

    folder: str

    def stage(
        self, rows: Iterable[Requirement], source: str, settings: str, shard_rows: int, sources: str = ""
    ) -> Staged:
        """Writes the input as shards, once. A run that was staged before is checked to be the same instead.

        Raises DLCodeGenError where the folder belongs to another run.
        """
        marker = join(self.folder, "input", "staged.json")
        if exists(marker):
            staged = Staged(**json.loads(read_bytes(marker)))
            self._check(staged, source, settings, sources)
            return staged
        try:
            write_bytes(join(self.folder, "input", ".begun"), b"")
        except OSError as error:
            raise DLCodeGenError(f"--out {self.folder}: cannot be written ({error}); choose another folder") from error
        remove_temporary(join(self.folder, "input"))
        digest, count, shard = hashlib.sha256(), 0, 0
        iterator = iter(rows)
        while chunk := list(islice(iterator, shard_rows)):
            for row in chunk:
                digest.update(repr(row).encode("utf-8", "surrogatepass"))
            _write_table(join(self.folder, "input", _part(shard)), to_table(chunk, Requirement))
            count, shard = count + len(chunk), shard + 1
        staged = Staged(
            input=source,
            rows=count,
            shards=shard,
            digest=digest.hexdigest()[:16],
            settings=settings,
            sources=sources,
            shard_rows=shard_rows,
        )
        write_bytes(marker, _json(asdict(staged)))
        return staged

    def _check(self, staged: Staged, source: str, settings: str, sources: str) -> None:
        if staged.input != source:
            raise DLCodeGenError(f"{self.folder} holds a run of {staged.input}; choose another --out for {source}")
        if staged.settings != settings:
            raise DLCodeGenError(
                f"{self.folder} holds a run with other settings (pool, plans, planner, retrieval or seed); "
                "choose another --out, or delete the folder to start over"
            )
        if staged.sources != sources:
            raise DLCodeGenError(
                f"the input, pool or plans have changed since the run in {self.folder} was begun; "
                "choose another --out, or delete the folder to start over"
            )

    def exists(self) -> bool:
        """Whether a run was begun in the folder."""
        return exists(join(self.folder, "input", "staged.json"))

    def pending(self, staged: Staged) -> list[int]:
        """Shards without a result file."""
        for name in ("", "results", "timings", "calls"):
            remove_temporary(join(self.folder, name))
        done = set(names_in(join(self.folder, "results")))
        return [shard for shard in range(staged.shards) if _part(shard) not in done]

    def done_rows(self) -> frozenset[int]:
        """The input rows of finished shards."""
        done = names_in(join(self.folder, "results"))
        return frozenset(row["row"] for name in done for row in _read_rows(join(self.folder, "results", name), ["row"]))

    def stop(self, reason: str) -> None:
        """Tells all workers to begin no further shard."""
        write_bytes(join(self.folder, "stopped"), reason.encode())

    def stopped(self) -> str | None:
        """Why the run is to stop, or None."""
        path = join(self.folder, "stopped")
        return read_bytes(path).decode() if exists(path) else None

    def go_on(self) -> None:
        remove(join(self.folder, "stopped"))

    def begin(self, shard: int, operator: int) -> bool:
        """Notes that an operator begins a shard; True if it, or an earlier run, began it before and never finished."""
        marker = join(self.folder, "begun", f"{shard:06d}-{operator}")
        before = exists(marker)
        if not before:
            write_bytes(marker, b"")
        return before

    def end(self, shard: int, operator: int) -> None:
        """Notes that the operator is through with the shard."""
        remove(join(self.folder, "begun", f"{shard:06d}-{operator}"))

    def read_input(self, shard: int) -> list[Requirement]:
        return from_rows(_read_rows(join(self.folder, "input", _part(shard))), Requirement)

    def write_results(self, shard: int, records: Sequence[Scored], seconds: Sequence[dict[str, float]]) -> None:
        """Publishes a shard: timings and calls first, results last, since these mean that the shard is done."""
        timings = [
            {"id": record.id, "stage": stage, "seconds": taken}
            for record, stages in zip(records, seconds, strict=True)
            for stage, taken in stages.items()
        ]
        _write_table(join(self.folder, "timings", _part(shard)), pa.Table.from_pylist(timings, schema=_TIMINGS))
        if calls := list(call_rows(records)):
            _write_table(join(self.folder, "calls", _part(shard)), to_table(calls, CallRow))
        _write_table(join(self.folder, "results", _part(shard)), to_table([*map(without_measures, records)], Scored))

    def results(self, *, measured: bool = False) -> Iterator[Scored]:
        """All finished rows in input order, a shard in memory at a time; `measured` with what each call took."""
        with_calls = set(names_in(join(self.folder, "calls"))) if measured else set()
        for name in names_in(join(self.folder, "results")):
            rows = from_rows(_read_rows(join(self.folder, "results", name)), Scored)
            yield from with_measures(rows, self._calls(name)) if name in with_calls else rows

    def note_calls(self, calls: Sequence[LLMCall]) -> None:
        """Keeps calls that all rows share; what an earlier start of the run has noted stays."""
        rows = [call_row("", number, call, call.measured) for number, call in enumerate(calls) if call.measured]
        if rows and _SHARED not in names_in(join(self.folder, "calls")):
            _write_table(join(self.folder, "calls", _SHARED), to_table(rows, CallRow))

    def shared_calls(self) -> list[CallRow]:
        """The calls that all rows share."""
        return self._calls(_SHARED) if _SHARED in names_in(join(self.folder, "calls")) else []

    def calls(self) -> Iterator[CallRow]:
        """All calls to language models: those made for finished rows, in input order, and the shared ones."""
        for name in names_in(join(self.folder, "calls")):
            yield from self._calls(name)

    def _calls(self, name: str) -> list[CallRow]:
        return from_rows(_read_rows(join(self.folder, "calls", name)), CallRow)

    def stage_seconds(self) -> dict[str, float]:
        """Seconds spent in each stage, summed over all rows and workers."""
        totals: dict[str, float] = {}
        for name in names_in(join(self.folder, "timings")):
            for row in _read_rows(join(self.folder, "timings", name)):
                totals[row["stage"]] = totals.get(row["stage"], 0.0) + row["seconds"]
        return totals

    def write_failures(self, records: Iterable[Scored]) -> None:
        """Writes the records that failed to failures.jsonl, which is itself an input for `dlcodegen generate`."""
        with atomic_writer(join(self.folder, "failures.jsonl")) as stream:
            for record in records:
                if record.failure is not None:
                    stream.write(_json(_failed_row(record)) + b"\n")

    def write_projects(self) -> int:
        """Writes each generated project as a folder projects/<id>/; returns the number of projects."""
        count = 0
        for record in self.results():
            for file in record.files:
                write_bytes(join(self.folder, "projects", record.id, file.path), file.text.encode())
            count += bool(record.files)
        return count

    def write_json(self, name: str, value: dict[str, Any]) -> str:
        path = join(self.folder, name)
        write_bytes(path, json.dumps(value, indent=2, ensure_ascii=False).encode() + b"\n")
        return path


def _failed_row(record: Scored) -> dict[str, object]:
    assert record.failure is not None
    row: dict[str, object] = {"id": record.id, "requirement": record.requirement, "attributes": record.attributes}
    if record.reference is not None:
        row["reference"] = record.reference
    extra: dict[str, object] = json.loads(record.extra)
    return extra | row | {"failure": asdict(record.failure), "row": record.row}


def _part(shard: int) -> str:
    return f"part-{shard:06d}.parquet"


def _write_table(url: str, table: pa.Table) -> None:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    write_bytes(url, buffer.getvalue(), durable=True)


def _read_rows(url: str, columns: list[str] | None = None) -> list[dict[str, Any]]:
    # A shard is small and in memory; Arrow's threads would only get in the way of a process that ends early.
    table = pq.read_table(io.BytesIO(read_bytes(url)), columns=columns, use_threads=False, pre_buffer=False)
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace")
