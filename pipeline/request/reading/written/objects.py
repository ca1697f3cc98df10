"""Classes named as what is found or told: "detect helmets, vests and faces", "a spotter for lamp, fan, door"."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from pipeline.request.reading.written.name_lists import can_be_classes, phrase_list
from pipeline.request.terms.lists import Name
from pipeline.request.terms.negation import Stance
from pipeline.request.terms.pieces import Piece

_FINDS = frozenset(
    "detect detects detecting find finds finding spot spots locate locates box boxes segment segments segmenting "
    "outline outlines mask count counts tag tags tagging label labels extract extracts recognize recognizes "
    "localize mark marks erkennen finden markieren detectar encontrar segmentar détecter trouver segmenter".split()
)
_FOUND_BY = frozenset("boxes detection segmentation recognition detector extraction tagging".split())
"""Behind these and "of" or "for" stands what is found."""
_TOLD_BY = frozenset("spotter detector classifier recognizer spotting filter classification recognition".split())
_TRIGGERS = _FINDS | _FOUND_BY | _TOLD_BY
_PROBLEMS = frozenset("detection segmentation tagging".split())
_BEGINNINGS = frozenset("the a an all every each any both single individual".split())
_ENDINGS = frozenset("names entities mentions terms regions areas pixels objects instances phrases".split())
_NOT_FOUND = frozenset("it them things objects everything anything something boxes masks where which what how".split())


def objects(text: str, pieces: list[Piece], stances: Sequence[Stance], problems: Sequence[str]) -> list[Name]:
    """The things that a detector, a segmentation or a tagger finds, and the words that a spotter hears."""
    finds = any(problem in _PROBLEMS for problem in problems)
    for index, piece in enumerate(pieces[:-1]):
        last = piece.last
        if last not in _TRIGGERS or stances[index] != "asked":
            continue
        of = pieces[index + 1].key in ("of", "for", "round", "around", "on")
        names: list[Name] = []
        if finds and (last in _FINDS or (of and last in _FOUND_BY)):
            names = _listed(text, pieces, index + 1 + of)
            least = 2
        elif of and pieces[index + 1].key == "for" and last in _TOLD_BY:
            names = [name for name in _listed(text, pieces, index + 2) if " " not in name.text]
            least = 3
        if (
            names
            and len(names) >= least
            and can_be_classes(pieces, names, least=least)
            and not _are_data(pieces, names)
        ):
            return names
    return []


def _listed(text: str, pieces: list[Piece], start: int) -> list[Name]:
    names = phrase_list(text, pieces, start, strict=False, joined=False)
    plain = [_plain(name) for name in names]
    if any(not name.text or name.text.split()[0].lower() in _NOT_FOUND or len(name.text.split()) > 2 for name in plain):
        return []
    return plain


def _plain(name: Name) -> Name:
    """A name without its article, and without what only says that it is one: "disease names"."""
    text, start, end = name.text, name.start, name.end
    first, _, rest = text.partition(" ")
    if rest and first.lower() in _BEGINNINGS:
        text, start = rest, end - len(rest)
    before, _, last = text.rpartition(" ")
    if before and last.lower() in _ENDINGS:
        text, end = before, start + len(before)
    return Name(text, start, end)


def _are_data(pieces: list[Piece], names: list[Name]) -> bool:
    """Whether most of the names are kinds of data: "detection of images, videos and texts"."""
    starts = {name.start for name in names}
    first = bisect_left(pieces, names[0].start, key=_start)
    listed = pieces[first : bisect_left(pieces, names[-1].end, key=_start)]
    kinds = sum(piece.start in starts and piece.is_a("kind") for piece in listed)
    return kinds * 2 > len(names)


def _start(piece: Piece) -> int:
    return piece.start
