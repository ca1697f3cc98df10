"""Templates to responses: everything that a user, a sample or a model wrote is escaped text, with hidden characters
shown."""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipeline.foreign_text import visible
from serving.api.access import Caller

_HERE = Path(__file__).parent


def render(
    request: Request, template: str, *, status: int = 200, caller: Caller | None = None, **values: object
) -> HTMLResponse:
    """A page from its template."""
    text = _environment().get_template(template).render(caller=caller, path=request.url.path, **values)
    return HTMLResponse(text, status)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: visible(value) if type(value) is str else value,
    )
    environment.filters["when"] = _when
    return environment


def _when(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.gmtime(seconds)) + " UTC"
