"""Variants that no single phrase names: only normal examples to train on, grades in their order."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from pipeline.request.reading.found import Found, Numbers
from pipeline.request.terms.pieces import Piece
from pipeline.request.terms.tokens import written

_NORMAL = re.compile(
    r"\b(?:only|just|solely|exclusively)\b(?: [\w']{1,12}){0,3}? (?:[\w-]{1,20} )?(?:of|from) (?:the )?"
    r"(?:good|normal|healthy|whole|intact|fine|ok|perfect|undamaged|flawless|regular|sound|clean|working|unbroken|new)"
    r"(?: \w{1,20})?"
)
_GRADES = re.compile(r"(?<![\w.-])([01]) ?(?:-|–|to|\.\.) ?([2-9]|10)(?![\w.%])")
_RECONSTRUCTS = frozenset(("autoencoder", "variational_autoencoder", "by_reconstruction", "anomaly_detection"))


def variants(text: str, pieces: list[Piece], numbers: Numbers, taken: set[int], values: set[str]) -> Iterator[Found]:
    """ "I only have pictures of good ones", "severity 0-4, ordinal". `values` are those of all terms of the request."""
    if values & _RECONSTRUCTS and "one_class" not in values:
        normal = _NORMAL.search(text.lower())
        if normal is not None:
            yield Found("task", "variant", "one_class", *_places(pieces, normal.start(), normal.end()))
    if "ordinal" in values and numbers:
        grades = _GRADES.search(text)
        if grades is not None:
            first, last = _places(pieces, grades.start(), grades.end())
            if first not in taken:
                taken.update(range(first, last + 1))
                count = int(grades.group(2)) - int(grades.group(1)) + 1
                yield Found("classes", "count", written(float(count)), first, last)


def _places(pieces: list[Piece], start: int, end: int) -> tuple[int, int]:
    """The first and last piece of a part of the text."""
    first = max(0, bisect_right(pieces, start, key=_start) - 1)
    return first, max(first, bisect_left(pieces, end, key=_start) - 1)


def _start(piece: Piece) -> int:
    return piece.start
