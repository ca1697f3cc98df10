"""What a method reached on the tasks: a result a task, shares a category."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import TypeAdapter

from pipeline.comparison.statistics import Interval, wilson
from pipeline.hidden_tests.grading import Grade


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskResult:
    """One project on one task."""

    task: str
    category: str

    grade: Grade
    """Of a row without a project: its failure, and no rung."""

    generated: bool = True
    """Whether there is a project."""

    sample: str = ""
    """The sample that it was written from; "" where there was none."""

    reached: str = ""
    """The highest rung of the ladder that the run came to (docs/execution.md)."""

    exception: str = ""
    """The kind of the exception that ended it; "" where none did."""

    cpu_seconds: float = 0.0
    """Of the project's run."""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class Shares:
    """How many of some tasks reach each rung; all tasks are the denominator of each."""

    name: str
    """The category, or `all`."""

    tasks: int
    generated: int
    runs: int

    scored: int
    """Predictions that can be read."""

    learnt: int
    reaches: int

    pass_at_1: Interval
    """Share of the tasks on which the one project reaches the reference, with its 95 % interval (Wilson, 1927)."""


def result_of(value: object) -> TaskResult:
    """A result from what `as_json` gave. Raises ValueError (pydantic's) for anything else."""
    return TypeAdapter(TaskResult).validate_python(value)


def shares_of(results: Sequence[TaskResult]) -> list[Shares]:
    """By category in the order in which they come, then all."""
    categories = dict.fromkeys(result.category for result in results)
    rows = [_shares(name, [result for result in results if result.category == name]) for name in categories]
    return [*rows, _shares("all", results)] if results else []


def failures_of(results: Iterable[TaskResult]) -> list[tuple[str, int]]:
    """Kinds of failure, the most frequent first; of errors with the kind of the exception."""
    kinds: Counter[str] = Counter()
    for result in results:
        if result.grade.failure == "error" and result.exception:
            kinds[f"error: {result.exception}"] += 1
        elif result.grade.failure:
            kinds[result.grade.failure] += 1
    return kinds.most_common()


def _shares(name: str, results: Sequence[TaskResult]) -> Shares:
    grades = [result.grade for result in results]
    reaches = sum(grade.reaches for grade in grades)
    return Shares(
        name=name,
        tasks=len(grades),
        generated=sum(result.generated for result in results),
        runs=sum(grade.runs for grade in grades),
        scored=sum(grade.score is not None for grade in grades),
        learnt=sum(grade.learnt for grade in grades),
        reaches=reaches,
        pass_at_1=wilson(reaches, len(grades)),
    )
