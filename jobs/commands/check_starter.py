"""`dlcodegen check-starter`: whether the bundled samples and generated projects run. For those who change them."""

from __future__ import annotations

from typing import Annotated

import typer

from jobs.commands.options import Workers
from jobs.runs.terminal import Screen

app = typer.Typer()


@app.command(
    # Not for users of the package: `make check-starter` calls it, as `python -m jobs.check_starter`.
    hidden=True,
    epilog="Example:  dlcodegen check-starter --generated out/run",
)
def check_starter(
    generated: Annotated[
        str | None,
        typer.Option("--generated", help="A run of `generate`, or a folder of projects.", show_default=False),
    ] = None,
    samples: Annotated[bool, typer.Option("--samples/--no-samples", help="Run the bundled samples.")] = True,
    out: Annotated[str, typer.Option("--out", help="Where the results go.")] = "out/starter-check",
    workers: Workers = None,
    cpu_seconds: Annotated[
        float, typer.Option("--cpu-seconds", help="Processor time after which a project is ended.", min=1)
    ] = 120.0,
    accept_weaker: Annotated[
        bool, typer.Option("--accept-weaker", help="Run on a machine that gives less than the sandbox's floor.")
    ] = False,
) -> None:
    """Run the bundled samples and generated projects, and say which do not come to what is asked of them."""
    from jobs.check_starter import main
    from jobs.execution.settings import CheckConfig
    from jobs.execution.starter_check import checked_table, failed_sources

    config = CheckConfig(
        generated=generated,
        samples=samples,
        out=out,
        workers=workers,
        cpu_seconds=cpu_seconds,
        accept_weaker=accept_weaker,
    )
    projects = main(config)
    screen = Screen()
    screen.print(checked_table(projects))
    done, learning = sum(project.ok for project in projects), sum(project.learns for project in projects)
    screen.print(f"{done} of {len(projects)} as they should, {learning} learn; {out}/executed.csv", soft_wrap=True)
    if failures := failed_sources(projects):
        screen.print("\n".join(failures))
        raise typer.Exit(1)
