"""`dlcodegen describe`: what a practitioner's own data hold."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from jobs.runs.terminal import console

if TYPE_CHECKING:
    from pipeline.data_description.description import DataDescription
    from pipeline.request.data_contract import DataInput

app = typer.Typer()

SHOWN_COLUMNS = 60


@app.command(
    epilog="Examples:  dlcodegen describe house.csv --target price   |   dlcodegen describe photos/ --json",
)
def describe(
    data: Annotated[str, typer.Argument(metavar="DATA", help="A local file or folder.", show_default=False)],
    target: Annotated[
        list[str] | None,
        typer.Option("--target", help="The column (or array) to predict; repeat it for several.", show_default=False),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the description and the data contract as JSON.")
    ] = False,
) -> None:
    """Tell what your own data hold, as a request's attributes: names, kinds and counts. Nothing leaves the machine."""
    from pipeline.data_description.describe import describe as describe_data

    description = describe_data(data, target)
    if as_json:
        # With escapes: names of files may hold bytes that are no text.
        print(json.dumps(description.as_json(), indent=2))
        return
    _print_description(description)


def _print_description(description: DataDescription) -> None:
    screen = console()
    screen.print(description.attributes, highlight=False, soft_wrap=True)
    if description.target_rule:
        screen.print(f"target by: {description.target_rule}", highlight=False, soft_wrap=True)
    if description.contract is not None:
        for data_input in description.contract.inputs[:1]:
            if data_input.columns:
                screen.print(_columns_table(data_input))
    for note in description.notes:
        screen.print(f"note: {note}", highlight=False, soft_wrap=True)
    if description.damaged:
        screen.print(f"damaged: {len(description.damaged)}", highlight=False)
        for line in description.damaged[:20]:
            screen.print(f"  {line}", highlight=False, soft_wrap=True)


def _columns_table(data_input: DataInput) -> Table:
    from pipeline.data_description.wording import shown_name

    table = Table(title_justify="left")
    for head in ("column", "kind", "role"):
        table.add_column(head)
    for head in ("missing", "different values"):
        table.add_column(head, justify="right")
    for column in data_input.columns[:SHOWN_COLUMNS]:
        missing = f"{column.missing:.1%}" if column.missing else ""
        distinct = "" if column.distinct is None else f"{column.distinct:,}"
        table.add_row(shown_name(column.name), column.kind, column.role, missing, distinct)
    if len(data_input.columns) > SHOWN_COLUMNS:
        table.add_row(f"... {len(data_input.columns) - SHOWN_COLUMNS:,} more")
    return table
