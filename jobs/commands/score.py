"""`dlcodegen score`, `score rate` and `reproduce`: measuring what was generated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from jobs.commands.judge import rate
from jobs.commands.options import Quiet, print_paths
from jobs.runs.terminal import console

if TYPE_CHECKING:
    from jobs.scoring.run_scores import Scoring

_RUNS = "runs"


class _Score(TyperGroup):
    """`score RUN...` is `score runs RUN...`: what is no command's name is a path or an option of scoring."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or args[0] not in self.commands:
            args = [_RUNS, *args]
        return super().parse_args(ctx, args)


app = typer.Typer()
score = typer.Typer(cls=_Score, help="Score runs and compare them; or one Python file. `score rate`: human ratings.")
app.add_typer(score, name="score")
score.command(
    "rate",
    epilog="Examples:  dlcodegen score rate --export out/direct out/ours --out rate.html   |   "
    "dlcodegen score rate --import ratings-*.json --key rate.key.json --out out/rated",
)(rate)


@score.command(
    _RUNS,
    epilog="Examples:  dlcodegen score out/a out/b   |   dlcodegen score project.py --reference solution.py   |   "
    "human ratings: dlcodegen score rate --help",
)
def score_paths(
    paths: Annotated[list[str], typer.Argument(help="Folders of runs, or one Python file.")],
    reference: Annotated[str | None, typer.Option("--reference", help="A known solution, for one Python file.")] = None,
    requirement: Annotated[
        str | None, typer.Option("--requirement", help="What one Python file was asked for, in words.")
    ] = None,
    out: Annotated[
        str | None, typer.Option("--out", help="The folder for tables and report; by default scores/ in the first run.")
    ] = None,
    against: Annotated[
        str | None, typer.Option("--against", help="The run that the others are compared with.", show_default=False)
    ] = None,
    seeds: Annotated[int, typer.Option("--seeds", help="Draws of the random baseline.")] = 5,
    address: Annotated[str | None, typer.Option("--address", help="A Ray cluster's address.")] = None,
    workers: Annotated[int | None, typer.Option("--workers", help="CPUs of a local Ray.")] = None,
    quiet: Quiet = False,
) -> None:
    """Score runs and compare them, with baselines, leaks and noise; or score one Python file."""
    if len(paths) == 1 and paths[0].endswith(".py"):
        from jobs.scoring.one_file import score_file

        for table in score_file(paths[0], reference, requirement):
            console().print(table)
        return
    from jobs.score_runs import main
    from jobs.scoring.settings import ScoreConfig

    config = ScoreConfig(
        runs=tuple(paths),
        out=out or f"{paths[0].rstrip('/')}/scores",
        against=against,
        seeds=seeds,
        address=address,
        workers=workers,
        quiet=quiet,
    )
    _print_scoring(main(config))


def _print_scoring(scoring: Scoring) -> None:
    from jobs.scoring.tables import category_table, scoring_tables

    screen = console()
    for run in scoring.runs:
        screen.print(category_table(run.name, scoring.tables.measured[run.name]))
    for table in scoring_tables(scoring.tables):
        screen.print(table)
    files = ["report.html", "methods.csv", "code.csv", "items.csv", "comparisons.csv", "manifest.json"]
    if scoring.tables.executions:
        files.insert(2, "execution.csv")
    print_paths(screen, scoring.out, files)


@app.command(epilog="Example:  dlcodegen reproduce --artifact ../dlcodegen-artifact --out out/reproduce")
def reproduce(
    artifact: Annotated[str, typer.Option("--artifact", help="A checkout of the paper's published artifact.")],
    out: Annotated[str, typer.Option("--out", help="The folder the tables are written to, as CSV and Parquet.")],
    quiet: Quiet = False,
) -> None:
    """Print the paper's tables from its released outputs: published, reproduced, difference; takes minutes."""
    from jobs.reproduce import main as run
    from jobs.scoring.reproduction.tables import report_tables

    screen = console()
    for table in report_tables(run(artifact, out, quiet=quiet)):
        screen.print(table)
    files = ("report.html", "reproduced.csv", "code.csv", "code_comparisons.csv", "plans.csv", "manifest.json")
    print_paths(screen, out, files)
