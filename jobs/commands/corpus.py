"""`dlcodegen corpus`: from notebooks to data sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from jobs.commands.options import (
    ConfigFile,
    InputOption,
    Overrides,
    Quiet,
    Workers,
    options_used,
    print_paths,
    source_and_settings,
)
from jobs.runs.terminal import Screen, say

if TYPE_CHECKING:
    from corpus_build.write.stats import CorpusStats
    from jobs.corpora.summary import CorpusSummary

app = typer.Typer()
corpus = typer.Typer(help="From notebooks to DLPlanData, DLSamplePool and DLCodeEval.", no_args_is_help=True)
app.add_typer(corpus, name="corpus")


@corpus.command(
    epilog="Example:  dlcodegen corpus build /data/meta-kaggle-code --out out/corpus --meta-kaggle /data/meta-kaggle"
)
def build(
    notebooks: Annotated[
        str | None,
        typer.Argument(
            metavar="NOTEBOOKS",
            help="A folder or URL of notebooks, or Parquet or JSONL shards of them.",
            show_default=False,
        ),
    ] = None,
    settings: Overrides = None,
    input_option: InputOption = None,
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
    workers: Workers = None,
    quiet: Quiet = False,
) -> None:
    """Build the three data sets, with drop report, audit, data card and manifest."""
    from jobs.corpora.settings import CorpusConfig
    from jobs.corpus import main as run
    from pipeline.config import load_settings

    source, overrides = source_and_settings([notebooks, *(settings or [])], input_option)
    options = options_used(
        input=source,
        out=out,
        meta_kaggle=meta_kaggle,
        framework=framework,
        review=review,
        workers=workers,
        quiet=quiet,
    )
    chosen = load_settings(CorpusConfig, config, overrides, **options)
    summary = run(chosen)
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
    screen = Screen()
    screen.print(table)
    files = ("DLPlanData/", "DLSamplePool/", "DLCodeEval/", "drop_report.parquet", "card.md", "manifest.json")
    print_paths(screen, summary.out, files)


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
    for path in write_sheets(folder):
        say(path)


@corpus.command("stats", epilog="Example:  dlcodegen corpus stats out/corpus")
def print_stats(folder: Folder) -> None:
    """Print the counts of a build, and plot them to stats.png in its folder."""
    from corpus_build.write.stats import read_stats
    from jobs.corpora.folder import open_build
    from jobs.corpora.plots import plot_stats

    store, _ = open_build(folder)
    stats = read_stats(store)
    screen = Screen()
    for table in (_rows_by_category(stats), _known_fields(stats), _dropped_files(stats)):
        screen.print(table)
    plot_stats(stats, store.path("stats.png"))
    screen.print(f"  {store.path('stats.png')}", highlight=False, soft_wrap=True)


def _rows_by_category(stats: CorpusStats) -> Table:
    from corpus_build.divide.split import SETS

    table = _table("Rows by task category and set", "task category", *SETS)
    for category, counts in sorted(stats.categories.items()):
        table.add_row(category, *(f"{counts[name]:,}" for name in SETS))
    table.add_row("all", *(f"{stats.rows[name]:,}" for name in SETS), style="bold")
    return table


def _known_fields(stats: CorpusStats) -> Table:
    from corpus_build.write.stats import CONFIDENCE_FIELDS

    table = _table("Rows in which a field is known", "field", "rows", "share", "not by default")
    rows = max(stats.total, 1)
    for name in CONFIDENCE_FIELDS:
        known, stated = stats.known[name], stats.stated[name]
        table.add_row(name, f"{known:,}", f"{known / rows:.1%}", f"{stated / rows:.1%}")
    return table


def _dropped_files(stats: CorpusStats) -> Table:
    table = _table("Files dropped", "reason", "files")
    for reason, count in sorted(stats.dropped.items(), key=lambda item: -item[1]):
        table.add_row(reason, f"{count:,}")
    return table


def _table(title: str, label: str, *numbers: str) -> Table:
    """A table of a column of labels and columns of numbers."""
    table = Table(title=title, title_justify="left")
    table.add_column(label)
    for head in numbers:
        table.add_column(head, justify="right")
    return table


@corpus.command(epilog="Example:  dlcodegen corpus audit out/corpus")
def audit(folder: Folder) -> None:
    """Compare every two sets of a build anew; exit code 1 and the rows' names where they leak."""
    from jobs.corpora.folder import audit_build

    result = audit_build(folder)
    for name, count in result.rows.items():
        say(f"{name}: {count:,} rows")
    for leak in result.leaks:
        say(f"LEAK {leak} ({leak.similarity:.2f})")
    print("clean" if result.clean else f"{sum(result.counts.values()):,} leaks")
    raise typer.Exit(0 if result.clean else 1)


@corpus.command(epilog="Example:  dlcodegen corpus export out/corpus --out out/artifact")
def export(
    folder: Folder,
    out: Annotated[str, typer.Option("--out", help="The folder to write Datasets/ into.", show_default=False)],
) -> None:
    """Write a build in the text formats of the paper's published artifact."""
    from corpus_build.write.paper_format import write_paper_format
    from jobs.corpora.folder import open_build

    write_paper_format(open_build(folder)[0], out)
    say(f"{out.rstrip('/')}/Datasets/")


SHOWN = 20
"""References that `exposure` lists, the most similar first."""


@corpus.command(epilog="Example:  dlcodegen corpus exposure out/corpus llm=openai model=gpt-4o-mini")
def exposure(folder: Folder, settings: Overrides = None, config: ConfigFile = None) -> None:
    """Ask a language model to continue each reference of DLCodeEval, for signs that it has seen them."""
    from jobs.corpora.folder import expose
    from jobs.corpora.settings import ExposureConfig
    from pipeline.config import load_settings
    from pipeline.errors import DLCodeGenError

    build_folder, overrides = source_and_settings([folder, *(settings or [])])
    if build_folder is None:
        raise DLCodeGenError("no corpus build to look at; give the --out of `dlcodegen corpus build`")
    references = expose(build_folder, load_settings(ExposureConfig, config, overrides).llm)
    table = Table(title="Exposure", title_justify="left")
    for column in ("reference", "overlap", "Min-20%", ""):
        table.add_column(column)
    for reference in sorted(references, key=lambda reference: -reference.overlap)[:SHOWN]:
        min_k = "-" if reference.min_k is None else f"{reference.min_k:.2f}"
        verdict = reference.failure or ("exposed" if reference.exposed else "")
        table.add_row(reference.id, f"{reference.overlap:.2f}", min_k, verdict)
    screen = Screen()
    screen.print(table)
    exposed = sum(reference.exposed for reference in references)
    failed = sum(bool(reference.failure) for reference in references)
    screen.print(f"{exposed} of {len(references)} look exposed, {failed} calls failed")
