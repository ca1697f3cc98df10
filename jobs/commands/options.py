"""Arguments and options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

Input = Annotated[
    str,
    typer.Argument(
        help="JSONL, JSON, CSV, Parquet, a text file with a requirement a line, a folder of these, or a checkout of "
        "the published artifact; local or any fsspec URL. `starter` is the bundled data."
    ),
]
ConfigFile = Annotated[str | None, typer.Option("--config", help="YAML file of settings.")]
Overrides = Annotated[
    list[str] | None, typer.Argument(help="Settings as key=value, e.g. retrieval.top=3", show_default=False)
]
