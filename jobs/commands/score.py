"""`dlcodegen score` and `reproduce`: measuring what was generated."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

app = typer.Typer()


@app.command(epilog="Examples:  dlcodegen score out/demo   |   dlcodegen score project.py --reference solution.py")
def score(
    path: Annotated[str, typer.Argument(help="A run's folder, or one Python file.")],
    reference: Annotated[str | None, typer.Option("--reference", help="A known solution, for CodeBLEU.")] = None,
) -> None:
    """Score a run's projects by category, or one Python file."""
    from jobs.score import score_file, score_run

    table = score_file(path, reference) if path.endswith(".py") else score_run(path)
    Console().print(table)


@app.command(epilog="Example:  dlcodegen reproduce --artifact ../dlcodegen-artifact --out out/reproduce")
def reproduce(
    artifact: Annotated[str, typer.Option("--artifact", help="A checkout of the paper's published artifact.")],
    out: Annotated[str, typer.Option("--out", help="The folder the tables are written to, as CSV and Parquet.")],
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Print the paper's tables from its released outputs: published, reproduced, difference; takes minutes."""
    from jobs.reproduce import main as run
    from jobs.reproduce_report import report_tables

    for table in report_tables(run(artifact, out, quiet=quiet)):
        Console().print(table)
