"""Columns that a request rules out: "drop customer_id", "ts not as input", "`moves` and `themes` aren't allowed"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.request.terms.lists import Name
from pipeline.request.terms.pieces import Piece

_QUOTE = "[\"'`“”]?"
_AUXILIARY = (
    r"(?:(?:must|may|should|shall|can|could|will|is|are|was|does|do)(?:n't|n’t| not| never)|not|never|cannot|can't)"
)
_USED = (
    r"(?:be |to be |get )?(?:used|allowed|an? input|inputs|as (?:an )?inputs?|as (?:a )?features?|seen|given|included|"
    r"known|available|part of the inputs?)"
)
_RULED_OUT = re.compile(
    rf"{_QUOTE}([^\W\d]\w{{0,60}}){_QUOTE}(?:,? (?:and|or|nor) (?:the )?{_QUOTE}([^\W\d]\w{{0,60}}){_QUOTE})? "
    rf"{_AUXILIARY} {_USED}(?!\w)"
)
_NEVER_SEEN = re.compile(
    r"(?:must|may|should|shall) (?:not|never) (?:see|know|use|get|look at) (?:the )?[\"'`]?([^\W\d]\w{0,60})"
)
_NOT_USED = re.compile(
    r"(?:do not|don't|don’t|never|not) (?:use|include|feed|look at|touch) (?:the )?(?:columns? |fields? )?"
    r"[\"'`]?([^\W\d]\w{0,60})[\"'`]?(?=[.;,!)]|$| (?:as|column|for))"
)
_NO_NAMES = frozenset(
    "it they them that this these those which data model network layers dropout one we i you and or not is are "
    "augmentation anything everything any a an the of to too".split()
)


def forbidden_columns(text: str, pieces: list[Piece], columns: set[str]) -> Iterator[Name]:
    """Names that are said not to be inputs; only columns named elsewhere, or names that can be nothing else.

    `columns` are those named, in lower case.
    """
    if "not" not in text and "n't" not in text and "never" not in text and "n’t" not in text:
        return
    terms = {piece.start: piece for piece in pieces if piece.terms}
    for pattern in (_RULED_OUT, _NEVER_SEEN, _NOT_USED):
        for match in pattern.finditer(text):
            for group in range(1, (match.lastindex or 0) + 1):
                name = match.group(group)
                if name is None or name.lower() in _NO_NAMES:
                    continue
                start = match.start(group)
                marked = "_" in name.strip("_") or text[start - 1 : start] in ("`", '"')
                known = name.lower() in columns
                asked = terms.get(start)
                free = asked is None or all(term.aspect == "data" for term in asked.terms)
                if known or (marked and free) or (pattern is _NOT_USED and len(columns) >= 2 and free):
                    yield Name(name, start, start + len(name))
