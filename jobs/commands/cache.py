"""`dlcodegen cache`: looking after the language models' response cache."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from jobs.runs.terminal import Screen, say
from pipeline.errors import DLCodeGenError

if TYPE_CHECKING:
    from pipeline.llm.spending.cache import ResponseCache

app = typer.Typer()
cache = typer.Typer(help="Look after the response cache of language models.", no_args_is_help=True)
app.add_typer(cache, name="cache")

Location = Annotated[str, typer.Argument(help="The cache's folder or fsspec URL, as in the setting `cache`.")]

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_BYTES = {"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}


@cache.command("stats", epilog="Example:  dlcodegen cache stats out/llm-cache")
def count_entries(location: Location) -> None:
    """Count the entries, their size and their age."""
    from datetime import UTC, datetime

    entries = list(_existing(location).entries())
    table = Table(title=location, show_header=False, title_justify="left")
    table.add_row("entries", f"{len(entries):,}")
    table.add_row("size", f"{sum(entry.size for entry in entries) / 1e6:,.1f} MB")
    if entries:
        written = [entry.written for entry in entries]
        for name, seconds in (("oldest", min(written)), ("newest", max(written))):
            table.add_row(name, f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC")
    Screen().print(table)


@cache.command(epilog="Example:  dlcodegen cache verify out/llm-cache --delete")
def verify(
    location: Location,
    delete: Annotated[bool, typer.Option("--delete", help="Remove the damaged entries.")] = False,
) -> None:
    """Read every entry and check its digest; damaged ones count as missing. Exits with 1 if any are left."""
    from collections import Counter
    from concurrent.futures import ThreadPoolExecutor

    from pipeline.storage.files import remove

    store = _existing(location)
    entries = list(store.entries())
    with ThreadPoolExecutor(16) as threads:
        models = list(threads.map(store.model_of, entries))
    damaged = [entry for entry, model in zip(entries, models, strict=True) if model is None]
    table = Table(title=location, show_header=False, title_justify="left")
    for model, count in sorted(Counter(filter(None, models)).items()):
        table.add_row(model, f"{count:,}")
    table.add_row("damaged", f"{len(damaged):,}")
    Screen().print(table)
    for entry in damaged:
        say(entry.url)
        if delete:
            remove(entry.url)
    raise typer.Exit(1 if damaged and not delete else 0)


@cache.command(epilog="Example:  dlcodegen cache gc out/llm-cache --older-than 30d --max-size 10G")
def gc(
    location: Location,
    older_than: Annotated[str, typer.Option("--older-than", help="Age as 90m, 12h, 30d or 4w.")] = "",
    max_size: Annotated[str, typer.Option("--max-size", help="Size of what stays, as 500M or 10G.")] = "",
) -> None:
    """Remove entries by age, then the oldest until the rest is small enough."""
    if not older_than and not max_size:
        raise DLCodeGenError("cache gc: give --older-than, --max-size or both; without, nothing would be removed")
    seconds = size = None
    if older_than:
        seconds = quantity(older_than, _SECONDS, "--older-than", "30d")
    if max_size:
        size = int(quantity(max_size, _BYTES, "--max-size", "10G"))
    removed = _existing(location).collect(older_than=seconds, keep_bytes=size)
    print(f"removed {len(removed):,} entries, {sum(entry.size for entry in removed) / 1e6:,.1f} MB")


def _existing(location: str) -> ResponseCache:
    from pipeline.llm.spending.cache import ResponseCache
    from pipeline.storage.files import exists

    cache = ResponseCache(location)
    if not exists(location):
        raise DLCodeGenError(f"{location}: there is no such cache")
    return cache


def quantity(text: str, units: Mapping[str, float], option: str, example: str) -> float:
    """A number with a unit, as `10G`, in the smallest unit. Raises DLCodeGenError that names the option."""
    parts = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]?)B?", text.strip())
    if parts is None or parts[2] not in units:
        known = ", ".join(unit for unit in units if unit)
        raise DLCodeGenError(f"{option} {text}: write a number with a unit ({known}), for example {example}")
    return float(parts[1]) * units[parts[2]]
