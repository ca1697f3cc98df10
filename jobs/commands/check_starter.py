"""`dlcodegen check-starter`: whether the bundled samples and generated projects run. For those who change them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from jobs.runs.terminal import Screen

app = typer.Typer()


@app.command(
    # Not for users of the package: `make check-starter` calls it, as `python -m jobs.check_starter`.
    hidden=True,
    epilog="Example:  dlcodegen check-starter --generated out/projects",
)
def check_starter(
    python: Annotated[
        Path | None,
        typer.Option("--python", help="A Python that has TensorFlow; by default that of the environment keras3."),
    ] = None,
    torch_python: Annotated[
        Path | None,
        typer.Option("--torch-python", help="A Python that has PyTorch; by default that of the environment torch."),
    ] = None,
    generated: Annotated[
        Path | None, typer.Option("--generated", help="Folder of generated projects, <id>/project.py.")
    ] = None,
    samples: Annotated[bool, typer.Option("--samples/--no-samples", help="Run the bundled samples.")] = True,
    workers: Annotated[int, typer.Option("--workers", help="Projects at a time.", min=1)] = os.cpu_count() or 1,
    threads: Annotated[int, typer.Option("--threads", help="Threads of each project.", min=1)] = 1,
    seconds: Annotated[float, typer.Option("--seconds", help="Time limit of each project.")] = 180.0,
    report: Annotated[Path, typer.Option("--report", help="Where the JSON report goes.")] = Path(
        "out/starter-check.json"
    ),
    allow_network: Annotated[
        bool, typer.Option("--allow-network/--no-allow-network", help="Leave the network on.")
    ] = False,
    accept_weaker: Annotated[
        bool, typer.Option("--accept-weaker", help="Run on a machine that gives less than the sandbox's floor.")
    ] = False,
) -> None:
    """Run the bundled samples and generated projects, and say which do not finish."""
    from jobs.check_starter import main
    from jobs.execution.project_runs import failed_sources
    from jobs.execution.report import runs_table
    from jobs.execution.settings import CheckConfig

    config = CheckConfig(
        python=python,
        torch_python=torch_python,
        generated=generated,
        samples=samples,
        workers=workers,
        threads=threads,
        seconds=seconds,
        report=report,
        allow_network=allow_network,
        accept_weaker=accept_weaker,
    )
    runs = main(config)
    screen = Screen()
    screen.print(runs_table(runs))
    learning = f"{sum(run.learns for run in runs)} of {sum(run.held_out is not None for run in runs)} learn"
    screen.print(f"{sum(run.ok for run in runs)} of {len(runs)} ran; {learning}; report: {report}")
    if failures := failed_sources(runs):
        screen.print("\n".join(failures))
        raise typer.Exit(1)
