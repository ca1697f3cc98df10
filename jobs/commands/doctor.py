"""`dlcodegen doctor`."""

from __future__ import annotations

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

app = typer.Typer()


@app.command()
def doctor() -> None:
    """Tell what is installed, what works here, what is missing and how to get it."""
    from jobs.cluster.doctor import checks

    table = Table(title="dlcodegen doctor", title_justify="left")
    for column in ("", "what", "found", "what to do"):
        table.add_column(column, overflow="fold")
    found = checks()
    for check in found:
        mark = "[green]ok[/green]" if check.works else ("[red]no[/red]" if check.required else "[yellow]-[/yellow]")
        table.add_row(mark, check.name, escape(check.finding), escape(check.remedy))
    Console().print(table)
    raise typer.Exit(0 if all(check.works or not check.required for check in found) else 1)
