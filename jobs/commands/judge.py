"""`dlcodegen judge`: a language model judges runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from jobs.commands.options import ConfigFile, Quiet, is_setting, print_paths
from jobs.runs.terminal import console

if TYPE_CHECKING:
    from jobs.scoring.judging.results import Judging

app = typer.Typer()


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
