"""Do the bundled samples and the generated projects run? Each is run in the sandbox with a TensorFlow Python.

    python -m jobs.check_starter --python .venv-tf/bin/python --generated out/projects --report out/starter.json

Exits with 1 if a bundled sample failed, or fewer than 90% of the generated projects finished.
"""

from __future__ import annotations

import time

from jobs.cluster.progress import RowProgress
from jobs.execution.project_runs import ProjectRun, run_projects
from jobs.execution.projects import Project, bundled_samples, generated_projects
from jobs.execution.report import write_check_report
from jobs.execution.settings import CheckConfig
from jobs.execution.tensorflow import tensorflow_environment, tensorflow_versions
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
    sandbox = ProcessSandbox(
        str(config.python),
        environment=tensorflow_environment(config.threads),
        allow_network=config.allow_network,
    )
    versions = tensorflow_versions(sandbox)
    runs: list[ProjectRun] = []
    with RowProgress("check", len(projects)) as progress:
        for run in run_projects(sandbox, projects, Limits(seconds=config.seconds), config.workers):
            runs.append(run)
            progress.advance(1, failed=not run.ok)
    runs.sort(key=lambda run: (run.source, run.id))
    write_check_report(config, runs, versions, time.monotonic() - start)
    return runs


if __name__ == "__main__":
    from jobs import run_command

    run_command("check-starter")
