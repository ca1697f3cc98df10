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
    exit_code = 0
    for check in checks():
        if check.works:
            mark = "[green]ok[/green]"
        elif check.required:
            mark = "[red]no[/red]"
            exit_code = 1
        else:
            mark = "[yellow]-[/yellow]"
        table.add_row(mark, check.name, escape(check.finding), escape(check.remedy))
    Console().print(table)
    raise typer.Exit(exit_code)
