"""`dlcodegen fit-planner`, `train-planner` and `eval-planner`: planners made from known plans, and compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from jobs.commands.options import ConfigFile, Out, Overrides, Quiet, options_used, print_paths
from jobs.runs.terminal import Screen

if TYPE_CHECKING:
    from jobs.training.report import TrainSummary

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

    screen = Screen()
    screen.print(summary_table(run(data, out, evaluation, gpt2 or [])))
    print_paths(screen, out, ("planner.json",))


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
    screen = Screen(width=max(Screen().width, TABLE_WIDTH))
    for table in terminal_tables(evaluation.results, evaluation.comparisons, len(evaluation.near)):
        screen.print(table)
    files = ("report.html", "plans.csv", "plan_comparisons.csv", "plots/", "predictions/", "manifest.json")
    print_paths(screen, out, files)


@app.command(
    epilog="Examples:  dlcodegen train-planner --data starter --out out/planner model=scratch:2x128   |   "
    "dlcodegen train-planner --data ../dlcodegen-artifact --out out/gpt2 model=openai-community/gpt2 drop_overlap=true"
)
def train_planner(
    settings: Overrides = None,
    data: Annotated[
        str,
        typer.Option("--data", help="Plans to learn from: `starter`, an artifact checkout, .jsonl, .txt, .parquet."),
    ] = "",
    out: Out = "",
    eval: Annotated[
        str, typer.Option("--eval", help="Plans to evaluate on; by default Evaluation.txt beside the data, or a tenth.")
    ] = "",
    config: ConfigFile = None,
    workers: Annotated[int | None, typer.Option("--workers", min=1, help="Training processes; by default one.")] = None,
    quiet: Quiet = False,
) -> None:
    """Train a GPT-2 planner on known plans, on Ray Train; use it with planner=gpt2:OUT."""
    from jobs.training.settings import TrainConfig
    from pipeline.config import load_settings

    options = options_used(data=data, out=out, eval=eval, workers=workers, quiet=quiet)
    chosen = load_settings(TrainConfig, config, settings or [], **options)
    _check_extra()  # before the import below, which needs it
    from jobs.train_planner import main as run

    summary = run(chosen)
    _print_training(summary)


def _check_extra() -> None:
    from importlib.util import find_spec

    from pipeline.errors import DLCodeGenError

    missing = [name for name in ("torch", "transformers") if find_spec(name) is None]
    if missing:
        raise DLCodeGenError(
            f"train-planner needs {' and '.join(missing)}; run `make setup-cpu`, or install the extra gpu"
        )


def _print_training(summary: TrainSummary) -> None:
    table = Table(title="Trained planner", show_header=False, title_justify="left")
    table.add_row("rows", f"{summary.rows:,}")
    table.add_row("evaluation rows", f"{summary.eval_rows:,}")
    table.add_row("steps", f"{summary.steps:,}")
    table.add_row("ended", summary.ended)
    table.add_row("kept", f"epoch {summary.best_epoch}, evaluation loss {summary.eval_loss:.4f} nats a plan token")
    table.add_row("time", f"{summary.seconds:.1f} s")
    screen = Screen()
    screen.print(table)
    print_paths(screen, summary.out, ("model/", "run_card.md", "loss.png", "tensorboard/"))
