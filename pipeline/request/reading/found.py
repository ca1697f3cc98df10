"""What a rule has read, before it becomes a constraint."""

from __future__ import annotations

from typing import NamedTuple

from pipeline.request.constraints import Aspect


class Found(NamedTuple):
    """Something asked for, with the first and last piece that say it."""

    aspect: Aspect
    name: str
    value: str
    first: int
    last: int
    subject: str = ""


class Written(NamedTuple):
    """Something named in the request's own spelling, with its characters: a file, a column, a class."""

    aspect: Aspect
    name: str
    value: str
    start: int
    end: int
    negated: bool = False
