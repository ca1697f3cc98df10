"""Do the bundled samples and generated projects run, and do the samples of the matrix learn? They are run as
`dlcodegen execute` runs any project.

    python -m jobs.check_starter --generated out/run --out out/starter-check

Exits with 1 if a bundled sample failed or took too much, one of the matrix did not learn, or fewer than 90% of the
generated projects finished.
"""

from __future__ import annotations

from jobs.execute import main as execute
from jobs.execution.settings import CheckConfig, ExecuteConfig
from jobs.execution.starter_check import GENERATED, CheckedProject, checked, sample_folders
from jobs.execution.store import ExecutionStore
from pipeline.errors import DLCodeGenError


def main(config: CheckConfig) -> list[CheckedProject]:
    """Runs the projects into the folder `out` and gives what each came to, in the order of their sources. Raises
    DLCodeGenError where there is nothing to run."""
    sources: dict[str, str] = {}
    if config.samples:
        sources |= sample_folders()
    if config.generated:
        sources[config.generated] = GENERATED
    if not sources:
        raise DLCodeGenError("no projects to run; give a run of them by --generated, or leave out --no-samples")
    execute(
        ExecuteConfig(
            inputs=tuple(sources),
            out=config.out,
            cpu_seconds=config.cpu_seconds,
            workers=config.workers,
            accept_weaker=config.accept_weaker,
        )
    )
    results = ExecutionStore(config.out).results()
    return [checked(executed, sources[executed.source]) for executed in results]


if __name__ == "__main__":
    from jobs import run_command

    run_command("check-starter")
