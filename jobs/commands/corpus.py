"""`dlcodegen corpus`: from notebooks to data sets."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from jobs.commands.options import ConfigFile, Overrides

if TYPE_CHECKING:
    from jobs.corpora.summary import CorpusSummary

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
    from jobs.corpora.settings import CorpusConfig
    from jobs.corpus import main as run
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


def _print_summary(summary: CorpusSummary) -> None:
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


Folder = Annotated[str, typer.Argument(help="The --out of a finished build.", show_default=False)]


@corpus.command(
    epilog="Examples:  dlcodegen corpus review out/corpus   |   dlcodegen corpus review out/corpus --take sheet.csv"
)
def review(
    folder: Folder,
    take: Annotated[
        str | None,
        typer.Option("--take", help="A sheet with decisions; the sets are divided anew.", show_default=False),
    ] = None,
) -> None:
    """Write the review sheet of the sample pool (HTML and CSV), or take its approvals back."""
    from jobs.corpora.folder import with_approvals, write_sheets
    from jobs.corpus import main as run

    if take is not None:
        _print_summary(run(with_approvals(folder, take)))
        return
    for place in write_sheets(folder):
        print(place)


@corpus.command(epilog="Example:  dlcodegen corpus stats out/corpus")
def stats(folder: Folder) -> None:
    """Print the counts of a build, and plot them to stats.png in its folder."""
    from corpus_build.divide.split import SETS
    from corpus_build.write.stats import CONFIDENCE_FIELDS, read_stats
    from jobs.corpora.folder import open_build
    from jobs.corpora.plots import plot_stats

    store, _ = open_build(folder)
    found = read_stats(store)
    table = Table(title="Rows by task category and set", title_justify="left")
    for column in ("task category", *SETS):
        table.add_column(column, justify="left" if column == "task category" else "right")
    for category, counts in sorted(found.categories.items()):
        table.add_row(category, *(f"{counts[name]:,}" for name in SETS))
    table.add_row("all", *(f"{found.rows[name]:,}" for name in SETS), style="bold")
    known = Table(title="Rows in which a field is known", title_justify="left")
    for column in ("field", "rows", "share", "not by default"):
        known.add_column(column, justify="left" if column == "field" else "right")
    for name in CONFIDENCE_FIELDS:
        shares = (f"{counts[name] / max(found.total, 1):.1%}" for counts in (found.known, found.stated))
        known.add_row(name, f"{found.known[name]:,}", *shares)
    dropped = Table(title="Files dropped", title_justify="left")
    for column in ("reason", "files"):
        dropped.add_column(column, justify="left" if column == "reason" else "right")
    for reason, count in sorted(found.dropped.items(), key=lambda item: -item[1]):
        dropped.add_row(reason, f"{count:,}")
    console = Console()
    for part in (table, known, dropped):
        console.print(part)
    plot_stats(found, store.path("stats.png"))
    console.print(f"  {store.path('stats.png')}", highlight=False, soft_wrap=True)


@corpus.command(epilog="Example:  dlcodegen corpus audit out/corpus")
def audit(folder: Folder) -> None:
    """Compare every two sets of a build anew; exit code 1 and the rows' names where they leak."""
    from jobs.corpora.folder import audit_build

    found = audit_build(folder)
    for name, count in found.rows.items():
        print(f"{name}: {count:,} rows")
    for leak in found.leaks:
        print(f"LEAK {leak} ({leak.similarity:.2f})")
    print("clean" if found.clean else f"{sum(found.counts.values()):,} leaks")
    raise typer.Exit(0 if found.clean else 1)


@corpus.command(epilog="Example:  dlcodegen corpus export out/corpus --out out/artifact")
def export(
    folder: Folder,
    out: Annotated[str, typer.Option("--out", help="The folder to write Datasets/ into.", show_default=False)],
) -> None:
    """Write a build in the text formats of the paper's published artifact."""
    from corpus_build.write.paper_format import write_paper_format
    from jobs.corpora.folder import open_build

    write_paper_format(open_build(folder)[0], out)
    print(f"{out.rstrip('/')}/Datasets/")


@corpus.command(epilog="Example:  dlcodegen corpus exposure out/corpus llm=openai model=gpt-4o-mini")
def exposure(folder: Folder, settings: Overrides = None, config: ConfigFile = None) -> None:
    """Ask a language model to continue each reference of DLCodeEval, for signs that it has seen them."""
    from jobs.corpora.folder import expose
    from jobs.corpora.settings import ExposureConfig
    from pipeline.config import load_settings

    found = expose(folder, load_settings(ExposureConfig, config, settings or []).llm)
    table = Table(title="Exposure", title_justify="left")
    for column in ("reference", "overlap", "Min-20%", ""):
        table.add_column(column)
    for item in sorted(found, key=lambda item: -item.overlap)[:20]:
        min_k = "-" if item.min_k is None else f"{item.min_k:.2f}"
        table.add_row(item.id, f"{item.overlap:.2f}", min_k, item.failure or ("exposed" if item.exposed else ""))
    console = Console()
    console.print(table)
    failed = sum(bool(item.failure) for item in found)
    console.print(f"{sum(item.exposed for item in found)} of {len(found)} look exposed, {failed} calls failed")
