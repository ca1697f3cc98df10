"""`dlcodegen judge` and `score rate`: runs judged by a language model, and by people, out and back in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from jobs.commands.options import ConfigFile, Quiet, is_setting, print_paths
from jobs.runs.terminal import console, say, say_error

if TYPE_CHECKING:
    from jobs.scoring.judging.results import Judging

app = typer.Typer()

_EXPORT, _IMPORT = "With --export", "With --import"


@app.command(epilog="Example:  dlcodegen judge out/direct out/ours llm=openai model=gpt-4o base_url=https://host/v1")
def judge(
    runs: Annotated[list[str], typer.Argument(help="Folders of runs; and settings as key=value, e.g. samples=5")],
    out: Annotated[
        str | None, typer.Option("--out", help="The folder for the tables; by default judged/ in the first run.")
    ] = None,
    against: Annotated[
        str | None, typer.Option("--against", help="The run that the others are compared with.", show_default=False)
    ] = None,
    config: ConfigFile = None,
    quiet: Quiet = False,
) -> None:
    """Let a language model judge runs: compliance, usefulness, idiomaticity (0-10), and pairs in both orders."""
    from jobs.judge import main
    from jobs.scoring.settings import JudgeConfig
    from pipeline.config import load_settings
    from pipeline.errors import DLCodeGenError

    folders = tuple(word for word in runs if not is_setting(word))
    settings = [word for word in runs if is_setting(word)]
    if not folders:
        raise DLCodeGenError("no run to judge; give the folder of a `dlcodegen generate` run")
    options: dict[str, object] = {"runs": folders, "out": out or f"{folders[0].rstrip('/')}/judged", "quiet": quiet}
    if against is not None:
        options["against"] = against
    _print_judging(main(load_settings(JudgeConfig, config, settings, **options)))


def _print_judging(judging: Judging) -> None:
    from jobs.scoring.judging.tables import judge_tables

    screen = console()
    for table in judge_tables(judging):
        screen.print(table)
    for warning in judging.warnings:
        screen.print(warning, style="yellow", soft_wrap=True)
    tables = ("judged", "judged_comparisons", "preferred", "judgements", "preferences")
    print_paths(screen, judging.out, ("report.html", *(f"{name}.csv" for name in tables)))
    if judging.why_nothing:
        say_error(f"the judge gave no answer that can be read; the first: {judging.why_nothing}")
        raise typer.Exit(1)


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
