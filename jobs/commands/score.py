"""`dlcodegen score` and `reproduce`: measuring what was generated."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

app = typer.Typer()


@app.command(epilog="Examples:  dlcodegen score out/a out/b   |   dlcodegen score project.py --reference solution.py")
def score(
    paths: Annotated[list[str], typer.Argument(help="Folders of runs, or one Python file.")],
    reference: Annotated[str | None, typer.Option("--reference", help="A known solution, for one Python file.")] = None,
    out: Annotated[
        str | None, typer.Option("--out", help="The folder for tables and report; by default scores/ in the first run.")
    ] = None,
    against: Annotated[
        str | None, typer.Option("--against", help="The run that the others are compared with.", show_default=False)
    ] = None,
    seeds: Annotated[int, typer.Option("--seeds", help="Draws of the random baseline.")] = 5,
    address: Annotated[str | None, typer.Option("--address", help="A Ray cluster's address.")] = None,
    workers: Annotated[int | None, typer.Option("--workers", help="CPUs of a local Ray.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Score runs and compare them, with baselines, leaks and noise; or score one Python file."""
    if len(paths) == 1 and paths[0].endswith(".py"):
        from jobs.score import score_file

        Console().print(score_file(paths[0], reference))
        return
    from jobs.score_runs import ScoreConfig, main
    from jobs.scoring.scoring_tables import category_table, scoring_tables

    config = ScoreConfig(
        runs=tuple(paths),
        out=out or f"{paths[0].rstrip('/')}/scores",
        against=against,
        seeds=seeds,
        address=address,
        workers=workers,
        quiet=quiet,
    )
    found = main(config)
    console = Console()
    for run in found.runs:
        console.print(category_table(run.name, found.tables.measured[run.name]))
    for table in scoring_tables(found.tables):
        console.print(table)
    for name in ("report.html", "methods.csv", "code.csv", "items.csv", "comparisons.csv", "manifest.json"):
        console.print(f"  {config.out.rstrip('/')}/{name}", highlight=False, soft_wrap=True)


@app.command(epilog="Example:  dlcodegen reproduce --artifact ../dlcodegen-artifact --out out/reproduce")
def reproduce(
    artifact: Annotated[str, typer.Option("--artifact", help="A checkout of the paper's published artifact.")],
    out: Annotated[str, typer.Option("--out", help="The folder the tables are written to, as CSV and Parquet.")],
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Print the paper's tables from its released outputs: published, reproduced, difference; takes minutes."""
    from jobs.reproduce import main as run
    from jobs.scoring.reproduction_tables import report_tables

    for table in report_tables(run(artifact, out, quiet=quiet)):
        Console().print(table)
