"""`dlcodegen train-planner`: fine-tuning a GPT-2 to write plans."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from jobs.commands.options import ConfigFile, Overrides

if TYPE_CHECKING:
    from jobs.training.report import TrainSummary

app = typer.Typer()


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
    out: Annotated[str, typer.Option("--out", help="The run's folder; the same command goes on after a kill.")] = "",
    eval: Annotated[
        str, typer.Option("--eval", help="Plans to evaluate on; by default Evaluation.txt beside the data, or a tenth.")
    ] = "",
    config: ConfigFile = None,
    workers: Annotated[int | None, typer.Option("--workers", min=1, help="Training processes; by default one.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Train a GPT-2 planner on known plans, on Ray Train; use it with planner=gpt2:OUT."""
    from jobs.training.settings import TrainConfig
    from pipeline.config import load_settings

    given: dict[str, object] = {name: value for name, value in (("data", data), ("out", out), ("eval", eval)) if value}
    given |= {"workers": workers} if workers else {}
    given |= {"quiet": True} if quiet else {}
    chosen = load_settings(TrainConfig, config, settings or [], **given)
    _check_extra()
    from jobs.train_planner import main as run

    try:
        summary = run(chosen)
    except KeyboardInterrupt:
        print("dlcodegen: interrupted; the same command goes on from the last checkpoint", file=sys.stderr)
        raise typer.Exit(130) from None
    _print_summary(summary)


def _check_extra() -> None:
    from importlib.util import find_spec

    from pipeline.errors import DLCodeGenError

    missing = [name for name in ("torch", "transformers") if find_spec(name) is None]
    if missing:
        raise DLCodeGenError(
            f"train-planner needs {' and '.join(missing)}; run `make setup-cpu`, or install the extra gpu"
        )


def _print_summary(summary: TrainSummary) -> None:
    table = Table(title="Trained planner", show_header=False, title_justify="left")
    table.add_row("rows", f"{summary.rows:,}")
    table.add_row("evaluation rows", f"{summary.eval_rows:,}")
    table.add_row("steps", f"{summary.steps:,}")
    table.add_row("ended", summary.ended)
    table.add_row("kept", f"epoch {summary.best_epoch}, evaluation loss {summary.eval_loss:.4f} nats a plan token")
    table.add_row("time", f"{summary.seconds:.1f} s")
    console = Console()
    console.print(table)
    for name in ("model/", "run_card.md", "loss.png", "tensorboard/"):
        console.print(f"  {summary.out.rstrip('/')}/{name}", highlight=False, soft_wrap=True)
