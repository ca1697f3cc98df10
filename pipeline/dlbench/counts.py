"""What a set of tasks consists of: counts by stage, task and data, and the traps in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.dlbench.task import DATA_KINDS, STAGES, TASK_KINDS, FunctionTask

NOT_GIVEN = "not given"


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskCounts:
    """Of a set of tasks."""

    tasks: int
    by_stage: dict[str, int]
    by_task: dict[str, int]
    by_data: dict[str, int]

    crossed: dict[tuple[str, str, str], int]
    """By stage, task and data together."""

    by_repository: dict[str, int]
    methods: int
    """Targets that stand in a class."""

    signatures: int
    """Prompts with a `def` in them: the others give no signature."""

    traps: dict[str, list[str]]
    """A trap -> the tasks that have it, with what was found."""


def count_tasks(tasks: Sequence[FunctionTask]) -> TaskCounts:
    """The counts, each in its usual order and what is not given last."""
    crossed = Counter((task.stage or NOT_GIVEN, task.task or NOT_GIVEN, task.data or NOT_GIVEN) for task in tasks)
    traps: dict[str, list[str]] = {}
    for task in tasks:
        for trap in task.traps:
            traps.setdefault(trap.kind.value, []).append(f"{task.id}: {trap.message}")
    return TaskCounts(
        tasks=len(tasks),
        by_stage=_in_order([task.stage for task in tasks], STAGES),
        by_task=_in_order([task.task for task in tasks], TASK_KINDS),
        by_data=_in_order([task.data for task in tasks], DATA_KINDS),
        crossed=dict(sorted(crossed.items())),
        by_repository=dict(Counter(task.repository or NOT_GIVEN for task in tasks).most_common()),
        methods=sum(bool(task.class_name) for task in tasks),
        signatures=sum("def " in task.prompt for task in tasks),
        traps=dict(sorted(traps.items())),
    )


def _in_order(values: Sequence[str], order: Sequence[str]) -> dict[str, int]:
    counts = Counter(values)
    ordered = {value: counts[value] for value in order if counts[value]}
    if counts[""]:
        ordered[NOT_GIVEN] = counts[""]
    return ordered
