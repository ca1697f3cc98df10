"""What batch jobs tell their operator in numbers, by Ray's metrics exporter (docs/clusters.md)."""

from __future__ import annotations

from collections.abc import Mapping

import ray

from pipeline.measures.call_totals import CallTotals
from pipeline.monitoring import JOB_ROWS, ROWS, STAGE_SECONDS
from pipeline.records import Requirement
from serving.instruments import Spent, counter, gauge, histogram


class RowMetrics:
    """The rows that a worker ends. Made in the worker."""

    def __init__(self) -> None:
        self._rows, self._stages, self._spent = counter(ROWS), histogram(STAGE_SECONDS), Spent()

    def ended(self, record: Requirement, seconds: Mapping[str, float]) -> None:
        """A row has ended, after so many seconds in each stage."""
        self._rows.inc(tags={"status": "done" if record.failure is None else record.failure.kind})
        for stage, took in seconds.items():
            self._stages.observe(took, tags={"stage": stage})
        totals = CallTotals.paid(record.calls)
        self._spent.add(totals.prompt_tokens, totals.completion_tokens, totals.cost)


class JobMetrics:
    """How far a job is, as its driver says again and again: a gauge that is silent is forgotten. Without Ray nobody is
    told."""

    def __init__(self, job: str, total: int) -> None:
        self._rows = gauge(JOB_ROWS) if ray.is_initialized() else None
        self._job, self._total = job, total

    def show(self, done: int, failed: int) -> None:
        if self._rows is None:
            return
        for state, rows in (("total", self._total), ("done", done), ("failed", failed)):
            self._rows.set(rows, tags={"batch_job": self._job, "state": state})
