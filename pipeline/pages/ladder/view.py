"""What a page shows of one project's run: its rungs, what ended it, what was observed, the log's end, its figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from pipeline.execution.observation import Observation, ObservedTraining
from pipeline.execution.running.plots import Plot
from pipeline.execution.running.rows import ExecutedProject
from pipeline.execution.wording import run_words, rung_words
from pipeline.pages.report_text import clip, clip_lines

_TAIL_CHARACTERS, _TAIL_LINES = 6_000, 60
"""Of the end of each output."""

_PLOTS, _PLOT_CHARACTERS = 2, 200_000
"""Figures shown of a project, and how large each may be in base64: a report of a hundred rows stays some megabytes."""

_OBSERVATION_CHARACTERS = 200_000
_ENTRIES = 40


def bounded(executed: ExecutedProject) -> ExecutedProject:
    """The run with no more than a page shows of it: what many rows hold must not grow with what a project prints."""
    return replace(
        executed,
        stdout_tail=_tail(executed.stdout_tail),
        stderr_tail=_tail(executed.stderr_tail),
        observation=executed.observation if len(executed.observation) <= _OBSERVATION_CHARACTERS else "{}",
        plots=tuple(_shown_plots(executed.plots)),
        checks=executed.checks[:_ENTRIES],
    )


def _tail(text: str) -> str:
    return "\n".join(text[-_TAIL_CHARACTERS:].rstrip().splitlines()[-_TAIL_LINES:])


def _shown_plots(plots: Sequence[Plot]) -> Iterator[Plot]:
    """All figures by their names, the first of those that are not too large with their bytes."""
    shown = 0
    for plot in plots:
        if not plot.content or len(plot.content) > _PLOT_CHARACTERS or shown == _PLOTS:
            yield replace(plot, content="")
        else:
            shown += 1
            yield plot


def execution_view(executed: ExecutedProject) -> dict[str, object]:
    """The run as JSON for the page's script (`run.js`)."""
    error = executed.first_exception
    exception = None
    if error is not None:
        about = f"{error.type}: {error.message}".removeprefix(": ")
        exception = [
            error.kind.replace("_", " "),
            clip(about, 800),
            clip(error.file, 200),
            error.line,
            clip(error.code, 300),
        ]
    rungs = [
        [rung_words(rung.rung), rung.outcome, rung.outcome.replace("_", " "), rung.line, clip(rung.seen, 400)]
        for rung in executed.rungs
    ]
    checks = []
    for check in executed.checks[:_ENTRIES]:
        name = f"{check.source}: {check.name.replace('_', ' ')}"
        outcome = check.outcome.replace("_", " ")
        checks.append([clip(name, 90), clip(check.wanted, 300), clip(check.observed, 300), outcome])
    return {
        "about": clip(run_words(executed), 800),
        "rungs": rungs,
        "exception": exception,
        "stopped": executed.stopped,
        "trainings": list(_trainings(executed.climb().observation)),
        "checks": checks,
        "stdout": clip_lines(executed.stdout_tail),
        "stderr": clip_lines(executed.stderr_tail),
        "plots": [[clip(plot.path, 120), plot.size, plot.type, plot.content] for plot in executed.plots],
    }


def _trainings(observation: Observation) -> Iterator[list[object]]:
    """Network, optimizer, loss, batch size, epochs, steps and the last figures of each training."""
    kinds = {network.id: f"{network.kind}, {network.parameters:,} parameters" for network in observation.networks}
    for training in observation.trainings[:_ENTRIES]:
        network = "" if training.network is None else kinds.get(training.network, "")
        optimizer = training.optimizer
        if training.learning_rate is not None:
            optimizer += f" at {training.learning_rate:g}"
        epochs = str(training.epochs_ended)
        if training.epochs_asked is not None:
            epochs += f" of {training.epochs_asked}"
        yield [
            clip(network, 120),
            clip(optimizer, 80),
            clip(training.loss, 80),
            training.batch_size,
            epochs,
            training.steps,
            clip(_last_figures(training), 300),
        ]


def _last_figures(training: ObservedTraining) -> str:
    if training.epoch_logs:
        return ", ".join(f"{name} {value:.4g}" for name, value in list(training.epoch_logs[-1].items())[:8])
    return "" if training.last_loss is None else f"loss {training.last_loss:.4g}"
