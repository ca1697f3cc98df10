"""`dlcodegen experiment`: methods, models, temperatures and seeds side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from jobs.commands.options import (
    DryRun,
    MaxCost,
    MaxTokens,
    Overrides,
    Quiet,
    budget_settings,
    options_used,
    print_paths,
    source_and_settings,
)
from jobs.runs.terminal import console, say_error

if TYPE_CHECKING:
    from jobs.experiments.results import Experiment
    from jobs.experiments.spec import ExperimentConfig
    from jobs.generation.estimate import Estimate

app = typer.Typer()


@app.command(
    epilog="Examples:  dlcodegen experiment spec.yaml --out out/rq1 --dry-run   |   "
    "dlcodegen experiment spec.yaml --out out/rq1 --max-cost 5 seeds=[0,1,2]"
)
def experiment(
    spec: Annotated[str, typer.Argument(help="YAML file: input, methods, models, temperatures, seeds, settings.")],
    settings: Overrides = None,
    out: Annotated[str, typer.Option("--out", help="The experiment's folder; the same command goes on.")] = "",
    max_cost: MaxCost = None,
    max_tokens: MaxTokens = None,
    dry_run: DryRun = False,
    quiet: Quiet = False,
) -> None:
    """Run methods x models x temperatures x seeds as one job, and print one table."""
    from jobs.experiments.spec import ExperimentConfig
    from pipeline.config import load_settings
    from pipeline.errors import DLCodeGenError

    file, overrides = source_and_settings([spec, *(settings or [])])
    if file is None:
        raise DLCodeGenError("no experiment to run; give its YAML file")
    overrides += budget_settings(max_cost, max_tokens)
    options = options_used(out=out, quiet=quiet)
    run_experiment(load_settings(ExperimentConfig, file, overrides, **options), dry_run=dry_run)


def run_experiment(spec: ExperimentConfig, *, dry_run: bool) -> None:
    """Runs an experiment, or says what it would cost; ends the command."""
    if dry_run:
        from jobs.dry_run import main as estimate

        print_estimates(estimate(spec))
        raise typer.Exit
    from jobs.experiment import main as run

    done = run(spec)
    _print_experiment(done)
    if done.bugs:
        raise typer.Exit(3)
    if done.stopped:
        raise typer.Exit(4)
    if done.first_failure:
        say_error(f"no run has a project; the first failure: {done.first_failure}")
        raise typer.Exit(1)
    raise typer.Exit


def _print_experiment(done: Experiment) -> None:
    from jobs.experiments.terminal import experiment_tables
    from jobs.scoring.tables import differences_table
    from pipeline.comparison.code_rows import BASELINES

    screen = console()
    for table in experiment_tables(done.rows):
        screen.print(table)
    screen.print(differences_table(row for row in done.comparisons if row.table != BASELINES))
    screen.print(f"{done.runs_begun} of {done.runs} runs, {done.seconds:.1f} s", highlight=False)
    print_paths(screen, done.out, ("scores/report.html", "table.csv", "table.parquet", "runs/"))
    if done.stopped:
        screen.print(f"stopped: {done.stopped}; the same command with a higher limit goes on", soft_wrap=True)


def print_estimates(estimates: Sequence[Estimate]) -> None:
    """What would be asked, and what it would cost."""
    from jobs.generation.estimate import EXPECTED_TOKENS, MOST_ROWS, totals_of

    table = Table(title="Dry run: nothing was sent", title_justify="left")
    table.add_column("run")
    heads = ("rows", "calls", "free", "to pay", "exact prompts", "prompt tokens", "reply tokens", "at most", "cost")
    for head in (*heads, "at most"):
        table.add_column(head, justify="right")
    for estimate in estimates:
        counts = (
            estimate.rows,
            estimate.calls,
            estimate.free,
            estimate.calls - estimate.free,
            estimate.exact,
            estimate.prompt_tokens,
            estimate.reply_tokens,
            estimate.most_reply_tokens,
        )
        costs = (f"{estimate.cost:,.4f}", f"{estimate.most_cost:,.4f}")
        table.add_row(estimate.title, *(f"{count:,}" for count in counts), *costs)
    expected, most = totals_of(estimates)
    screen = console()
    screen.print(table)
    screen.print(
        f"{expected.calls:,} calls to pay, about {expected.tokens:,} tokens, cost {expected.cost:,.4f}; at most "
        f"{most.tokens:,} tokens, {most.cost:,.4f}.\n"
        f"`exact prompts` are known word for word. The others contain earlier replies, which are taken to have "
        f"{EXPECTED_TOKENS:,} tokens; so are replies. Tokens are estimated from characters. Free: in the response "
        f"cache, or asked by a run before. `At most`: each reply is cut off, continued and asked for again, with a "
        "token for each byte of a prompt; attempts that a server did not answer are not counted. "
        f"More than {MOST_ROWS} rows are counted up.",
        soft_wrap=True,
    )
