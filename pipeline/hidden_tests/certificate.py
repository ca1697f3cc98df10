"""Where a task's bounds come from, and what shows that they mean what they say."""

from __future__ import annotations

import json
import math
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

from pipeline.comparison.statistics import mean_and_standard_error
from pipeline.errors import DLCodeGenError, FaultError, StageFailure
from pipeline.hidden_tests.baselines import guesses, lucky_score, trivial_predictions, trivial_score
from pipeline.hidden_tests.draw import Array
from pipeline.hidden_tests.grading import Bounds, grade, graded, score_of
from pipeline.hidden_tests.metrics import METRICS
from pipeline.hidden_tests.predictions import MOST_BYTES, read, truth
from pipeline.hidden_tests.references import reference_of
from pipeline.hidden_tests.running import DATA_FOLDER, RUN_LIMITS, run_on_data, written
from pipeline.hidden_tests.task import Task, TaskData
from pipeline.records import SCRIPT, SourceFile
from pipeline.sandbox.sandbox import Execution, Limits, Sandbox

SEEDS = (0, 1, 2, 3, 4)
"""Runs of the reference that its bound is the mean of."""

FRESH_SEEDS = (5, 6, 7)
"""Further runs, which have to pass the bound."""

CONTROLS = (1, 2, 3)
"""Ways in which the training examples' targets change places, a run of the reference each."""

MORE_CONTROLS = tuple(range(1, 13))
"""Those where the first three do not look like chance. Two groups that are far apart fall whole to one class or the
other, so that three runs are all better than chance every eighth time."""

_RESAMPLES = 40

_GUESSES = range(5)
"""Seeds of the guesses."""

_ENTRY = "each_run.py"

_EACH_RUN = """\
import importlib, os, project
for name, folder, seed in RUNS:
    os.environ["DATA_DIR"] = folder
    importlib.reload(project).predictions(seed).to_csv(name, index=False)
"""

_PROBE = """\
import os
try:
    import pipeline.hidden_tests
    raise SystemExit("the package that makes the answers can be imported")
except ImportError:
    pass
for folder in FOLDERS:
    if os.path.exists(folder):
        raise SystemExit("the package that makes the answers can be seen")
"""


class Certificate(BaseModel):
    """A task's bounds, and whether it does what a task has to do."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: str
    """Digest of the data for which it holds."""

    metric: str
    trivial: float
    reference: float
    """Both bounds, as in `Bounds`."""

    mean: float
    """Of the reference's seeds."""

    best_constant: float
    fresh: tuple[float, ...]
    """Scores of the reference's further seeds."""

    control: tuple[float, ...]
    """Scores of the reference that learnt from targets which had changed places, each time in another way."""

    cpu_seconds: float
    """Of one run of the reference, its imports included."""

    has_room: bool
    """The reference's bound is better than the trivial one."""

    reference_passes: bool
    """The mean of the further seeds reaches the bound."""

    trivial_fails: bool
    """Neither constants nor guesses that look at no input count as learnt."""

    empty_fails: bool
    """A project that does nothing has no score."""

    answers_hidden: bool
    """From inside of the sandbox there is no way to what makes the answers."""

    control_at_chance: bool
    """The mean of the controls, less two standard errors, does not count as learnt."""

    @property
    def holds(self) -> bool:
        return not self.broken

    @property
    def broken(self) -> list[str]:
        """The names of what does not hold."""
        return [name for name, value in self if value is False]

    @property
    def bounds(self) -> Bounds:
        return Bounds(trivial=self.trivial, reference=self.reference)


def certify(task: Task, sandbox: Sandbox, *, answers_hidden: bool) -> Certificate:
    """Runs the task's reference, the control and an empty project in the sandbox, of which `answers_are_hidden`.

    Raises StageFailure where the reference gives no predictions.
    """
    certificate = _certify(task, sandbox, CONTROLS, answers_hidden=answers_hidden)
    if not certificate.control_at_chance:
        certificate = _certify(task, sandbox, MORE_CONTROLS, answers_hidden=answers_hidden)
    return certificate


def _certify(task: Task, sandbox: Sandbox, controlled: Sequence[int], *, answers_hidden: bool) -> Certificate:
    data, metric = task.data(), METRICS[task.metric]
    controls = [task.data(control=number) for number in controlled]
    runs, execution = _reference_runs(task, data, controls, sandbox)
    scores = [score_of(task, data, output) for output in runs[: len(SEEDS) + len(FRESH_SEEDS)]]
    control = [score_of(task, one, output) for one, output in zip(controls, runs[len(scores) :], strict=True)]
    fresh = scores[len(SEEDS) :]
    mean, spread = mean_and_standard_error(scores[: len(SEEDS)])
    answers = truth(data, task.kind)
    predictions = [read(output, data, task.kind) for output in runs[: len(SEEDS)]]
    constant = trivial_score(task, data)
    # Other seeds and other test examples both move a score, so both count as error.
    error = math.hypot(spread, _error_of_the_test(task, answers, predictions))
    bounds = Bounds(
        trivial=metric.best(constant, lucky_score(metric, answers, predictions[0])),
        reference=mean - 2 * error if metric.higher_is_better else mean + 2 * error,
    )
    return Certificate(
        data=data.digest(),
        metric=task.metric,
        trivial=_short(bounds.trivial),
        reference=_short(bounds.reference),
        mean=_short(mean),
        best_constant=_short(constant),
        fresh=tuple(_short(score) for score in fresh),
        control=tuple(_short(score) for score in control),
        cpu_seconds=round(execution.cpu_seconds / len(runs), 1),
        has_room=metric.better(bounds.reference, bounds.trivial),
        reference_passes=graded(task, float(np.mean(fresh)), bounds).reaches,
        trivial_fails=trivial_fails(task, data, bounds),
        empty_fails=grade(task, data, _empty_run(data, sandbox), bounds).failure == "no_predictions",
        answers_hidden=answers_hidden,
        control_at_chance=not graded(task, _low_end(task, control), bounds).learnt,
    )


def trivial_fails(task: Task, data: TaskData, bounds: Bounds) -> bool:
    """Whether neither constants nor guesses, which the bounds were not made of, count as learnt."""
    metric, answers = METRICS[task.metric], truth(data, task.kind)
    constants = [metric(answers, predictions) for predictions in trivial_predictions(data, task.kind)]
    guessed = [score_of(task, data, guesses(data, task.kind, seed).to_csv(index=False)) for seed in _GUESSES]
    return not any(graded(task, score, bounds).learnt for score in [*constants, float(np.mean(guessed))])


def answers_are_hidden(sandbox: Sandbox) -> bool:
    """Whether a program in the sandbox finds neither this package nor its folder. Raises FaultError where none runs."""
    probe = f"FOLDERS = {[str(Path(__file__).parent)]!r}\n{_PROBE}"
    try:
        return sandbox.run([SourceFile(path=SCRIPT, text=probe)], SCRIPT, Limits()).ok
    except StageFailure as failure:
        raise FaultError(f"projects cannot be run here: {failure}") from failure


def _reference_runs(
    task: Task, data: TaskData, controls: Sequence[TaskData], sandbox: Sandbox
) -> tuple[list[str], Execution]:
    """What the reference writes with each seed, then with each control; all in one process, since importing takes
    longer than most of its runs."""
    control_folders = [f"control-{number}" for number in range(1, len(controls) + 1)]
    runs = [(f"predictions-{seed}.csv", DATA_FOLDER, seed) for seed in (*SEEDS, *FRESH_SEEDS)]
    runs += [(f"{name}.csv", name, number) for number, name in enumerate(control_folders, 1)]
    names = [name for name, _, _ in runs]
    project = [reference_of(task, data), SourceFile(path=_ENTRY, text=f"RUNS = {runs}\n{_EACH_RUN}")]
    with tempfile.TemporaryDirectory(prefix="dlcodegen-task-") as root:
        given = {DATA_FOLDER: Path(root, DATA_FOLDER)}
        given |= {name: Path(root, name) for name in control_folders}
        for folder, one in zip(given.values(), [data, *controls], strict=True):
            one.write(folder)
        limits = replace(RUN_LIMITS, cpu_seconds=300.0, result_bytes=MOST_BYTES * len(names))
        execution = sandbox.run(project, _ENTRY, limits, given=given, results=names)
    return [written(execution, name) for name in names], execution


def _empty_run(data: TaskData, sandbox: Sandbox) -> Execution:
    """A project that does nothing."""
    with tempfile.TemporaryDirectory(prefix="dlcodegen-task-") as root:
        data.write(Path(root))
        return run_on_data(sandbox, [SourceFile(path=SCRIPT, text="")], SCRIPT, Path(root))


def _low_end(task: Task, scores: Sequence[float]) -> float:
    """The mean of scores, less two standard errors; more, where less is better."""
    mean, error = mean_and_standard_error(scores)
    return mean - 2 * error if METRICS[task.metric].higher_is_better else mean + 2 * error


def _error_of_the_test(task: Task, answers: Array, predictions: Sequence[Array]) -> float:
    """The standard error of a score for the choice of the test examples: bootstrap, the mean over the seeds. At
    least one example: where the reference errs nowhere, resamples do not differ."""
    metric, rng = METRICS[task.metric], np.random.default_rng(0)
    errors = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # resamples that lack a class
        for one in predictions:
            scores = []
            for _ in range(_RESAMPLES):
                chosen = rng.integers(len(answers), size=len(answers))
                scores.append(metric(answers[chosen], one[chosen]))
            errors.append(np.nanstd(scores, ddof=1))
    least = 1 / len(answers) if metric.higher_is_better else 0.0
    return max(float(np.mean(errors)), least)


def _short(value: float) -> float:
    return float(f"{value:.6g}")


@cache
def certificates() -> Mapping[str, Certificate]:
    """`read_certificates`, read once."""
    return read_certificates()


def read_certificates() -> dict[str, Certificate]:
    """Those of `certificates.json` as it is now, by the task's id."""
    text = (files("pipeline.hidden_tests") / "certificates.json").read_text("utf-8")
    return {name: Certificate.model_validate(entry) for name, entry in json.loads(text).items()}


def as_json(certified: Mapping[str, Certificate]) -> str:
    """The text of `certificates.json`: a line a task, in the order of their ids."""
    lines = [f"{json.dumps(name)}: {certified[name].model_dump_json()}" for name in sorted(certified)]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def certificate_of(task: Task, data: TaskData) -> Certificate:
    """The task's certificate. Raises DLCodeGenError where there is none, or one for other data: versions of numpy or
    scikit-learn may draw others."""
    certificate = certificates().get(task.id)
    if certificate is None or certificate.data != data.digest():
        why = "has no certificate" if certificate is None else "has other data here than when it was certified"
        raise DLCodeGenError(f"task {task.id} {why}; certify it on this machine: dlcodegen bench certify {task.id}")
    return certificate
