"""What `dlcodegen execute` came to, and what it writes of it beside the results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from jobs.execution.settings import ExecuteConfig
from jobs.execution.store import ExecutionStore, StagedProjects
from jobs.runs.result_files import write_tables
from jobs.runs.versions import versions_of
from pipeline.environments.building import find_built
from pipeline.environments.catalogue import environment_named
from pipeline.execution.funnel import Funnel
from pipeline.execution.running.rows import ExecutedProject
from pipeline.foreign_text import storable
from pipeline.pages.execution.report import write_execution_report
from pipeline.storage.files import join, write_manifest

_VERSIONED = ("dlcodegen-ray", "ray", "pyarrow")


@dataclass(frozen=True, kw_only=True, slots=True)
class Executions:
    """What a start of the job came to."""

    funnel: Funnel
    """Over all projects, those of earlier starts included."""

    rows_without_project: int
    """Rows of runs that have no project, and so are not among the projects."""

    resumed: int
    """Projects that earlier starts had finished."""

    seconds: float
    """Of this start."""

    projects_per_hour: int
    """Of this start."""

    out: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ExecutedRow:
    """A project as a line of a table."""

    id: str
    source: str
    environment: str
    reached: str
    stopped_at: str
    """The lowest rung that it failed; "" for none."""
    exception_kind: str
    exception: str
    """Type and message."""
    line: int | None
    code: str
    limit: str
    exit_code: int | None
    infra: str
    attempts: int
    further_runs: str
    """What further runs came to where each project is run several times; "" where they came to the same."""
    start: str
    seconds: float | None
    cpu_seconds: float | None
    peak_memory_mb: int | None


def table_row(executed: ExecutedProject) -> ExecutedRow:
    """The project as a line of a table."""
    failed = [rung.rung for rung in executed.rungs if rung.outcome == "failed"]
    error = executed.first_exception
    measured = executed.measured
    return ExecutedRow(
        id=executed.id,
        source=executed.source,
        environment=executed.environment,
        reached=executed.reached,
        stopped_at=failed[0] if failed and not executed.infra else "",
        exception_kind=error.kind if error is not None else "",
        exception=storable(f"{error.type}: {error.message}".removeprefix(": ")) if error is not None else "",
        line=error.line if error is not None else None,
        code=storable(error.code) if error is not None else "",
        limit=executed.stopped,
        exit_code=executed.exit_code,
        infra=executed.infra,
        attempts=executed.attempts,
        further_runs="; ".join(run.reached or run.infra for run in executed.further_runs) if executed.flaky else "",
        start=measured.start if measured is not None else "",
        seconds=measured.seconds if measured is not None else None,
        cpu_seconds=measured.cpu_seconds if measured is not None else None,
        peak_memory_mb=measured.peak_memory_bytes // 10**6 if measured is not None else None,
    )


def write_executions(
    store: ExecutionStore, config: ExecuteConfig, staged: StagedProjects, executions: Executions
) -> None:
    """Writes the table, the report and the manifest."""
    rows = [table_row(executed) for executed in store.results()]
    write_tables(config.out, {"executed": (rows, ExecutedRow)})
    write_execution_report(
        store.runs(),
        join(config.out, "report.html"),
        title=f"Run: {', '.join(config.inputs)}",
        funnel=executions.funnel,
        settings=config.model_dump(mode="json"),
        items=config.report_items,
    )
    manifest = {
        "inputs": list(config.inputs),
        "input_digest": staged.digest,
        "rows_without_project": staged.rows_without_project,
        "settings": config.model_dump(mode="json"),
        "settings_digest": config.digest(),
        "environments": _environment_versions(executions.funnel.environments),
        "versions": versions_of(_VERSIONED),
        **executions.funnel.manifest(),
        "seconds": executions.seconds,
        "projects_per_hour": executions.projects_per_hour,
        "resumed": executions.resumed,
    }
    write_manifest(config.out, manifest)


def _environment_versions(names: Iterable[str]) -> Mapping[str, object]:
    """All packages of the environments, as they are built on this machine."""
    versions: dict[str, object] = {}
    for name in sorted(names):
        built = find_built(environment_named(name))
        if built is not None:
            versions[name] = {"python": built.python_version, "packages": dict(built.packages)}
    return versions
