"""What stands beside a picture, a text or a sound as a second input in everyday words: "a photo plus a few facts about
it", "a picture and its description"."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.request.reading.found import Choice
from pipeline.request.reading.phrases.phrase import always, phrase
from pipeline.request.terms.negation import Stance
from pipeline.request.terms.pieces import Piece

_FACTS = frozenset("fact facts detail details age sex gender measurements specs metadata".split())
"""Words for what stands in the columns of a row, whatever joins them to a picture."""

_MORE_FACTS = _FACTS | frozenset(
    "figure figures number numbers numeric attribute attributes property properties weight height length width brand "
    "mileage price area rooms year columns".split()
)
"""Words for that behind "plus" and "together with"; "pictures with a height of 128" have no row."""

_TEXTS = frozenset("description descriptions title titles review reviews recipe comment comments headline".split())
_MORE_TEXTS = _TEXTS | frozenset("text texts caption captions words".split())
"""Words for what is written about a picture."""

_JOINS = frozenset("and with &".split())
_ADDS = frozenset("plus + together along alongside combined".split())
"""These leave no doubt that what follows is an input as well."""

_TOLD_FROM = frozenset("from given using based combining both".split())
"""Words before what is told from; "photos with age and sex" may be what is learned."""

_PLACES = frozenset("from of in on by for to using".split())
"""Words that part a picture from what is before it: "age and sex from photos"."""

_SOME = frozenset("few some couple several handful".split())
_MOVES = frozenset(("video", "audio"))
_FEW_WORDS = 5

_FARTHEST = 10
"""Pieces between a picture and what stands beside it."""


def beside_pictures(
    pieces: Sequence[Piece], stances: Sequence[Stance], named: Sequence[Choice], expected: frozenset[str]
) -> list[Choice]:
    """A picture and the table or the text beside it, as they stand; nothing where there is no such pair.

    `expected` are the kinds that the rest of the request can be about: what is segmented or described has no table
    beside it.
    """
    if not {"image", "table", "text"} <= expected or any(choice.value in _MOVES for choice in named):
        return []
    for picture in named:
        if picture.value != "image":
            continue
        behind = range(picture.last + 1, min(len(pieces), picture.last + 1 + _FARTHEST))
        before = range(picture.first - 1, max(-1, picture.first - 1 - _FARTHEST), -1)
        other = _joined(pieces, picture, behind) or _joined(pieces, picture, before)
        if other is not None and stances[other.first] == "asked":
            return sorted((picture, other), key=lambda choice: choice.first)
    return []


def _joined(pieces: Sequence[Piece], picture: Choice, places: Sequence[int]) -> Choice | None:
    """The first word beyond an "and" or a "plus", seen from the picture, that names a row or a text."""
    goes_back = len(places) > 0 and places[0] < picture.first
    before = {piece.key for piece in pieces[max(0, picture.first - _FEW_WORDS) : picture.first]}
    joins = _JOINS if goes_back or before & _TOLD_FROM else _ADDS
    joined = adds = False
    for index in places:
        piece = pieces[index]
        if goes_back and not joined and piece.key in _PLACES:
            return None
        if piece.sentence != pieces[picture.first].sentence or piece.is_a("problem") or piece.means("image"):
            return None
        words = set(piece.key.split())
        adds = adds or bool(words & _ADDS)
        joined = joined or adds or bool(words & joins)
        if joined and before & _TOLD_FROM and words & _MORE_TEXTS:
            return Choice("text", index, index)
        kind = _kind(words, adds=adds or bool(_SOME & {one.key for one in pieces[max(0, index - 2) : index]}))
        if joined and kind:
            return Choice(kind, index, index)
    return None


def _kind(words: set[str], *, adds: bool) -> str:
    """The kind of input that words stand for; "" for none."""
    if words & (_MORE_TEXTS if adds else _TEXTS):
        return "text"
    return "table" if words & (_MORE_FACTS if adds else _FACTS) else ""


_AND_ALSO = r"(?:plus|together with|along with|combined with|as well as)"
_A_FEW = r"(?:a few|some|several|a handful of|two|three|four|five|six|\d{1,2})"
_ANY_FACTS = r"(?:facts|numbers|figures|attributes|measurements|details|values|pieces of metadata)"
"""What stands beside a picture or a text as a second input: "its photo plus a few facts"."""

FACTS_BESIDE = (
    phrase(
        "task",
        "variant",
        "plus with well",
        (rf"\b{_AND_ALSO} {_A_FEW} (?:\w+ )?{_ANY_FACTS}\b",),
        always("multi_input"),
        "image text audio video",
    ),
    phrase(
        "data",
        "kind",
        "plus with well",
        (rf"\b{_AND_ALSO} {_A_FEW} (?:\w+ )?(?P<asked>{_ANY_FACTS})\b",),
        always("table"),
        "image text audio video",
    ),
)
"""A handful of facts beside any input, however they are named: the phrase that says so is looked for as a whole."""
