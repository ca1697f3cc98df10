"""Lists of names: "(toxic, obscene, threat)", "age, income and left_company"."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.request.terms.pieces import Piece

_SEPARATORS = frozenset(", / ; | & und oder y et ou e o 、 ， 和 と и или या or and vs versus nor".split())
_LAST = frozenset("and or und oder y et e".split())
_LONGEST_LIST = 200
_LONGEST_NAME = 20
"""Pieces of a text. What has so many is no name, and no list goes on behind it."""


@dataclass(frozen=True, slots=True)
class Name:
    """A name of a list, with its place in the text."""

    text: str
    start: int
    end: int


def listed(
    text: str, pieces: list[Piece], start: int, closer: str, also: tuple[str, ...] = ()
) -> tuple[list[Name], int]:
    """The names of a list that begins at a piece, and the index after it.

    `closer` ends the list; where it is "" the sentence does. Asides in brackets are no part of a name. `also` are
    further marks between names.
    """
    names: list[Name] = []
    run: list[Piece] = []
    index = start
    end = min(len(pieces), start + _LONGEST_LIST)
    joined = False
    while index < end and len(run) <= _LONGEST_NAME:
        piece = pieces[index]
        if piece.key == closer:
            break
        if not closer and (
            piece.sentence != pieces[start].sentence or piece.key in (".", ")", "}", "]", "?", "!", "。")
        ):
            break
        if piece.key in ("[", "{", "→"):
            break
        if piece.key == ">" and run and run[-1].key in ("-", "="):
            run = run[:-1]
            break  # "PER, LOC -> 9 tags"
        if piece.key == "(":
            after = _after_bracket(pieces, index)
            if after is None:
                break
            index = after
            continue
        # "O" is the name of a tag, "o" the Spanish "or".
        between = piece.key in _SEPARATORS or piece.key in also or _is_spanish_or(pieces, index)
        if between and not text[piece.start : piece.end].isupper():
            if joined and not closer and piece.key == "," and run:
                break  # "three kinds: a, b and c, and the last is scarce"
            joined = joined or (piece.key in _LAST and len(names) + bool(run) > 1)
            add_name(text, run, names)
            run = []
        else:
            run.append(piece)
        index += 1
    add_name(text, run, names)
    return [name for name in names if name.text.lower() not in _GOES_ON], index


_GOES_ON = frozenset(("so on", "so forth", "others", "the others", "etc", "more"))
"""What ends a list of examples, and is none itself."""


def _is_spanish_or(pieces: list[Piece], index: int) -> bool:
    """ "MEDIDA u O": "o" becomes "u" before another o."""
    return pieces[index].key == "u" and index + 1 < len(pieces) and pieces[index + 1].key.startswith(("o", "ho"))


def _after_bracket(pieces: list[Piece], index: int) -> int | None:
    """The index behind an aside in brackets; None where they are not closed soon."""
    for position in range(index + 1, min(len(pieces), index + 30)):
        if pieces[position].key == ")":
            return position + 1
        if pieces[position].key == "(":
            break
    return None


def add_name(text: str, run: list[Piece], names: list[Name]) -> None:
    quotes = "\"'“”‘’`„«»|"
    while run and run[0].key in quotes:
        run = run[1:]
    while run and run[-1].key in quotes:
        run = run[:-1]
    if len(run) == 1 and "/" in run[0].key and run[0].kind == "term":
        # A known pair inside of a list: "yes / no / up / down".
        left, _, right = text[run[0].start : run[0].end].partition("/")
        names.append(Name(left.rstrip(), run[0].start, run[0].start + len(left.rstrip())))
        names.append(Name(right.lstrip(), run[0].end - len(right.lstrip()), run[0].end))
    elif run and text[run[0].start : run[-1].end].strip(". "):
        names.append(Name(text[run[0].start : run[-1].end], run[0].start, run[-1].end))
