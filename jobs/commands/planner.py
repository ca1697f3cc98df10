"""`dlcodegen fit-planner` and `eval-planner`: planners made from known plans, and compared."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from jobs.commands.options import Overrides, print_paths

app = typer.Typer()

TABLE_WIDTH = 150
"""Columns of a terminal that Table IV needs to keep its cells whole."""


@app.command(epilog="Example:  dlcodegen fit-planner --data DLPlanData/Train.txt --out out/planner")
def fit_planner(
    data: Annotated[str, typer.Option("--data", help="Known plans: a DLPlanData file, a checkout, or `starter`.")],
    out: Annotated[str, typer.Option("--out", help="The folder that `planner=hybrid:DIR` then reads.")],
    evaluation: Annotated[
        str | None,
        typer.Option("--eval", help="Plans that planners are compared on; by default the known ones, held out."),
    ] = None,
    gpt2: Annotated[
        list[str] | None, typer.Option("--gpt2", help="A GPT-2 planner's folder that competes (needs --eval).")
    ] = None,
) -> None:
    """Fit the hybrid planner to known plans; no pre-trained weights, about a minute for 3,300 plans."""
    from jobs.fit_planner import main as run
    from jobs.fit_planner import summary_table

    console = Console()
    console.print(summary_table(run(data, out, evaluation, gpt2 or [])))
    print_paths(console, out, ("planner.json",))


@app.command(
    epilog="Example:  dlcodegen eval-planner --train Train.txt --test Test.txt --planner hybrid:DIR "
    "--predictions GPT-2-Large_Beam.txt --out out/plans"
)
def eval_planner(
    test: Annotated[
        str, typer.Option("--test", help="Requirements with known plans: a DLPlanData file or a checkout.")
    ],
    train: Annotated[str, typer.Option("--train", help="Known plans that planners may use.")],
    out: Annotated[str, typer.Option("--out", help="The folder the tables and the page are written to.")],
    settings: Overrides = None,
    planner: Annotated[
        list[str] | None, typer.Option("--planner", help="retrieval, hybrid:DIR, gpt2:DIR, llm.")
    ] = None,
    predictions: Annotated[
        list[str] | None, typer.Option("--predictions", help="A file with a prediction a line, in the test's order.")
    ] = None,
    against: Annotated[
        list[str] | None,
        typer.Option("--against", help="What the others are compared with; by default each prediction file."),
    ] = None,
) -> None:
    """Table IV and Fig. 4 for planners and prediction files on the same rows, with intervals and baselines."""
    from jobs.eval_planner import main as run
    from jobs.scoring.plans.page import terminal_tables

    evaluation = run(
        test=test,
        train=train,
        out=out,
        planners=planner or [],
        predictions=predictions or [],
        against=against or [],
        settings=settings or [],
    )
    console = Console(width=max(Console().width, TABLE_WIDTH))
    for table in terminal_tables(evaluation.rows, evaluation.comparisons, len(evaluation.near)):
        console.print(table)
    files = ("report.html", "plans.csv", "plan_comparisons.csv", "plots/", "predictions/", "manifest.json")
    print_paths(console, out, files)
