"""The HTML report of a job: one file that needs nothing else, from the scored rows.

All rows are counted; a bounded number can be opened. The page's script builds an opened row from JSON with text nodes
only, and a content security policy admits nothing but this page's own style and script, by hash: what a requirement
or a generated program contains is never markup.
"""

from __future__ import annotations

import hashlib
import math
import os
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO, BinaryIO

import fsspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pipeline.records import Scored
from pipeline.score.report_items import Selection, item_json
from pipeline.score.report_summary import Summary, category
from pipeline.score.report_text import clip, visible

_HERE = Path(__file__).parent


def write_report(
    records: Iterable[Scored],
    out: BinaryIO | str | os.PathLike[str],
    *,
    title: str,
    settings: Mapping[str, object],
    items: int = 200,
) -> None:
    """Writes the report of all records, which are read once; equal input gives equal bytes.

    `out` is an open binary file, a path or an fsspec URL; nothing is opened before the last record is read. At most
    `items` rows can be opened (`Selection` says which): about 20 kB and 40 ms each. `settings` are shown as they are,
    nested mappings with dotted names, so they must hold no secrets. Raises ValueError if `items` is negative.
    """
    if items < 0:
        raise ValueError(f"items is the number of rows that can be opened: 0 or more, not {items}")
    summary, selection = Summary(), Selection(items)
    for number, record in enumerate(records):
        summary.add(record)
        selection.add(number, record)
    shown = selection.items()
    css, js = ((_HERE / name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))
    stream = (
        _environment()
        .get_template("report.html.jinja")
        .stream(
            title=title,
            settings=list(_rows(settings)),
            summary=summary,
            items=shown,
            # A generator: the rows' JSON is the bulk of the page and is written row by row.
            data=((item.number, Markup(item_json(item))) for item in shown),
            css=Markup(css),
            js=Markup(js),
            css_hash=_hash(css),
            js_hash=_hash(js),
        )
    )
    stream.enable_buffering(64)
    with _opened(out) as file:
        stream.dump(file, encoding="utf-8")


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: visible(value) if type(value) is str else value,
    )
    environment.filters |= {
        "clip": clip,
        "category": category,
        "percent": percent,
        "score": score,
        "whole": "{:,}".format,
    }
    return environment


def percent(part: int, whole: int) -> str:
    """A share in whole percent. Only none is 0 % and only all is 100 %; of nothing there is no share."""
    if not whole:
        return "–"
    if 0 < part < whole:
        return "<1 %" if part / whole < 0.01 else ">99 %" if part / whole > 0.99 else f"{100 * part / whole:.0f} %"
    return "100 %" if part else "0 %"


def score(value: float | None) -> str:
    """A score with two decimals; a dash where nothing, or nothing finite, was measured."""
    return "–" if value is None or not math.isfinite(value) else f"{value:.2f}"


def _rows(settings: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _rows(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", clip(str(value), 2_000)


def _hash(text: str) -> str:
    """The hash by which a content security policy admits an inline style or script."""
    return f"sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _opened(out: BinaryIO | str | os.PathLike[str]) -> AbstractContextManager[IO[bytes]]:
    if isinstance(out, str | os.PathLike):
        opened: AbstractContextManager[IO[bytes]] = fsspec.open(os.fspath(out), "wb")
        return opened
    return nullcontext(out)
