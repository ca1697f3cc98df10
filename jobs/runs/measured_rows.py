"""Rows without what differs from run to run, as results are stored; and what was left out, put back.

What calls took lies in a data set of its own (`call_rows`), what projects took, printed and saved in another: their
results without it are equal bytes for equal input.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from pipeline.execution.running.execute_stage import Executed, execution_of
from pipeline.execution.running.rows import ExecutedProject
from pipeline.records import Scored


def without_measures(record: Scored) -> Scored:
    """The record as it is stored among the results."""
    if record.calls:
        calls = [replace(call, measured=None) for call in record.calls]
        record = replace(record, calls=tuple(calls))
    if isinstance(record, Executed) and record.execution is not None:
        record = replace(record, execution=record.execution.without_measures())
    return record


def executions_of(records: Sequence[Scored]) -> Iterator[ExecutedProject]:
    """Of the records whose projects were run, how each run went."""
    for record in records:
        execution = execution_of(record)
        if execution is not None:
            yield execution


def with_executions_of(records: Iterable[Scored], executions: Iterable[ExecutedProject]) -> Iterator[Scored]:
    """The records with their projects' runs whole."""
    by_id = {execution.id: execution for execution in executions}
    for record in records:
        if isinstance(record, Executed) and record.id in by_id:
            record = replace(record, execution=by_id[record.id])
        yield record
