"""`dlcodegen experiment`: methods, models, temperatures and seeds side by side."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from jobs.commands.options import DryRun, MaxCost, MaxTokens, Overrides, budget_settings, console

if TYPE_CHECKING:
    from jobs.dry_run import Estimate
    from jobs.experiments.spec import ExperimentConfig

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
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Run methods x models x temperatures x seeds as one job, and print one table."""
    from jobs.experiments.spec import ExperimentConfig
    from pipeline.config import load_settings

    given: dict[str, object] = {"out": out} if out else {}
    given |= {"quiet": True} if quiet else {}
    overrides = [*(settings or []), *budget_settings(max_cost, max_tokens)]
    run_experiment(load_settings(ExperimentConfig, spec, overrides, **given), dry_run=dry_run)


def run_experiment(spec: ExperimentConfig, *, dry_run: bool) -> None:
    """Runs an experiment, or says what it would cost; ends the command."""
    if dry_run:
        from jobs.dry_run import estimate_arms
        from jobs.experiments.spec import arms_of

        print_estimates(estimate_arms(arms_of(spec)))
        raise typer.Exit
    from jobs.experiment import main as run
    from jobs.experiments.table import experiment_tables
    from jobs.scoring.tables import differences_table
    from pipeline.comparison.code_rows import BASELINES

    try:
        done = run(spec)
    except KeyboardInterrupt:
        print("dlcodegen: interrupted; the same command goes on where it stopped", file=sys.stderr)
        raise typer.Exit(130) from None
    screen = console()
    for table in experiment_tables(done.rows):
        screen.print(table)
    screen.print(differences_table(row for row in done.comparisons if row.table != BASELINES))
    screen.print(f"{done.runs_begun} of {done.runs} runs, {done.seconds:.1f} s", highlight=False)
    for name in ("scores/report.html", "table.csv", "table.parquet", "runs/"):
        screen.print(f"  {done.out.rstrip('/')}/{name}", highlight=False, soft_wrap=True)
    if done.stopped:
        screen.print(f"stopped: {done.stopped}; the same command with a higher limit goes on", soft_wrap=True)
    raise typer.Exit(3 if done.bugs else 4 if done.stopped else 0)


def print_estimates(estimates: Sequence[Estimate]) -> None:
    """What would be asked, and what it would cost."""
    from jobs.dry_run import EXPECTED_TOKENS, MOST_ROWS, totals_of

    table = Table(title="Dry run: nothing was sent", title_justify="left")
    table.add_column("run")
    heads = ("rows", "calls", "free", "to pay", "exact prompts", "prompt tokens", "reply tokens", "at most", "cost")
    for head in (*heads, "at most"):
        table.add_column(head, justify="right")
    for item in estimates:
        to_pay = item.calls - item.free
        counts = (item.rows, item.calls, item.free, to_pay, item.exact)
        tokens = (item.prompt_tokens, item.reply_tokens, item.most_reply_tokens)
        texts = [f"{value:,}" for value in (*counts, *tokens)]
        table.add_row(item.title, *texts, f"{item.cost:,.4f}", f"{item.most_cost:,.4f}")
    expected, most = totals_of(estimates)
    screen = console()
    screen.print(table)
    screen.print(
        f"{expected.calls:,} calls to pay, about {expected.tokens:,} tokens, cost {expected.cost:,.4f}; at most "
        f"{most.tokens:,} tokens, {most.cost:,.4f}.\n"
        f"`exact prompts` are known word for word. The others contain earlier replies, which are taken to have "
        f"{EXPECTED_TOKENS:,} tokens; so are replies. Tokens are estimated from characters. Free: in the response "
        f"cache, or asked by a run before. Not counted: retries and continuations. More than {MOST_ROWS} rows are "
        "counted up.",
        soft_wrap=True,
    )
