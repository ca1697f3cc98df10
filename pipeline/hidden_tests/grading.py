"""What a run on a task is worth: whether it ran, learnt, and reached the reference."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.errors import StageFailure
from pipeline.hidden_tests.metrics import METRICS
from pipeline.hidden_tests.predictions import read, truth
from pipeline.hidden_tests.running import written
from pipeline.hidden_tests.task import Task, TaskData
from pipeline.sandbox.sandbox import Execution


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """What scores are compared with; they come from the task's certificate."""

    trivial: float
    """A score that is no better has learnt nothing: the best constant, or what luck gives 99 of 100 times."""

    reference: float
    """The mean of the reference's seeds, less two standard errors."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Grade:
    """How a project fared on a task. The three rungs: it `runs`, it has `learnt`, it `reaches` the reference."""

    runs: bool = False
    """Ended by itself without an error, within its limits."""

    score: float | None = None
    """By the task's metric; None without predictions that can be read."""

    learnt: bool = False
    reaches: bool = False

    failure: str = ""
    """A snake_case word for why there is no score; "" where there is one."""

    message: str = ""
    """The same in plain words."""


def grade(task: Task, data: TaskData, execution: Execution, bounds: Bounds) -> Grade:
    """The grade of a run that was to write `predictions.csv`."""
    try:
        score = score_of(task, data, written(execution))
    except StageFailure as failure:
        return Grade(runs=execution.ok, failure=failure.kind, message=str(failure))
    return graded(task, score, bounds)


def graded(task: Task, score: float, bounds: Bounds) -> Grade:
    """The grade of a score."""
    metric = METRICS[task.metric]
    learnt = metric.better(score, bounds.trivial)
    reaches = learnt and not metric.better(bounds.reference, score)
    return Grade(runs=True, score=score, learnt=learnt, reaches=reaches)


def score_of(task: Task, data: TaskData, text: str) -> float:
    """The score of a file of predictions. Raises StageFailure with the kind of what is wrong with it."""
    return METRICS[task.metric](truth(data, task.kind), read(text, data, task.kind))
