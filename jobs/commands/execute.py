"""`dlcodegen execute`: whether projects work, on a ladder from "parses" to "learns"."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.commands.options import ConfigFile, Quiet, Workers, is_setting, options_used, print_paths
from jobs.runs.terminal import Screen, console

if TYPE_CHECKING:
    from jobs.execution.results import Executions

app = typer.Typer()


@app.command(
    epilog="Examples:  dlcodegen execute out/demo --out out/executed   |   "
    "dlcodegen execute project.py --out out/one env=torch cpu_seconds=60"
)
def execute(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT...",
            help="Runs of `generate`, folders of projects, Python files; and settings as key=value, e.g. env=keras3",
        ),
    ],
    out: Annotated[
        str, typer.Option("--out", help="The folder of the results; the same command goes on after a kill.")
    ],
    data: Annotated[
        str | None,
        typer.Option("--data", help="A local file or folder that projects find as `data`.", show_default=False),
    ] = None,
    config: ConfigFile = None,
    workers: Workers = None,
    quiet: Quiet = False,
) -> None:
    """Run projects in pinned environments and tell how far each comes: parses, imports, builds, trains, learns."""
    from jobs.execute import main
    from jobs.execution.settings import ExecuteConfig
    from pipeline.config import load_settings
    from pipeline.errors import DLCodeGenError

    inputs = tuple(path.rstrip("/") or "/" for path in paths if not is_setting(path))
    settings = [path for path in paths if is_setting(path)]
    if not inputs:
        raise DLCodeGenError(
            "nothing to run; give a run of `dlcodegen generate`, a folder of projects or a Python file"
        )
    given = options_used(inputs=inputs, out=out, data=data, workers=workers, quiet=quiet)
    _print(main(load_settings(ExecuteConfig, config, settings, **given)))


def _print(executions: Executions) -> None:
    from jobs.runs.executed import endings_table, funnel_table

    screen = console()
    screen.print(funnel_table(executions.funnel))
    screen.print("; ".join(_notes(executions)), soft_wrap=True)
    if executions.funnel.exceptions:
        screen.print(endings_table(executions.funnel))
    if executions.funnel.flaky:
        screen.print(f"{executions.funnel.flaky:,} are flaky: another run came to another rung (column further_runs)")
    if executions.funnel.infra:
        infra = f"{executions.funnel.infra} projects are in no share, the machinery failed them; the first: "
        Screen(stderr=True).print(infra + executions.funnel.first_infra, soft_wrap=True)
    print_paths(screen, executions.out, ("executed.csv", "report.html", "results/", "manifest.json"))


def _notes(executions: Executions) -> Iterator[str]:
    """What the ladder's figures are about."""
    funnel = executions.funnel
    yield f"{funnel.projects:,} projects in {', '.join(sorted(funnel.environments))}"
    if executions.rows_without_project:
        yield f"{executions.rows_without_project:,} rows without a project are not among them"
    if executions.resumed:
        yield f"{executions.resumed:,} finished before"
    if executions.resumed < funnel.projects:
        yield f"{executions.projects_per_hour:,} projects/hour, {funnel.warm:,} forked from a warm process"
