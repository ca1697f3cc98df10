"""How far each method's projects came when they were run, as rows of a table: a rung a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline.execution.ladder import RUNGS, RungOutcome
from pipeline.execution.running.execute_stage import execution_of
from pipeline.measures.outputs import MethodName, is_machinery
from pipeline.records import Scored


@dataclass(frozen=True, kw_only=True, slots=True)
class ProjectOutcome:
    """What became of one item's project."""

    item: str

    machinery_failed: bool
    """Whether that says nothing about the method: it was not run to its end, or its project was not (`infra`)."""

    infra: bool
    """Whether the project's run was what failed."""

    outcomes: tuple[RungOutcome, ...] = ()
    """One for each of RUNGS; () without a project."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ExecutionRow:
    """How many of a method's items have a project that reaches a rung. An item without a project reaches none; one
    that the machinery failed is in no share, nor one of which the rung is not measurable."""

    table: str
    model: str
    method: str
    asked: int
    executed: int
    """Items with a project that was run, infra included."""
    infra: int
    """Projects whose run the machinery failed."""
    rung: str
    not_measurable: int
    of: int
    """Items of which the rung can be told."""
    reached: int
    share: float | None
    """The second over the first, in [0, 1]."""


def outcome_of(record: Scored) -> ProjectOutcome:
    """The record's project. Of a row that has none because of the machinery nothing is known."""
    executed = execution_of(record)
    if executed is None:
        failed = record.failure is not None and is_machinery(record.failure)
        return ProjectOutcome(item=record.id, machinery_failed=failed, infra=False)
    outcomes = tuple(rung.outcome for rung in executed.rungs)
    infra = bool(executed.infra)
    return ProjectOutcome(item=record.id, machinery_failed=infra, infra=infra, outcomes=outcomes)


OutcomesByMethod = Mapping[MethodName, Sequence[ProjectOutcome]]
"""The outcomes of each method whose projects were run."""


def execution_rows(outcomes_of: OutcomesByMethod) -> Iterator[ExecutionRow]:
    """A row for each method and rung, from the bottom up."""
    for name, items in outcomes_of.items():
        for number, rung in enumerate(RUNGS):
            yield _row(name, rung.value, number, items)


def _row(name: MethodName, rung: str, number: int, items: Iterable[ProjectOutcome]) -> ExecutionRow:
    counts: Counter[str] = Counter()
    for item in items:
        counts["asked"] += 1
        counts["executed"] += bool(item.outcomes)
        counts["infra"] += item.infra
        if item.machinery_failed:
            continue
        outcome = item.outcomes[number] if item.outcomes else "failed"
        counts["of"] += outcome != "not_measurable"
        counts[outcome] += 1
    return ExecutionRow(
        **name._asdict(),
        asked=counts["asked"],
        executed=counts["executed"],
        infra=counts["infra"],
        rung=rung,
        not_measurable=counts["not_measurable"],
        of=counts["of"],
        reached=counts["reached"],
        share=counts["reached"] / counts["of"] if counts["of"] else None,
    )
