"""What several commands share: arguments and options, their way to settings, and how results are printed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from typing import Annotated

import typer

from jobs.runs.terminal import Screen
from pipeline.foreign_text import masked_url

INTERRUPTED, TERMINATED = 130, 143
"""Exit codes after Ctrl-C and SIGTERM: 128 and the signal's number, as shells have it."""


def print_paths(screen: Screen, out: str, names: Iterable[str]) -> None:
    """Prints where the files of a result lie, a path a line."""
    for name in names:
        screen.print(f"  {masked_url(out).rstrip('/')}/{name}", highlight=False, soft_wrap=True)


def budget_settings(max_cost: float | None, max_tokens: int | None) -> list[str]:
    """The options' limits as settings."""
    limits = {"budget.cost": max_cost, "budget.tokens": max_tokens}
    return [f"{name}={value}" for name, value in limits.items() if value is not None]


def options_used(**options: object) -> dict[str, object]:
    """The options that were used, as settings; the others are left to the settings file and the defaults."""
    return {name: value for name, value in options.items() if value}


def is_setting(word: str) -> bool:
    """Whether a word is `key=value`. A path is none, though its folders may be named so: s3://bucket/date=2026/rows.csv."""
    return re.match(r"[A-Za-z_][^=/:]*=", word) is not None and not os.path.exists(word)


def source_and_settings(words: Sequence[str | None], option: str | None = None) -> tuple[str | None, list[str]]:
    """Divides a command's words: the first that is no setting is what the command works on, all others are settings.

    `option`: what it works on where an option said so; then all words are settings.
    """
    settings = [word for word in words if word is not None]
    if option:
        return option, settings
    sources = [word for word in settings if not is_setting(word)]
    if not sources:
        return None, settings
    settings.remove(sources[0])
    return sources[0], settings


Input = Annotated[
    str | None,
    typer.Argument(
        metavar="INPUT",
        show_default=False,
        help="JSONL, JSON, CSV, Parquet, a text file with a requirement a line, a folder of these, or a checkout of "
        "the published artifact; local or any fsspec URL; or a requirement in three words or more. `starter` is the "
        "bundled data.",
    ),
]
InputOption = Annotated[
    str | None, typer.Option("--input", help="The input, given as an option.", show_default=False, metavar="INPUT")
]
Out = Annotated[str, typer.Option("--out", help="The run's folder; the same command goes on after a kill.")]
ConfigFile = Annotated[str | None, typer.Option("--config", help="YAML file of settings.")]
Workers = Annotated[int | None, typer.Option("--workers", min=1, help="One-CPU workers; by default one per CPU.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")]
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
DataOption = Annotated[
    str | None,
    typer.Option(
        "--data",
        help="Your own data, a local file or folder, for all rows without a column `data`.",
        show_default=False,
    ),
]
TargetOption = Annotated[
    list[str] | None,
    typer.Option("--target", help="The column (or array) to predict; repeat it for several.", show_default=False),
]
ShareExamples = Annotated[
    bool, typer.Option("--share-examples", help="Also show a few rows of your data to models and in the run's files.")
]
