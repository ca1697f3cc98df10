"""`dlcodegen rate`: human rating, out and back in."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

rate = typer.Typer(help="Human rating: a page for raters, and agreement and correlations from their files.")
app = typer.Typer()
app.add_typer(rate, name="rate")


@rate.command("export", epilog="Example:  dlcodegen rate export out/direct out/ours --out rate.html")
def export(
    runs: Annotated[list[str], typer.Argument(help="Folders of runs whose projects are rated.")],
    out: Annotated[str, typer.Option("--out", help="The page; its key is written beside it, for you only.")],
    items: Annotated[int, typer.Option("--items", min=1, help="Items, evenly spaced over the first run.")] = 20,
    seed: Annotated[int, typer.Option("--seed", help="Decides keys and orders.")] = 0,
    title: Annotated[str, typer.Option("--title", help="The page's title.")] = "Rate deep-learning projects",
) -> None:
    """Write an offline page: blind, in an order of each rater's own, kept in the browser, saved as JSON."""
    from jobs.rating import export_page

    found = export_page(runs, out, items=items, seed=seed, title=title)
    print(f"{found.projects} projects to rate\n  {found.page}   for the raters\n  {found.key}   not for the raters")


@rate.command("import", epilog="Example:  dlcodegen rate import ratings-*.json --key rate.key.json --out out/rated")
def import_(
    files: Annotated[list[str], typer.Argument(help="What raters saved.")],
    key: Annotated[str, typer.Option("--key", help="The page's key file.")],
    out: Annotated[str, typer.Option("--out", help="The folder for the tables.")],
    scores: Annotated[
        str | None, typer.Option("--scores", help="A folder of `dlcodegen score`, to correlate with.")
    ] = None,
    judged: Annotated[
        str | None, typer.Option("--judged", help="A folder of `dlcodegen judge`, to correlate with.")
    ] = None,
) -> None:
    """Merge raters' files: means, differences, agreement, and correlation with every automatic measure."""
    from jobs.rating import import_ratings
    from jobs.scoring.rating_tables import rating_tables

    found = import_ratings(files, key, out, scores=scores, judged=judged)
    for table in rating_tables(found):
        Console().print(table)
