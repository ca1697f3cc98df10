"""`dlcodegen judge`: a language model judges runs."""

from __future__ import annotations

from typing import Annotated

import typer

from jobs.commands.options import ConfigFile, console

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
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Let a language model judge runs: compliance, usefulness, idiomaticity (0-10), and pairs in both orders."""
    from jobs.judge import JudgeConfig, main
    from jobs.scoring.judging.tables import judge_tables
    from pipeline.config import load_settings
    from pipeline.errors import DLCodeGenError

    folders = tuple(text for text in runs if "=" not in text)
    if not folders:
        raise DLCodeGenError("no run to judge; give the folder of a `dlcodegen generate` run")
    settings = [text for text in runs if "=" in text]
    given: dict[str, object] = {"runs": folders, "out": out or f"{folders[0].rstrip('/')}/judged", "quiet": quiet}
    if against is not None:
        given["against"] = against
    found = main(load_settings(JudgeConfig, config, settings, **given))
    screen = console()
    for table in judge_tables(found):
        screen.print(table)
    for warning in found.warnings:
        screen.print(f"[yellow]{warning}[/yellow]", soft_wrap=True)
    tables = (f"{name}.csv" for name in ("judged", "judged_comparisons", "preferred", "judgements", "preferences"))
    for name in ("report.html", *tables):
        screen.print(f"  {found.out.rstrip('/')}/{name}", highlight=False, soft_wrap=True)
