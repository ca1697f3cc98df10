"""Columns that a request rules out, or names as not to be used: "drop customer_id", "ts not as input", "`moves` and
`themes` aren't allowed"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.request.reading.written.targets import COLUMN, QUOTES
from pipeline.request.terms.lists import Name, listed
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
    rf"(?:{_AUXILIARY} {_USED}|(?:must|should|shall|has to|have to|needs? to) (?:stay|be left|be kept) out)(?!\w)"
)
_NEVER_SEEN = re.compile(
    r"(?:must|may|should|shall) (?:not|never) (?:see|know|use|get|look at) (?:the )?[\"'`]?([^\W\d]\w{0,60})"
)
_NOT_USED = re.compile(
    r"(?:do not|don't|don’t|dont|never|not) (?:use|include|feed|look at|touch) (?:the )?(?:\w+ )??"
    r"(?:columns? |fields? )?"
    r"[\"'`]?([^\W\d]\w{0,60})[\"'`]?(?:,? (?:and|or|nor) (?:the )?[\"'`]?([^\W\d]\w{0,60})[\"'`]?)?"
    r"(?=[.;,!)]|$| (?:as|column|for))"
)
_NO_PLEASE = re.compile(r"\b[Nn]o [\"'`]?([^\W\d]\w{0,60})[\"'`]? please\b")
_NO_NAMES = frozenset(
    "it they them that this these those which data model network layers dropout one we i you and or not is are "
    "augmentation anything everything any a an the of to too".split()
)


_SIGNS = ("not", "dont", "n't", "never", "n’t", " out", "no ", "No ")
"""Parts of words of which one stands wherever a column is ruled out."""
_CODE = re.compile(r"[A-Za-z]+\d+|[a-z]+[A-Z]\w*|[A-Za-z]+ID")
"""Names that are no words of a language: G1, customerID."""


def forbidden_columns(text: str, pieces: list[Piece], columns: set[str]) -> Iterator[Name]:
    """Names that are said not to be inputs; only columns named elsewhere, or names that can be nothing else.

    `columns` are those named, in lower case.
    """
    if not any(sign in text for sign in _SIGNS):
        return
    terms = {piece.start: piece for piece in pieces if piece.terms}
    for pattern in (_RULED_OUT, _NEVER_SEEN, _NOT_USED, _NO_PLEASE):
        for match in pattern.finditer(text):
            for group in range(1, (match.lastindex or 0) + 1):
                name = match.group(group)
                if name is None or name.lower() in _NO_NAMES:
                    continue
                start = match.start(group)
                marked = (
                    "_" in name.strip("_") or text[start - 1 : start] in ("`", '"') or _CODE.fullmatch(name) is not None
                )
                known = name.lower() in columns
                asked = terms.get(start)
                free = asked is None or all(term.aspect == "data" for term in asked.terms)
                if known or (marked and free) or (pattern is _NOT_USED and len(columns) >= 2 and free):
                    yield Name(name, start, start + len(name))


_DROPS = frozenset(
    "ignore drop ignoring dropping exclude excluding except omit remove without skip discard besides "
    "ignoriere ignora ignorar ignorer".split()
)
_BEFORE_DROPPED = COLUMN | QUOTES | frozenset(("the", "use", ":", "for"))
_IDENTIFIER = re.compile(r"[^\W\d]\w{0,99}+")
_DROPS_TOGETHER = frozenset(
    (
        ("not", "use"),
        ("dont", "use"),
        ("leave", "out"),
        ("leaving", "out"),
        ("t", "use"),
        ("not", "include"),
        ("column", "but"),
        ("columns", "but"),
        ("everything", "but"),
        ("but", "not"),
    )
)
_DROPS_BEFORE = frozenset(first for first, _ in _DROPS_TOGETHER)


def _is_term(pieces: list[Piece], name: Name) -> bool:
    """Whether a name asks for something else: "do not use BERT"."""
    for piece in pieces:
        if piece.start <= name.start < piece.end:
            return any(term.role == "is" and term.aspect != "data" for term in piece.terms)
    return False


def _are_headers(pieces: list[Piece], names: list[Name], *, several: bool) -> bool:
    """ "without Name, Ticket and Cabin", "Drop Time.": words with a capital that ask for nothing."""
    if len(names) < 2 if several else len(names) != 1:
        return False
    words = [name.text for name in names]
    return all(word.istitle() and word.isalpha() for word in words) and not any(
        _is_term(pieces, name) for name in names
    )


_LEFT_OUT = frozenset("leave take keep".split())


def _left_out(text: str, pieces: list[Piece], index: int, columns: set[str]) -> Iterator[Name]:
    """ "leave policy_id out", "take the name and the id out" """
    for end in range(index + 2, min(len(pieces), index + 9)):
        if pieces[end].sentence != pieces[index].sentence:
            return
        if pieces[end].key in ("each", "every"):
            return  # "leave the last game of each player out": rows
        if pieces[end].key == "out":
            names, _ = listed(text, pieces[:end], index + 1, "")
            for name in names:
                word = name.text.split()[-1].strip("\"'`")
                if "_" in word.strip("_") or word.lower() in columns:
                    start = text.index(word, name.start)
                    yield Name(word, start, start + len(word))
            return


def dropped_columns(text: str, pieces: list[Piece], columns: set[str]) -> Iterator[Name]:
    """Columns that must not be used: "except "invoice_no"", "ignore the column id", "drop customer_id"."""
    for index, piece in enumerate(pieces):
        if piece.key in _LEFT_OUT:
            yield from _left_out(text, pieces, index, columns)
        if piece.key not in _DROPS and piece.key not in _DROPS_BEFORE:
            continue
        following = pieces[index + 1].key if index + 1 < len(pieces) else ""
        together = (piece.key, following) in _DROPS_TOGETHER
        if piece.key not in _DROPS and not together:
            continue
        position = index + 1 + together
        while position < len(pieces) and position - index <= 5 and pieces[position].key in _BEFORE_DROPPED:
            position += 1
        if position == len(pieces):
            continue
        names, end = listed(text, pieces, position, "", also=("+",))
        about_columns = any(part.key in COLUMN for part in pieces[index : min(end, position + 6)])
        single = len(names) > 1 and all(" " not in name.text for name in names[:2])
        of_columns = about_columns or (single and piece.key.startswith(("drop", "ignor", "leave")))
        of_columns = of_columns or _are_headers(pieces, names, several=piece.key == "without")
        for name in names:
            word = name.text.split()[0].strip("\"'`“”")
            if word.lower() in _NO_NAMES:
                break  # "without a header, last column is the label"
            known = "_" in word or word.lower() in columns
            if " " in name.text and not (known or about_columns):
                break
            capital = together and word[:1].isupper() and not _is_term(pieces, name)
            if not (of_columns or known or capital) or not _IDENTIFIER.fullmatch(word):
                break
            start = text.index(word, name.start)
            yield Name(word, start, start + len(word))
