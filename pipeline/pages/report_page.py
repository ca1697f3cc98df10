"""A report's page: one HTML file that needs nothing else.

The page's script builds an opened row from JSON with text nodes only, and a content security policy
admits nothing but this page's own style and script, by hash: what a requirement or a generated
program contains is never markup.
"""

from __future__ import annotations

import hashlib
import math
import os
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO, BinaryIO

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pipeline.foreign_text import visible, without_secrets
from pipeline.pages.report_summary import category
from pipeline.pages.report_text import clip
from pipeline.storage.files import atomic_writer

_HERE = Path(__file__).parent

LADDER_STYLES = "ladder/ladder.css"
"""Styles of what a page shows of projects that were run."""

_BEFORE = {"report.js": ("elements.js", "ladder/run.js"), "rate.js": ("elements.js",)}
"""What a page's script needs before it."""

Target = BinaryIO | str | os.PathLike[str]
"""An open binary file, a path or an fsspec URL."""


def write_page(
    out: Target,
    template: str,
    *,
    title: str,
    data: Iterable[tuple[int, str]],
    styles: Sequence[str] = ("report.css",),
    script: str = "report.js",
    images: bool = False,
    **parts: object,
) -> None:
    """Writes a template that extends page.html.jinja. `data`: for each row that can be opened its
    number and its JSON, which is the bulk of the page and is written row by row. `styles` are
    joined, `script` is the page's and comes behind what it needs. `images`: whether the page
    has some inside."""
    css = "\n".join((_HERE / name).read_text(encoding="utf-8") for name in styles)
    js = "".join((_HERE / name).read_text(encoding="utf-8") for name in (*_BEFORE.get(script, ()), script))
    stream = (
        _environment()
        .get_template(template)
        .stream(
            title=title,
            data=((number, Markup(json)) for number, json in data),
            css=Markup(css),
            js=Markup(js),
            css_hash=_hash(css),
            js_hash=_hash(js),
            images=images,
            **parts,
        )
    )
    stream.enable_buffering(64)
    with _opened(out) as file:
        stream.dump(file, encoding="utf-8")


def setting_rows(settings: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Settings as names and texts, nested mappings with dotted names."""
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from setting_rows(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", clip(without_secrets(str(value)), 2_000)


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
        "score": score_text,
        "whole": "{:,}".format,
    }
    return environment


def percent(part: int, whole: int) -> str:
    """A share in whole percent. Only none is 0 % and only all is 100 %; of nothing
    there is no share."""
    if not whole:
        return "–"
    if not part:
        return "0 %"
    if part >= whole:
        return "100 %"
    share = part / whole
    if share < 0.01:
        return "<1 %"
    if share > 0.99:
        return ">99 %"
    return f"{100 * part / whole:.0f} %"


def score_text(value: float | None) -> str:
    """A score with two decimals; a dash where nothing, or nothing finite, was measured."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:.2f}"


def _hash(text: str) -> str:
    """The hash by which a content security policy admits an inline style or script."""
    return f"sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _opened(out: Target) -> AbstractContextManager[IO[bytes]]:
    if isinstance(out, str | os.PathLike):
        return atomic_writer(os.fspath(out))
    return nullcontext(out)
