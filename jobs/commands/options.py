"""Arguments and options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console


def console() -> Console:
    """Where tables are printed: as wide as the terminal, in a file or pipe wide enough for most tables."""
    found = Console()
    return found if found.is_terminal else Console(width=200)


def budget_settings(max_cost: float | None, max_tokens: int | None) -> list[str]:
    """The options' limits as settings."""
    given = {"budget.cost": max_cost, "budget.tokens": max_tokens}
    return [f"{name}={value}" for name, value in given.items() if value is not None]


Input = Annotated[
    str,
    typer.Argument(
        help="JSONL, JSON, CSV, Parquet, a text file with a requirement a line, a folder of these, or a checkout of "
        "the published artifact; local or any fsspec URL. `starter` is the bundled data."
    ),
]
ConfigFile = Annotated[str | None, typer.Option("--config", help="YAML file of settings.")]
MaxCost = Annotated[
    float | None,
    typer.Option("--max-cost", min=0, help="Stop before calls to language models cost more; see `price`."),
]
MaxTokens = Annotated[
    int | None, typer.Option("--max-tokens", min=0, help="Stop before calls use more tokens, prompts and replies.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Print calls, tokens and cost of the language model, and send nothing.")
]
Overrides = Annotated[
    list[str] | None, typer.Argument(help="Settings as key=value, e.g. retrieval.top=3", show_default=False)
]
