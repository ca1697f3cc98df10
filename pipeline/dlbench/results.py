"""What a run came to: pass@k with intervals by group, what each way of choosing is worth, the control experiment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.comparison.statistics import Interval
from pipeline.dlbench.agreement.choosing import all_worths
from pipeline.dlbench.agreement.control import ControlTask, Drawn, Effect, effects
from pipeline.dlbench.agreement.matrix import Matrix
from pipeline.dlbench.cells import CellResult
from pipeline.dlbench.certifying import Certificate
from pipeline.dlbench.mutation.operators import ORIGINAL
from pipeline.dlbench.statistics import clustered_mean, pass_at_k
from pipeline.dlbench.task import FunctionTask


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskRun:
    """A certified task with all that was drawn for it."""

    task: FunctionTask
    certificate: Certificate
    suites: tuple[tuple[int, ...], ...]
    """The generated tests of each reply."""

    tests: tuple[str, ...]
    """The generated tests as text."""

    cells: tuple[CellResult, ...]
    """In their order; those that the machinery failed are not among them."""

    def of(self, operator: str) -> list[CellResult]:
        return [cell for cell in self.cells if cell.operator == operator]

    def mutated(self) -> list[CellResult]:
        return [cell for cell in self.cells if cell.operator != ORIGINAL]

    def drawn(self, cells: Sequence[CellResult]) -> Drawn:
        passes = tuple(frozenset(cell.generated_passed) for cell in cells)
        matrix = Matrix(passes=passes, tests=len(self.tests), suites=self.suites)
        return Drawn(correct=tuple(cell.correct for cell in cells), matrix=matrix)


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """pass@1 of a group of tasks, with its interval."""

    group: str
    value: str
    tasks: int
    interval: Interval


def original_runs(runs: Sequence[TaskRun]) -> list[TaskRun]:
    """The tasks with at least one candidate of the original prompt that was run."""
    return [run for run in runs if run.of(ORIGINAL)]


def pass_rates(runs: Sequence[TaskRun], k: int) -> list[float] | None:
    """pass@k of each task with the original prompt; None where a task has fewer samples."""
    rates = []
    for run in original_runs(runs):
        cells = run.of(ORIGINAL)
        if len(cells) < k:
            return None
        rates.append(pass_at_k(len(cells), sum(cell.correct for cell in cells), k))
    return rates


def pass_shares(runs: Sequence[TaskRun]) -> list[Share]:
    """pass@1, 3, 5 and 10 of all tasks, then pass@1 by stage, task, data and repository."""
    shares = []
    chosen = original_runs(runs)
    if not chosen:
        return []
    clusters = [run.task.repository for run in chosen]
    for k in (1, 3, 5, 10):
        rates = pass_rates(chosen, k)
        if rates is not None:
            shares.append(
                Share(group="all", value=f"pass@{k}", tasks=len(rates), interval=clustered_mean(rates, clusters))
            )
    fields: dict[str, Callable[[FunctionTask], str]] = {
        "stage": lambda task: task.stage,
        "task": lambda task: task.task,
        "data": lambda task: task.data,
        "repository": lambda task: task.repository,
    }
    for group, value_of in fields.items():
        for value in dict.fromkeys(value_of(run.task) for run in chosen):
            part = [run for run in chosen if value_of(run.task) == value]
            rates = pass_rates(part, 1) or []
            interval = clustered_mean(rates, [run.task.repository for run in part])
            shares.append(Share(group=group, value=value or "not given", tasks=len(part), interval=interval))
    return shares


def choices(runs: Sequence[TaskRun]) -> dict[str, Interval]:
    """pass@1 of each way of choosing among the candidates of the original prompt, and the oracle's."""
    chosen = original_runs(runs)
    values: dict[str, list[float]] = {}
    for run in chosen:
        drawn = run.drawn(run.of(ORIGINAL))
        for name, worth in all_worths(drawn.matrix, drawn.correct).items():
            values.setdefault(name, []).append(worth)
    clusters = [run.task.repository for run in chosen]
    return {name: clustered_mean(worths, clusters) for name, worths in values.items()}


def control_tasks(runs: Sequence[TaskRun]) -> list[ControlTask]:
    """The tasks that have as many candidates of variants as of the original: others would compare more calls."""
    tasks = []
    for run in runs:
        original, mutated = run.of(ORIGINAL), run.mutated()
        if original and len(original) == len(mutated):
            tasks.append(
                ControlTask(
                    task=run.task.id,
                    repository=run.task.repository,
                    original=run.drawn(original),
                    mutated=run.drawn(mutated),
                )
            )
    return tasks


def effects_of(runs: Sequence[TaskRun]) -> list[Effect]:
    """Operator x stage x kind of failure, of the first candidate of each."""
    rows = []
    for run in original_runs(runs):
        first = run.of(ORIGINAL)[0]
        for operator in dict.fromkeys(cell.operator for cell in run.mutated()):
            rows.append((operator, run.task.stage, first.status, run.of(operator)[0].status))
    return effects(rows)


def status_counts(runs: Sequence[TaskRun]) -> Mapping[str, int]:
    """How candidates ended, the most frequent first."""
    return dict(Counter(cell.status for run in runs for cell in run.cells).most_common())


ANCHORS = (
    ("GPT-4o", 31.0, "520 tasks"),
    ("Claude 3.5 Sonnet", 28.0, "520 tasks"),
    ("LLaMA 3.1 70B", 21.0, "520 tasks"),
    ("Mistral 7B", 15.0, "520 tasks"),
    ("o3-mini", 35.1, "520 tasks"),
    ("Claude Sonnet 4.6", 37.8, "415 tasks whose reference passed"),
    ("gpt-oss-120b", 22.7, "415 tasks whose reference passed"),
    ("Llama 3.3 70B", 19.0, "415 tasks whose reference passed"),
)
"""Published pass@1 in percent (the thesis, and a later zero-shot run): other tasks and harnesses, beside ours."""
