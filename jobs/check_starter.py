"""Do the bundled samples and the generated projects run, and do the samples of the matrix learn? Each is run in the
sandbox, in the environment `keras3` or `torch`.

    python -m jobs.check_starter --generated out/projects

Exits with 1 if a bundled sample failed, one of the matrix was no better than its baseline, or fewer than 90% of the
generated projects finished.
"""

from __future__ import annotations

import time
from pathlib import Path

from jobs.cluster.progress import RowProgress
from jobs.execution.project_runs import ProjectRun, run_projects
from jobs.execution.projects import Project, bundled_samples, generated_projects
from jobs.execution.report import write_check_report
from jobs.execution.settings import CheckConfig
from jobs.execution.tensorflow import tensorflow_versions
from pipeline.environments.building import build
from pipeline.environments.catalogue import KERAS3, TORCH, environment_named
from pipeline.environments.variables import project_variables
from pipeline.errors import DLCodeGenError
from pipeline.sandbox.process import ProcessSandbox
from pipeline.sandbox.sandbox import Limits


def main(config: CheckConfig) -> list[ProjectRun]:
    """Runs the projects, writes the report and gives their runs, by source and name. Raises DLCodeGenError where there
    is nothing to run, or nothing to run it with."""
    start = time.monotonic()
    projects: list[Project] = []
    if config.samples:
        projects += bundled_samples()
    if config.generated:
        projects += generated_projects(config.generated)
    if not projects:
        raise DLCodeGenError("no projects to run; give a folder of them by --generated, or leave out --no-samples")
    in_torch = [project for project in projects if project.needs_torch]
    projects = [project for project in projects if not project.needs_torch]
    sandbox = _sandbox(config.python or _python_of(KERAS3), config)
    versions = tensorflow_versions(sandbox)
    parts = [(sandbox, projects)]
    if in_torch:
        parts.append((_sandbox(config.torch_python or _python_of(TORCH), config), in_torch))
    limits = Limits(seconds=config.seconds)
    runs: list[ProjectRun] = []
    with RowProgress("check", sum(len(part) for _, part in parts)) as progress:
        for part_sandbox, part in parts:
            for run in run_projects(part_sandbox, part, limits, config.workers):
                runs.append(run)
                progress.advance(1, failed=not run.ok)
    runs.sort(key=lambda run: (run.source, run.id))
    write_check_report(config, runs, versions, time.monotonic() - start)
    return runs


def _python_of(environment: str) -> Path:
    """The environment's Python; it is built if it is not there yet."""
    return Path(build(environment_named(environment)).python)


def _sandbox(python: Path, config: CheckConfig) -> ProcessSandbox:
    environment = project_variables(config.threads)
    return ProcessSandbox(
        str(python),
        environment=environment,
        allow_network=config.allow_network,
        accept_weaker=config.accept_weaker,
    )


if __name__ == "__main__":
    from jobs import run_command

    run_command("check-starter")
