"""`dlcodegen generate`, `plan`, `retrieve` and `show`: from requirements to projects."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from jobs.commands.options import (
    ConfigFile,
    DataOption,
    DryRun,
    Input,
    InputOption,
    MaxCost,
    MaxTokens,
    Out,
    Overrides,
    Quiet,
    ShareExamples,
    TargetOption,
    Workers,
    budget_settings,
    options_used,
    print_paths,
    source_and_settings,
)
from jobs.runs.terminal import Screen, say_error

if TYPE_CHECKING:
    from jobs.runs.summary import RunSummary
    from pipeline.measures.call_totals import CallTotals
    from pipeline.measures.delivery.check import Satisfaction
    from pipeline.records import Requirement
    from pipeline.request.constraints import Constraint

app = typer.Typer()


@app.command(
    epilog="Examples:  dlcodegen generate starter --out out/demo --projects   |   "
    "dlcodegen generate wishes.txt --data house.csv --target price --out out/house --projects   |   "
    "dlcodegen generate requirements.csv --out s3://bucket/run1 --config run.yaml shard_rows=256"
)
def generate(
    input: Input = None,
    settings: Overrides = None,
    input_option: InputOption = None,
    out: Out = "",
    config: ConfigFile = None,
    data: DataOption = None,
    target: TargetOption = None,
    share_examples: ShareExamples = False,
    projects: Annotated[bool, typer.Option("--projects", help="Also write each project as a folder.")] = False,
    workers: Workers = None,
    max_cost: MaxCost = None,
    max_tokens: MaxTokens = None,
    dry_run: DryRun = False,
    quiet: Quiet = False,
) -> None:
    """Generate a scored project for every requirement, in parallel on Ray."""
    from jobs.generation.settings import GenerateConfig
    from pipeline.config import load_settings

    source, overrides = source_and_settings([input, *(settings or [])], input_option)
    overrides += budget_settings(max_cost, max_tokens)
    options = options_used(
        input=source,
        out=out,
        data=data,
        target=target,
        share_examples=share_examples,
        workers=workers,
        projects=projects,
        quiet=quiet,
    )
    chosen = load_settings(GenerateConfig, config, overrides, **options)
    if chosen.run.sweep:
        from jobs.commands.experiment import run_experiment
        from jobs.experiments.spec import sweep_of

        run_experiment(sweep_of(chosen), dry_run=dry_run)  # ends the command
    if dry_run:
        from jobs.commands.experiment import print_estimates
        from jobs.dry_run import main as estimate

        print_estimates(estimate(chosen))
        raise typer.Exit
    from jobs.generate import main as run

    summary = run(chosen)
    _print_summary(summary)
    if summary.bugs:
        raise typer.Exit(3)
    if summary.pending:
        raise typer.Exit(4)
    if not summary.generated:
        say_error(_why_nothing(summary))
        raise typer.Exit(1)


def _why_nothing(summary: RunSummary) -> str:
    if not summary.rows:
        return "the input has no rows, so there is nothing to generate"
    return f"all {summary.rows:,} rows failed; the first: {summary.first_failure}"


def _call_totals(calls: CallTotals) -> dict[str, str]:
    """The calls to language models as labels and texts; nothing where there were none."""
    if not calls.calls:
        return {}
    share = calls.cached_tokens / calls.prompt_tokens if calls.prompt_tokens else 0.0
    return {
        "model calls": f"{calls.calls:,}, {calls.cached:,} of them from the response cache",
        "tokens": f"{calls.prompt_tokens:,} of prompts ({share:.0%} in the engine's prefix cache), "
        f"{calls.completion_tokens:,} of replies",
        "cost": f"{calls.cost:,.4f}",
    }


def _print_summary(summary: RunSummary) -> None:
    from jobs.runs.executed import endings_table, funnel_table

    failed = sum(summary.failures.values())
    table = Table(title="Generated projects", show_header=False, title_justify="left")
    table.add_row("rows", f"{summary.rows:,}")
    table.add_row("generated", f"{summary.generated:,}")
    table.add_row("failed", f"{failed:,}")
    for name, count in summary.failures.items():
        table.add_row(f"  {name}", f"{count:,}")
    if summary.pending:
        table.add_row("pending", f"{summary.pending:,}")
    for label, text in asked_rows(summary.asked):
        table.add_row(label, text)
    if summary.execution.projects:
        infra = f", {summary.execution.infra:,} of them failed by the machinery" if summary.execution.infra else ""
        table.add_row("projects run", f"{summary.execution.projects:,}{infra}")
    for name, value in summary.means.items():
        if name == "conformance_final" and value == summary.means.get("conformance"):
            continue  # no plan was corrected
        table.add_row(f"mean {name.replace('_', ' ')}", f"{value:.4f}")
    for label, text in _call_totals(summary.calls).items():
        table.add_row(label, text)
    for step in summary.server_steps:
        table.add_row("the model's server", step)
    if summary.resumed_rows:
        table.add_row("rows finished before", f"{summary.resumed_rows:,}")
    table.add_row("rate", f"{summary.rows_per_second:,.1f} rows/s")
    table.add_row("time", f"{summary.seconds:.1f} s")
    screen = Screen()
    screen.print(table)
    if summary.execution.projects:
        screen.print(funnel_table(summary.execution))
    if summary.execution.exceptions:
        screen.print(endings_table(summary.execution))
    print_paths(screen, summary.out, _files_written(summary))
    if summary.stopped:
        screen.print(f"stopped: {summary.stopped}; the same command with a higher limit goes on", soft_wrap=True)
    if summary.bugs:
        screen.print(
            f"{summary.bugs} rows met a bug of ours; please report their messages from failures.jsonl", style="red"
        )


def asked_rows(asked: Satisfaction) -> Iterator[tuple[str, str]]:
    """CSR and SSR with what they are shares of; nothing where nothing was asked that can be looked up."""
    if asked.checkable:
        not_checkable = f"; {asked.not_checkable:,} not checkable" if asked.not_checkable else ""
        yield "constraints met (CSR)", _of(asked.met, asked.checkable) + not_checkable
        yield "rows with all met (SSR)", _of(asked.satisfied, asked.rows)
    if asked.lost:
        yield (
            "  failed rows as not met",
            (
                f"CSR {_of(asked.met, asked.checkable + asked.lost)}; "
                f"SSR {_of(asked.satisfied, asked.rows + asked.lost_rows)}"
            ),
        )


def _of(part: int, whole: int) -> str:
    return f"{part:,} of {whole:,}, {part / whole:.1%}"


def _files_written(summary: RunSummary) -> Iterator[str]:
    if summary.rows:
        yield "results/"
    if summary.calls.calls:
        yield "calls/"
    yield "report.html"
    yield "manifest.json"
    if summary.failures:
        yield "failures.jsonl"
    if summary.projects:
        yield "projects/"


@app.command(epilog="Example:  dlcodegen plan requirements.txt > plans.jsonl")
def plan(
    input: Input = None,
    settings: Overrides = None,
    config: ConfigFile = None,
) -> None:
    """Print what was understood of every requirement, and a solution plan for it: a JSON object a line."""
    _print_rows([input, *(settings or [])], config, stages=1)


@app.command(epilog="Example:  dlcodegen retrieve requirements.jsonl retrieval.top=5")
def retrieve(
    input: Input = None,
    settings: Overrides = None,
    config: ConfigFile = None,
) -> None:
    """Print the samples that each requirement's plan retrieves, and what the firewall kept out."""
    _print_rows([input, *(settings or [])], config, stages=2)


def _print_rows(words: list[str | None], config: str | None, stages: int) -> None:
    """Prints what the first stages make of each requirement."""
    from jobs.generation.language_model import planning
    from jobs.generation.settings import GenerateConfig
    from pipeline.config import load_settings
    from pipeline.foreign_text import json_line
    from pipeline.inputs import read_requirements
    from pipeline.stage import run_local
    from pipeline.stages import MethodStages
    from pipeline.understanding import understand_stage

    source, overrides = source_and_settings(words)
    chosen = load_settings(GenerateConfig, config, overrides, **options_used(input=source), out="-")
    chosen = chosen.for_input(chosen.run.input)
    failed = 0
    with planning(chosen) as plan_stage:
        chain = (understand_stage(), plan_stage, MethodStages(chosen).retrieve())[: 1 + stages]
        for record in run_local(chain, read_requirements(chosen.run.input)):
            failed += record.failure is not None
            print(json_line(_row(record)))
    if failed:
        print(f"{failed} rows failed; see their `failure`", file=sys.stderr)


def _row(record: Requirement) -> dict[str, object]:
    from dataclasses import asdict

    from pipeline.records import Planned, Retrieved, Understood

    row: dict[str, object] = {"id": record.id, "User Requirement": record.requirement}
    if isinstance(record, Understood):
        row["Asked"] = [_asked(record, constraint) for constraint in record.constraints]
    if record.failure is not None:
        row["failure"] = asdict(record.failure)
    elif isinstance(record, Retrieved):
        row["samples"] = [asdict(sample) for sample in record.samples]
        row["excluded"] = [asdict(sample) for sample in record.excluded]
    elif isinstance(record, Planned) and record.plan is not None:
        row["Dataset Attributes"] = record.attributes
        row["Code Plan"] = record.plan.model_dump(by_alias=True)
    return row


def _asked(record: Requirement, constraint: Constraint) -> dict[str, object]:
    from pipeline.understanding import texts_read

    asked: dict[str, object] = {
        "aspect": constraint.aspect,
        "name": constraint.name,
        "value": constraint.value,
        "words": constraint.words(texts_read(record)[constraint.source]),
    }
    if constraint.negated:
        asked["negated"] = True
    return asked


@app.command(epilog="Example:  dlcodegen show req-image-a-01 --run out/demo --what plan")
def show(
    id: Annotated[str, typer.Argument(help="The row's id.")],
    run: Annotated[
        str | None, typer.Option("--run", help="A run's folder; by default the newest under out/.", show_default=False)
    ] = None,
    what: Annotated[
        str,
        typer.Option(
            "--what",
            help="all, asked, execution, calls, plan, template, draft1, draft2, code, notebook, requirements.",
        ),
    ] = "all",
    out: Annotated[
        str | None,
        typer.Option("--out", help="With --what calls: a folder for the row's file of calls.", show_default=False),
    ] = None,
) -> None:
    """Show one row of a run: requirement, plan, samples, choices, scores and code; with `--what calls` each prompt as
    it was sent and each reply as it came."""
    from jobs.runs.show import newest_run, show_row

    show_row(run or newest_run(), id, what, out)


@app.command(epilog="Example:  dlcodegen status out/demo")
def status(run: Annotated[str, typer.Argument(help="A run's folder or URL.", show_default=False)]) -> None:
    """Say how far a run is, what it has spent, and whether anyone works on it."""
    from jobs.runs.status import status_lines
    from jobs.runs.terminal import say

    for line in status_lines(run):
        say(line)
