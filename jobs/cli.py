"""The `dlcodegen` command."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipeline.errors import DLCodeGenError

app = typer.Typer(
    name="dlcodegen",
    help="Plain-words requirements to finished deep-learning projects: plan, retrieve, draft twice, compare, score.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"dlcodegen {version('dlcodegen-ray')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Plain-words requirements to finished deep-learning projects: plan, retrieve, draft twice, compare, score."""


Input = Annotated[
    str,
    typer.Argument(
        help="JSONL, JSON, CSV, Parquet, a text file with a requirement a line, a folder of these, or a checkout of "
        "the published artifact; local or any fsspec URL. `starter` is the bundled data."
    ),
]
ConfigFile = Annotated[str | None, typer.Option("--config", help="YAML file of settings.")]
Overrides = Annotated[
    list[str] | None, typer.Argument(help="Settings as key=value, e.g. retrieval.top=3", show_default=False)
]


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
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Generate a scored project for every requirement, in parallel on Ray."""
    from jobs.config import GenerateConfig
    from jobs.generate import main as run
    from pipeline.config import load_settings

    given: dict[str, object] = {"input": input}
    given |= {"out": out} if out else {}
    given |= {"workers": workers} if workers else {}
    given |= {"projects": True} if projects else {}
    given |= {"quiet": True} if quiet else {}
    try:
        summary = run(load_settings(GenerateConfig, config, settings or [], **given))
    except KeyboardInterrupt:
        print("dlcodegen: interrupted; the same command goes on where it stopped", file=sys.stderr)
        raise typer.Exit(130) from None
    _print_summary(summary)
    raise typer.Exit(3 if summary.bugs else 0)


def _print_summary(summary: object) -> None:
    from jobs.generate import Summary

    assert isinstance(summary, Summary)
    table = Table(title="Generated projects", show_header=False, title_justify="left")
    failed = sum(summary.failures.values())
    table.add_row("rows", f"{summary.rows:,}")
    table.add_row("generated", f"{summary.generated:,}")
    table.add_row("failed", f"{failed:,}")
    for name, count in summary.failures.items():
        table.add_row(f"  {name}", f"{count:,}")
    for name, value in summary.means.items():
        table.add_row(f"mean {name.replace('_', ' ')}", f"{value:.4f}")
    if summary.resumed_rows:
        table.add_row("rows finished before", f"{summary.resumed_rows:,}")
    table.add_row("rate", f"{summary.rows_per_second:,.1f} rows/s")
    table.add_row("time", f"{summary.seconds:.1f} s")
    console = Console()
    console.print(table)
    written = ["results/"] * bool(summary.rows) + ["report.html", "manifest.json"]
    written += ["failures.jsonl"] * bool(failed) + ["projects/"] * summary.projects
    for name in written:
        console.print(f"  {summary.out.rstrip('/')}/{name}", highlight=False, soft_wrap=True)
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

    from jobs.config import GenerateConfig
    from pipeline.config import load_settings
    from pipeline.inputs import read_requirements
    from pipeline.records import Planned, Retrieved
    from pipeline.stage import run_local
    from pipeline.stages import generation_stages

    chosen = load_settings(GenerateConfig, config, settings or [], input=input, out="-").for_input(input)
    failed = 0
    for record in run_local(generation_stages(chosen)[:stages], read_requirements(input)):
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


@app.command(epilog="Examples:  dlcodegen score out/demo   |   dlcodegen score project.py --reference solution.py")
def score(
    path: Annotated[str, typer.Argument(help="A run's folder, or one Python file.")],
    reference: Annotated[str | None, typer.Option("--reference", help="A known solution, for CodeBLEU.")] = None,
) -> None:
    """Score a run's projects by category, or one Python file."""
    from jobs.score import score_file, score_run

    table = score_file(path, reference) if path.endswith(".py") else score_run(path)
    Console().print(table)


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
    from jobs.show import newest_run, show_row

    show_row(run or newest_run(), id, what)


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


@app.command()
def doctor() -> None:
    """Tell what is installed, what works here, what is missing and how to get it."""
    from jobs.doctor import checks

    table = Table(title="dlcodegen doctor", title_justify="left")
    for column in ("", "what", "found", "what to do"):
        table.add_column(column, overflow="fold")
    found = checks()
    for check in found:
        mark = "[green]ok[/green]" if check.works else ("[red]no[/red]" if check.required else "[yellow]-[/yellow]")
        table.add_row(mark, check.name, escape(check.found), escape(check.remedy))
    Console().print(table)
    raise typer.Exit(0 if all(check.works or not check.required for check in found) else 1)


def main() -> None:
    """Entry point: mistakes of the user end with one line on standard error and exit code 2."""
    try:
        app()
    except DLCodeGenError as error:
        print(f"dlcodegen: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
