"""Whole projects on tasks with hidden tests: written by a method, run in the sandbox, graded on answers they never saw.

Each task's result is a file, so that the same command goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from jobs.cluster.progress import RowProgress
from jobs.generation.language_model import language_model
from pipeline.config import PipelineSettings
from pipeline.environments.building import build
from pipeline.environments.catalogue import KERAS3, environment_named
from pipeline.environments.choice import choose_environment
from pipeline.environments.variables import project_variables
from pipeline.errors import DLCodeGenError, FaultError
from pipeline.execution.running.environment_sandboxes import EnvironmentSandboxes
from pipeline.execution.running.executing import ProjectExecutor
from pipeline.execution.running.rows import ProjectRow
from pipeline.hidden_tests.certificate import certificate_of
from pipeline.hidden_tests.grading import Grade, grade
from pipeline.hidden_tests.references import reference_of
from pipeline.hidden_tests.results import TaskResult, result_of
from pipeline.hidden_tests.running import DATA_FOLDER, PREDICTIONS, RUN_LIMITS
from pipeline.hidden_tests.task import Task, TaskData
from pipeline.methods import generation_stages
from pipeline.records import Requirement, Scored
from pipeline.sandbox.process import ProcessSandbox
from pipeline.stage import run_local
from pipeline.storage.files import join, read_json, write_bytes, write_json
from pipeline.storage.one_writer import one_writer


@dataclass(frozen=True, kw_only=True, slots=True)
class BenchConfig:
    """What is benchmarked, on what, and where the results go."""

    out: str
    """The folder of data, projects and results."""

    tasks: Sequence[Task]
    settings: PipelineSettings
    """Of the method that writes the projects."""

    quiet: bool = False


def main(config: BenchConfig) -> list[TaskResult]:
    """The results of all tasks, those of earlier runs included, in the tasks' order."""
    if config.settings.llm.backend == "vllm":
        raise DLCodeGenError("bench projects asks models over HTTP; serve the engine, and give llm=openai base_url=...")
    with one_writer(config.out):
        _check_settings(config)
        results = {task.id: result for task in config.tasks if (result := _finished(config.out, task))}
        pending = [task for task in config.tasks if task.id not in results]
        label, total = config.settings.writing.method, len(config.tasks)
        with RowProgress(label, total, len(results), unit="tasks", quiet=config.quiet) as progress:
            for task, result in _benchmarked(config, pending):
                write_json(_result_url(config.out, task), result.as_json())
                results[task.id] = result
                progress.advance(1, failed=not result.grade.runs)
    return [results[task.id] for task in config.tasks]


def sandbox_of(python: Path | None = None) -> ProcessSandbox:
    """The sandbox of the references, with the Python given or that of `keras3`, which is built if it is not there yet.
    Raises DLCodeGenError where it cannot be had."""
    program = str(python) if python else build(environment_named(KERAS3)).python
    return ProcessSandbox(program, environment=project_variables(1) | {"DATA_DIR": DATA_FOLDER})


def _benchmarked(config: BenchConfig, tasks: Sequence[Task]) -> Iterator[tuple[Task, TaskResult]]:
    """Each task with its result, one after the other: a project is run before the next one is written."""
    made: dict[str, TaskData] = {}

    def rows() -> Iterator[Requirement]:
        for number, task in enumerate(tasks):
            data = made[task.id] = task.data()
            certificate_of(task, data)  # what cannot be graded is not written for
            data.write(_data_folder(config.out, task))
            folder = str(_data_folder(config.out, task))
            reference = reference_of(task, data).text
            yield Requirement(
                id=task.id, row=number, requirement=task.requirement, data_folder=folder, reference=reference
            )

    llm_settings = config.settings.llm.with_cache_for(config.out)
    with language_model(llm_settings) as llm, closing(EnvironmentSandboxes()) as sandboxes:
        # The firewall keeps samples like the reference from the method: it compares rows by their reference's code.
        stages = generation_stages(config.settings, llm)
        for task, record in zip(tasks, run_local(stages, rows(), rows_in_flight=1), strict=True):
            assert isinstance(record, Scored)
            yield task, _run(config, sandboxes, task, made.pop(task.id), record)


def _run(
    config: BenchConfig, sandboxes: EnvironmentSandboxes, task: Task, data: TaskData, record: Scored
) -> TaskResult:
    """The result of a row's project, which is run as `dlcodegen execute` runs one, and brings its predictions back.

    What the machinery fails at twice ends the command: it is in no share.
    """
    if record.failure is not None:
        failed = Grade(failure=record.failure.kind, message=record.failure.message)
        return TaskResult(task=task.id, category=task.category, grade=failed, generated=False)
    for file in record.files:
        write_bytes(join(config.out, "projects", task.id, file.path), file.text.encode("utf-8", "backslashreplace"))
    project = _project_row(config, task, record)
    executor = ProjectExecutor(sandboxes, RUN_LIMITS, data=project.data_folder, results=[PREDICTIONS])
    executed, run = executor.run(project)
    if executed.infra or run is None:
        raise FaultError(f"task {task.id}: {executed.infra}; the same command goes on where it stopped")
    printed = f"{run.stdout_tail}\n{run.stderr_tail}".encode("utf-8", "backslashreplace")
    write_bytes(join(config.out, "projects", task.id, "printed.txt"), printed)
    return TaskResult(
        task=task.id,
        category=task.category,
        grade=grade(task, data, run, certificate_of(task, data).bounds),
        sample=record.samples[0].id if record.samples else "",
        reached=executed.reached,
        exception=executed.first_exception.kind if executed.first_exception else "",
        cpu_seconds=round(run.cpu_seconds, 1),
    )


def _project_row(config: BenchConfig, task: Task, record: Scored) -> ProjectRow:
    """The row's project, which finds the task's folder where its script has it."""
    scripts = tuple(file for file in record.files if file.path.endswith(".py"))
    return ProjectRow(
        id=task.id,
        row=record.row,
        source=config.out,
        environment=choose_environment(scripts),
        files=scripts,
        data_folder=str(_data_folder(config.out, task)),
        plan=record.written_plan,
        constraints=record.constraints,
    )


def _data_folder(out: str, task: Task) -> Path:
    return Path(out, "data", task.id).absolute()


def _result_url(out: str, task: Task) -> str:
    return join(out, "results", f"{task.id}.json")


def _finished(out: str, task: Task) -> TaskResult | None:
    stored = read_json(_result_url(out, task))
    return None if stored is None else result_of(stored)


def _check_settings(config: BenchConfig) -> None:
    """Raises DLCodeGenError where the folder holds results of another method or other settings."""
    url, settings = join(config.out, "settings.json"), config.settings.model_dump(mode="json")
    earlier = read_json(url)
    if earlier is None:
        write_json(url, settings)
    elif earlier != settings:
        raise DLCodeGenError(f"{config.out}: holds results of other settings; take another folder for --out")
