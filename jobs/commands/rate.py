"""`dlcodegen score rate`: human rating, out and back in."""

from __future__ import annotations

from typing import Annotated

import typer

from jobs.runs.terminal import console, say

_EXPORT, _IMPORT = "With --export", "With --import"


def rate(
    paths: Annotated[list[str], typer.Argument(help="Folders of runs to be rated; or the files that raters saved.")],
    out: Annotated[str, typer.Option("--out", help="The page to write; or the folder for the tables.")],
    export: Annotated[bool, typer.Option("--export", help="Write an offline page for raters, and its key.")] = False,
    merge: Annotated[bool, typer.Option("--import", help="Merge raters' files into tables.")] = False,
    items: Annotated[
        int, typer.Option("--items", min=1, help="Items, evenly spaced over the first run.", rich_help_panel=_EXPORT)
    ] = 20,
    seed: Annotated[int, typer.Option("--seed", help="Decides keys and orders.", rich_help_panel=_EXPORT)] = 0,
    title: Annotated[
        str, typer.Option("--title", help="The page's title.", rich_help_panel=_EXPORT)
    ] = "Rate deep-learning projects",
    key: Annotated[
        str | None, typer.Option("--key", help="The page's key file (PAGE.key.json).", rich_help_panel=_IMPORT)
    ] = None,
    scores: Annotated[
        str | None,
        typer.Option("--scores", help="A folder of `dlcodegen score`, to correlate with.", rich_help_panel=_IMPORT),
    ] = None,
    judged: Annotated[
        str | None,
        typer.Option("--judged", help="A folder of `dlcodegen judge`, to correlate with.", rich_help_panel=_IMPORT),
    ] = None,
) -> None:
    """Human rating: an offline page, blind and in an order of each rater's own (--export), and back (--import): means,
    differences, agreement, and correlation with every automatic measure."""
    from jobs.scoring.judging.rating import export_page, import_ratings
    from jobs.scoring.judging.rating_tables import rating_tables
    from pipeline.errors import DLCodeGenError

    if export == merge:
        raise DLCodeGenError("score rate: give --export with runs, or --import with raters' files")
    if export:
        page = export_page(paths, out, items=items, seed=seed, title=title)
        say(f"{page.projects} projects to rate\n  {page.page}   for the raters\n  {page.key}   not for the raters")
        return
    if key is None:
        raise DLCodeGenError("score rate --import: give --key, the file that --export wrote beside the page")
    for table in rating_tables(import_ratings(paths, key, out, scores=scores, judged=judged)):
        console().print(table)
