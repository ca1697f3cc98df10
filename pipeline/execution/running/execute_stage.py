"""The last stage of a method where projects are run (`execute=on`): how far each comes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from pipeline.config.execution import ExecutionSettings, RunningSettings
from pipeline.environments.choice import environment_for
from pipeline.execution.running.environment_sandboxes import EnvironmentSandboxes
from pipeline.execution.running.executing import ProjectExecutor, Sandboxes
from pipeline.execution.running.rows import ExecutedProject, ProjectRow
from pipeline.records import NOTEBOOK, SCRIPT, Delivered, Scored
from pipeline.stage import Fields, Stage, Step

_CPUS = 0.1
"""CPUs of a worker that waits for its sandbox. The projects want one each, but are slowed down, not failed, by what
runs beside them, and a cluster of one CPU has to hold all operators at once."""

SandboxesOf = Callable[[RunningSettings], Sandboxes]


@dataclass(frozen=True, kw_only=True, slots=True)
class Executed(Scored):
    """With how far the project came when it was run."""

    execution: ExecutedProject | None = None
    """None for a row without a project, and where projects are not run."""


def execution_of(record: Scored) -> ExecutedProject | None:
    """How far the record's project came; None where it was not run."""
    return record.execution if isinstance(record, Executed) else None


def execute_stage(settings: ExecutionSettings, sandboxes: SandboxesOf | None = None) -> Stage:
    """Scored -> Executed. By default in this machine's environments."""
    build = partial(_executing, settings, sandboxes or environment_sandboxes)
    return Stage(
        name="execute",
        accepts=Scored,
        returns=Executed,
        build=build,
        num_cpus=_CPUS,
        elsewhere=True,
        row_seconds=None,
    )


def environment_sandboxes(settings: RunningSettings) -> EnvironmentSandboxes:
    """The environments of this machine as the settings want them."""
    return EnvironmentSandboxes(threads=settings.threads, warm=settings.warm, accept_weaker=settings.accept_weaker)


def project_of(record: Delivered, source: str, env: str) -> ProjectRow | None:
    """The record's project with what it was asked and planned; None for a record without one. `env` is the environment,
    or `auto`."""
    files = tuple(file for file in record.files if file.path != NOTEBOOK)
    if not any(file.path == SCRIPT for file in files):
        return None
    return ProjectRow(
        id=record.id,
        row=record.row,
        source=source,
        environment=environment_for(files, env),
        files=files,
        data_folder=record.data_folder,
        plan=record.written_plan,
        constraints=record.constraints,
    )


def _executing(settings: ExecutionSettings, sandboxes: SandboxesOf) -> Step:
    executor = ProjectExecutor(sandboxes(settings), settings.limits(), runs=settings.runs)

    def execute(record: Scored) -> Fields:
        project = project_of(record, source="", env=settings.env)
        return {} if project is None else {"execution": executor.execute(project)}

    return execute
