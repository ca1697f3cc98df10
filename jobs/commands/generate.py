"""`dlcodegen generate`, `plan`, `retrieve` and `show`: from requirements to projects."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from jobs.commands.options import ConfigFile, DryRun, Input, MaxCost, MaxTokens, Overrides, budget_settings

if TYPE_CHECKING:
    from jobs.runs.summary import RunSummary
    from pipeline.measures.call_totals import CallTotals

app = typer.Typer()


@app.command(
    epilog="Examples:  dlcodegen generate starter --out out/demo --projects   |   "
    "dlcodegen generate requirements.csv --out s3://bucket/run1 --config run.yaml shard_rows=256"
)
def generate(
    input: Input,
    settings: Overrides = None,
    out: Annotated[str, typer.Option("--out", help="The run's folder; the same command goes on after a kill.")] = "",
    config: ConfigFile = None,
    projects: Annotated[bool, typer.Option("--projects", help="Also write each project as a folder.")] = False,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="One-CPU workers; by default one per CPU.")
    ] = None,
    max_cost: MaxCost = None,
    max_tokens: MaxTokens = None,
    dry_run: DryRun = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Generate a scored project for every requirement, in parallel on Ray."""
    from jobs.generate import main as run
    from jobs.generation.settings import GenerateConfig
    from pipeline.config import load_settings

    given: dict[str, object] = {"input": input}
    given |= {"out": out} if out else {}
    given |= {"workers": workers} if workers else {}
    given |= {"projects": True} if projects else {}
    given |= {"quiet": True} if quiet else {}
    overrides = [*(settings or []), *budget_settings(max_cost, max_tokens)]
    chosen = load_settings(GenerateConfig, config, overrides, **given)
    if chosen.run.sweep:
        from jobs.commands.experiment import run_experiment
        from jobs.experiments.spec import sweep_of

        run_experiment(sweep_of(chosen), dry_run=dry_run)
    if dry_run:
        from jobs.commands.experiment import print_estimates
        from jobs.dry_run import estimate_run

        print_estimates([estimate_run(chosen)])
        raise typer.Exit
    try:
        summary = run(chosen)
    except KeyboardInterrupt:
        print("dlcodegen: interrupted; the same command goes on where it stopped", file=sys.stderr)
        raise typer.Exit(130) from None
    _print_summary(summary)
    raise typer.Exit(3 if summary.bugs else 4 if summary.pending else 0)


def call_totals(calls: CallTotals) -> dict[str, str]:
    """The calls to language models as labels and texts; nothing where there were none."""
    if not calls.calls:
        return {}
    return {
        "model calls": f"{calls.calls:,}, {calls.cached:,} of them from the response cache",
        "tokens": f"{calls.prompt_tokens:,} of prompts ({calls.cached_tokens:,} in the engine's prefix cache), "
        f"{calls.completion_tokens:,} of replies",
        "cost": f"{calls.cost:,.4f}",
    }


def _print_summary(summary: RunSummary) -> None:
    table = Table(title="Generated projects", show_header=False, title_justify="left")
    failed = sum(summary.failures.values())
    table.add_row("rows", f"{summary.rows:,}")
    table.add_row("generated", f"{summary.generated:,}")
    table.add_row("failed", f"{failed:,}")
    for name, count in summary.failures.items():
        table.add_row(f"  {name}", f"{count:,}")
    if summary.pending:
        table.add_row("pending", f"{summary.pending:,}")
    for name, value in summary.means.items():
        table.add_row(f"mean {name.replace('_', ' ')}", f"{value:.4f}")
    for label, text in call_totals(summary.calls).items():
        table.add_row(label, text)
    if summary.resumed_rows:
        table.add_row("rows finished before", f"{summary.resumed_rows:,}")
    table.add_row("rate", f"{summary.rows_per_second:,.1f} rows/s")
    table.add_row("time", f"{summary.seconds:.1f} s")
    console = Console()
    console.print(table)
    written = (
        ["results/"] * bool(summary.rows) + ["calls/"] * bool(summary.calls.calls) + ["report.html", "manifest.json"]
    )
    written += ["failures.jsonl"] * bool(failed) + ["projects/"] * summary.projects
    for name in written:
        console.print(f"  {summary.out.rstrip('/')}/{name}", highlight=False, soft_wrap=True)
    if summary.stopped:
        console.print(f"stopped: {summary.stopped}; the same command with a higher limit goes on", soft_wrap=True)
    if summary.bugs:
        console.print(
            f"[red]{summary.bugs} rows met a bug of ours; please report their messages from failures.jsonl[/red]"
        )


@app.command(epilog="Example:  dlcodegen plan requirements.txt > plans.jsonl")
def plan(
    input: Input,
    settings: Overrides = None,
    config: ConfigFile = None,
) -> None:
    """Print a solution plan for every requirement, a JSON object a line."""
    _print_rows(input, settings, config, stages=1)


@app.command(epilog="Example:  dlcodegen retrieve requirements.jsonl retrieval.top=5")
def retrieve(
    input: Input,
    settings: Overrides = None,
    config: ConfigFile = None,
) -> None:
    """Print the samples that each requirement's plan retrieves, and what the firewall kept out."""
    _print_rows(input, settings, config, stages=2)


def _print_rows(input: str, settings: list[str] | None, config: str | None, stages: int) -> None:
    from dataclasses import asdict

    from jobs.generation.language_model import planning
    from jobs.generation.settings import GenerateConfig
    from pipeline.config import load_settings
    from pipeline.inputs import read_requirements
    from pipeline.records import Planned, Retrieved
    from pipeline.stage import run_local
    from pipeline.stages import MethodStages

    chosen = load_settings(GenerateConfig, config, settings or [], input=input, out="-").for_input(input)
    failed = 0
    with planning(chosen) as plan_stage:
        for record in run_local((plan_stage, MethodStages(chosen).retrieve())[:stages], read_requirements(input)):
            row: dict[str, object] = {"id": record.id, "User Requirement": record.requirement}
            if record.failure is not None:
                failed += 1
                row["failure"] = asdict(record.failure)
            elif isinstance(record, Retrieved):
                row |= {"samples": [asdict(item) for item in record.samples]}
                row |= {"excluded": [asdict(item) for item in record.excluded]}
            elif isinstance(record, Planned) and record.plan is not None:
                row |= {"Dataset Attributes": record.attributes, "Code Plan": record.plan.model_dump(by_alias=True)}
            print(json.dumps(row, ensure_ascii=False))
    if failed:
        print(f"{failed} rows failed; see their `failure`", file=sys.stderr)


@app.command(epilog="Example:  dlcodegen show req-image-a-01 --run out/demo --what plan")
def show(
    id: Annotated[str, typer.Argument(help="The row's id.")],
    run: Annotated[
        str | None, typer.Option("--run", help="A run's folder; by default the newest under out/.", show_default=False)
    ] = None,
    what: Annotated[
        str, typer.Option("--what", help="all, plan, template, draft1, draft2, code, notebook, requirements.")
    ] = "all",
) -> None:
    """Show one row of a run: requirement, plan, samples, choices, scores and code."""
    from jobs.runs.show import newest_run, show_row

    show_row(run or newest_run(), id, what)
