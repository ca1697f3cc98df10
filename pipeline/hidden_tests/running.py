"""Running a project on a task's folder, in the sandbox."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pipeline.errors import StageFailure
from pipeline.hidden_tests.predictions import MOST_BYTES
from pipeline.records import SourceFile
from pipeline.sandbox.sandbox import Execution, Limits, Sandbox

RUN_LIMITS = Limits(seconds=900.0, cpu_seconds=120.0)
"""The clock has a generous limit, so that a busy machine changes no verdict."""

DATA_FOLDER = "data"
"""Where a project finds its data; the sandbox's variable DATA_DIR says so too."""

PREDICTIONS = "predictions.csv"


def run_on_data(
    sandbox: Sandbox,
    project: Sequence[SourceFile],
    entry: str,
    data: Path,
    *,
    outputs: Sequence[str] = (PREDICTIONS,),
    limits: Limits = RUN_LIMITS,
) -> Execution:
    """Runs `entry`, one of the project's files, with a folder of data that it can read and not change. Of what it
    writes, `outputs` come back. Raises StageFailure where the sandbox fails."""
    limits = replace(limits, result_bytes=MOST_BYTES * len(outputs))
    return sandbox.run(project, entry, limits, given={DATA_FOLDER: data}, results=outputs)


def written(execution: Execution, name: str = PREDICTIONS) -> str:
    """The text of a file that a run was to write. Raises StageFailure: the limit that ended the run, `error` where it
    ended with one, `no_predictions` where there is no such file, `predictions_too_large`."""
    if execution.stopped:
        raise StageFailure(execution.stopped, execution.reason())
    if not execution.ok:
        raise StageFailure("error", execution.reason()[:500])
    # Links and pipes are no results: the sandbox opens nothing but plain files.
    file = next((file for file in execution.results if file.path == name), None)
    if file is None:
        raise StageFailure("no_predictions", f"{name} was not written, or is no plain file")
    if file.content is None or file.size > MOST_BYTES:
        raise StageFailure("predictions_too_large", f"{name} has {file.size:,} bytes, more than {MOST_BYTES:,}")
    return file.content.decode("utf-8", "replace")
