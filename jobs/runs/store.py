"""A run's folder: the staged input, one result file per shard of rows, and what is written at the end.

    input/part-000000.parquet     requirements as read, `shard_rows` a file
    input/staged.json            how many, their digest, the settings: written last, so its presence means "complete"
    begun/                       a marker for each shard in work
    results/part-000000.parquet   the same rows, finished; equal bytes for equal input and settings
    timings/part-000000.parquet   seconds per row and stage (apart, since they differ from run to run)
    calls/part-000000.parquet     each call to a language model: tokens, seconds, cost, from the cache or not
    calls/shared.parquet          those that all rows share (C-CoT's chains)
    executions/part-000000.parquet  with `execute=on` each project's run whole: times, the ends of its output, figures
    stopped                      why the run stops early; removed when it goes on
    failures.jsonl, manifest.json, report.html, projects/<id>/

A shard is done when its result file is there; files appear whole. So a killed run goes on where it was.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass

import pyarrow as pa

from jobs.runs.call_rows import CallRow, call_row, call_rows, with_measures
from jobs.runs.measured_rows import executions_of, with_executions_of, without_measures
from pipeline.calls import LLMCall
from pipeline.errors import DLCodeGenError
from pipeline.execution.running.execute_stage import Executed
from pipeline.execution.running.rows import ExecutedProject
from pipeline.foreign_text import json_line, without_secrets
from pipeline.records import Requirement, Scored
from pipeline.storage import shard_folder
from pipeline.storage.arrow import from_rows
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
from pipeline.storage.parquet import read_columns, read_records, read_table, write_records, write_table
from pipeline.storage.shard_folder import ShardFolder, in_shards, read_description, stage_shards, write_description

RUN_VERSION = 2
"""The layout of a run's folder. Raise it when files move or change their columns or meaning, so that an older program
does not mix its own into a newer run; then `stage` and the readers here have to take the older layout along."""

_SHARED = "shared.parquet"
_TIMINGS = pa.schema([("id", pa.string()), ("stage", pa.string()), ("seconds", pa.float64())])


@dataclass(frozen=True, kw_only=True, slots=True)
class Staged:
    """What was staged, as input/staged.json describes it."""

    input: str
    """The location that the rows were read from, without what is secret in it."""

    rows: int
    shards: int

    digest: str
    """Of all rows."""

    settings: str
    """The digest of the settings that decide the results."""

    sources: str
    """The fingerprints of what the run reads: input, pool, plans, planner, data, and the prompts of a model."""

    shard_rows: int
    """Rows of every shard but the last."""

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

        Raises DLCodeGenError where the folder belongs to another run, or to a newer version of this program.
        """
        staged = self.staged()
        if staged is not None:
            self._check(staged, source, settings, sources)
            return staged
        written = stage_shards(self._shards("input"), in_shards(rows, shard_rows), _write_input)
        staged = Staged(
            input=without_secrets(source),
            rows=written.rows,
            shards=written.shards,
            digest=written.digest,
            settings=settings,
            sources=sources,
            shard_rows=shard_rows,
        )
        write_description(self._path("input", "staged.json"), asdict(staged), RUN_VERSION)
        return staged

    def _check(self, staged: Staged, source: str, settings: str, sources: str) -> None:
        if without_secrets(staged.input) != without_secrets(source):
            raise DLCodeGenError(f"{self.folder} holds a run of {staged.input}; choose another --out for {source}")
        if staged.settings != settings:
            raise DLCodeGenError(
                f"{self.folder} holds a run with other settings (pool, plans, planner, retrieval or seed); "
                "choose another --out, or delete the folder to start over"
            )
        if staged.sources != sources:
            raise DLCodeGenError(
                f"the input, data, pool, plans or prompts have changed since the run in {self.folder} was begun; "
                "choose another --out, or delete the folder to start over"
            )

    def staged(self) -> Staged | None:
        """What was staged; None where no run was begun. Raises DLCodeGenError for a newer version's folder."""
        description = read_description(self._path("input", "staged.json"), RUN_VERSION, self.folder)
        return None if description is None else Staged(**description)

    def exists(self) -> bool:
        """Whether a run was begun in the folder."""
        return exists(self._path("input", "staged.json"))

    def pending(self, staged: Staged) -> list[int]:
        """Shards without a result file."""
        for name in ("", "timings", "calls", "executions"):
            remove_temporary(self._path(name))
        return self._shards("results").pending(staged.shards)

    def done_rows(self) -> frozenset[int]:
        """The input rows of finished shards."""
        rows: set[int] = set()
        for name in names_in(self._path("results")):
            table = read_columns(self._path("results", name), ["row"], RUN_VERSION)
            rows.update(table["row"].to_pylist())
        return frozenset(rows)

    def failure_kinds(self) -> Iterator[str | None]:
        """Of each finished row, in input order, the kind of its failure, or None: without reading what was written."""
        for name in names_in(self._path("results")):
            table = read_columns(self._path("results", name), ["failure"], RUN_VERSION)
            for failure in table["failure"].to_pylist():
                yield None if failure is None else failure["kind"]

    def stop(self, reason: str) -> None:
        """Tells all workers to begin no further shard."""
        write_bytes(self._path("stopped"), reason.encode())

    def stopped(self) -> str | None:
        """Why the run is to stop, or None."""
        path = self._path("stopped")
        if not exists(path):
            return None
        return read_bytes(path).decode()

    def go_on(self) -> None:
        """Takes a stop back."""
        remove(self._path("stopped"))

    def begun(self, shard: int, operator: int) -> AbstractContextManager[bool]:
        """Notes for a block that an operator has the shard in work.

        Gives True if it, or an earlier run, began it before and never finished.
        """
        return shard_folder.begun(self._path("begun", f"{shard:06d}-{operator}"))

    def read_input(self, shard: int) -> list[Requirement]:
        return read_records(self._shards("input").path(shard), Requirement, RUN_VERSION)

    def write_results(self, shard: int, records: Sequence[Scored], seconds: Sequence[dict[str, float]]) -> None:
        """Publishes a shard: timings and calls first, results last, since these mean that the shard is done."""
        timings: list[dict[str, object]] = []
        for record, stages in zip(records, seconds, strict=True):
            for stage, taken in stages.items():
                timings.append({"id": record.id, "stage": stage, "seconds": taken})
        write_table(self._shards("timings").path(shard), pa.Table.from_pylist(timings, schema=_TIMINGS), RUN_VERSION)
        calls = list(call_rows(records))
        if calls:
            write_records(self._shards("calls").path(shard), calls, CallRow, RUN_VERSION)
        kind: type[Scored] = Scored
        if any(isinstance(record, Executed) for record in records):
            kind = Executed
            executions = list(executions_of(records))
            write_records(self._shards("executions").path(shard), executions, ExecutedProject, RUN_VERSION)
        results = [without_measures(record) for record in records]
        write_records(self._shards("results").path(shard), results, kind, RUN_VERSION)

    def results(self, *, measured: bool = False) -> Iterator[Scored]:
        """All finished rows in input order, a shard in memory at a time; `measured` with what each call took and what
        each project printed and saved. Where projects were run (`execute=on`) they are Executed."""
        with_calls: set[str] = set()  # a shard whose rows asked no language model has no file of calls
        with_executions: set[str] = set()
        if measured:
            with_calls.update(names_in(self._path("calls")))
            with_executions.update(names_in(self._path("executions")))
        for name in names_in(self._path("results")):
            rows: Iterable[Scored] = self._records(name)
            if name in with_calls:
                rows = with_measures(rows, self._calls(name))
            if name in with_executions:
                executions = read_records(self._path("executions", name), ExecutedProject, RUN_VERSION)
                rows = with_executions_of(rows, executions)
            yield from rows

    def _records(self, name: str) -> Sequence[Scored]:
        """The rows of a result file, which says by its columns whether projects were run."""
        table = read_table(self._path("results", name), RUN_VERSION)
        kind = Executed if "execution" in table.column_names else Scored
        return from_rows(table.to_pylist(), kind)

    def note_calls(self, calls: Sequence[LLMCall]) -> None:
        """Keeps calls that all rows share; what an earlier start of the run has noted stays."""
        rows: list[CallRow] = []
        for number, call in enumerate(calls):
            if call.measured:
                rows.append(call_row("", number, call, call.measured))
        if rows and _SHARED not in names_in(self._path("calls")):
            write_records(self._path("calls", _SHARED), rows, CallRow, RUN_VERSION)

    def shared_calls(self) -> list[CallRow]:
        """The calls that all rows share."""
        if _SHARED not in names_in(self._path("calls")):
            return []
        return self._calls(_SHARED)

    def calls(self) -> Iterator[CallRow]:
        """All calls to language models: those made for finished rows, in input order, and the shared ones."""
        for name in names_in(self._path("calls")):
            yield from self._calls(name)

    def _calls(self, name: str) -> list[CallRow]:
        return read_records(self._path("calls", name), CallRow, RUN_VERSION)

    def stage_seconds(self) -> dict[str, float]:
        """Seconds spent in each stage, summed over all rows and workers."""
        totals: dict[str, float] = {}
        for name in names_in(self._path("timings")):
            for row in read_table(self._path("timings", name), RUN_VERSION).to_pylist():
                totals[row["stage"]] = totals.get(row["stage"], 0.0) + row["seconds"]
        return totals

    def write_failures(self, records: Iterable[Scored]) -> None:
        """Writes the records that failed to failures.jsonl, which is itself an input for `dlcodegen generate`."""
        with atomic_writer(self._path("failures.jsonl")) as stream:
            for record in records:
                if record.failure is not None:
                    stream.write(json_line(_failed_row(record)).encode() + b"\n")

    def write_projects(self) -> int:
        """Writes each generated project as a folder projects/<id>/; returns the number of projects."""
        count = 0
        for record in self.results():
            for file in record.files:
                write_bytes(self._path("projects", record.id, file.path), file.text.encode(), durable=False)
            count += bool(record.files)
        return count

    def _path(self, *names: str) -> str:
        return join(self.folder, *names)

    def _shards(self, name: str) -> ShardFolder:
        return ShardFolder(self._path(name))


def _write_input(url: str, rows: Sequence[Requirement]) -> None:
    write_records(url, rows, Requirement, RUN_VERSION)


def _failed_row(record: Scored) -> dict[str, object]:
    assert record.failure is not None
    row: dict[str, object] = {
        "id": record.id,
        "requirement": record.requirement,
        "attributes": record.attributes,
    }
    if record.reference is not None:
        row["reference"] = record.reference
    if record.data_folder:
        row |= {"data": record.data_folder, "target": list(record.data_target)}
    extra: dict[str, object] = json.loads(record.extra)
    return extra | row | {"failure": asdict(record.failure), "row": record.row}
