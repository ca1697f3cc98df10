"""`dlcodegen doctor`."""

from __future__ import annotations

import typer
from rich.table import Table
from rich.text import Text

from jobs.runs.terminal import Screen

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
            mark = Text("ok", "green")
        elif check.required:
            mark = Text("no", "red")
            exit_code = 1
        else:
            mark = Text("-", "yellow")
        table.add_row(mark, check.name, check.finding, check.remedy)
    Screen().print(table)
    raise typer.Exit(exit_code)
