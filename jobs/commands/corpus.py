"""`dlcodegen corpus`: from notebooks to data sets."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from jobs.commands.options import ConfigFile, Overrides

if TYPE_CHECKING:
    from jobs.corpus import Summary

app = typer.Typer()
corpus = typer.Typer(help="From notebooks to DLPlanData, DLSamplePool and DLCodeEval.", no_args_is_help=True)
app.add_typer(corpus, name="corpus")


@corpus.command(
    epilog="Example:  dlcodegen corpus build /data/meta-kaggle-code --out out/corpus --meta-kaggle /data/meta-kaggle"
)
def build(
    notebooks: Annotated[
        str,
        typer.Argument(help="A folder or URL of notebooks, or Parquet or JSONL shards of them.", show_default=False),
    ],
    settings: Overrides = None,
    out: Annotated[str, typer.Option("--out", help="The build's folder; the same command goes on after a kill.")] = "",
    meta_kaggle: Annotated[
        str | None, typer.Option("--meta-kaggle", help="Folder of Meta Kaggle's CSV tables.", show_default=False)
    ] = None,
    framework: Annotated[
        str | None, typer.Option("--framework", help="tensorflow (the default), pytorch or jax.", show_default=False)
    ] = None,
    review: Annotated[
        str | None,
        typer.Option(
            "--review", help="A review sheet (CSV): only its approved rows enter the pool.", show_default=False
        ),
    ] = None,
    config: ConfigFile = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="One-CPU workers; by default one per CPU.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Build the three data sets, with drop report, audit, data card and manifest."""
    from jobs.corpus import main as run
    from jobs.corpus_config import CorpusConfig
    from pipeline.config import load_settings

    options = {"out": out, "meta_kaggle": meta_kaggle, "framework": framework, "review": review, "workers": workers}
    given: dict[str, object] = {"input": notebooks} | {name: value for name, value in options.items() if value}
    given |= {"quiet": True} if quiet else {}
    try:
        summary = run(load_settings(CorpusConfig, config, settings or [], **given))
    except KeyboardInterrupt:
        print("dlcodegen: interrupted; the same command goes on where it stopped", file=sys.stderr)
        raise typer.Exit(130) from None
    _print_summary(summary)


def _print_summary(summary: Summary) -> None:
    counts = summary.counts
    table = Table(title="Corpus", show_header=False, title_justify="left")
    table.add_row("files", f"{counts.read:,}")
    for name, count in sorted(counts.kept.items()):
        table.add_row(f"kept: {name}", f"{count:,}")
    for reason, count in counts.dropped.most_common():
        table.add_row(f"dropped: {reason}", f"{count:,}")
    table.add_row("audit", "clean" if summary.audit.clean else "LEAKS")
    table.add_row("time", f"{sum(summary.seconds.values()):.1f} s")
    console = Console()
    console.print(table)
    for name in ("DLPlanData/", "DLSamplePool/", "DLCodeEval/", "drop_report.parquet", "card.md", "manifest.json"):
        console.print(f"  {summary.out.rstrip('/')}/{name}", highlight=False, soft_wrap=True)
