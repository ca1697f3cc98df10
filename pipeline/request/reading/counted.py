"""Numbers told by what they count: classes to choose from, words of a text, words that are spoken."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.request.reading.found import Found
from pipeline.request.terms.pieces import Piece
from pipeline.request.terms.tokens import written

_LEAST_VOCABULARY = 2_000
"""Texts that are classified have fewer words, vocabularies more."""


_WHICH = frozenset(
    "which welche welcher welches welchem welchen quel quelle quels cuál cuáles qual quais quale".split()
)
_AMONG = frozenset(
    "of von de des der our my the those these among between one these unsere unserer nos nuestras".split()
)
_RECOGNIZES = frozenset(
    "recognize recognizes recognizing classify classifies classifying identify identifies distinguish distinguishes "
    "separate sort spot discriminate categorize tell between among".split()
)
_MOST_CLASSES = 1_000


def one_of(pieces: list[Piece], taken: set[int]) -> Iterator[Found]:
    """ "which of our 11 queues", "recognise 40 signs": so many classes, whatever they are called."""
    for index, piece in enumerate(pieces[:-1]):
        value = piece.number or 0.0
        if piece.kind != "number" or index in taken or value < 2 or pieces[index + 1].kind == "mark":
            continue
        if value != int(value) or piece.share:
            continue
        before = [part.key for part in pieces[max(0, index - 4) : index] if part.sentence == piece.sentence]
        if _chosen_among(before) or (value <= _MOST_CLASSES and _recognized(pieces, index)):
            taken.add(index)
            yield Found("classes", "count", written(value), index, index + 1)
            return


def _chosen_among(before: list[str]) -> bool:
    """Whether a number stands behind "which of" or "one of the"."""
    words = " ".join(before).split()
    while words and words[-1] in _AMONG and words[-1] != "one":
        if words[-2:] == ["one", "of"]:
            return True
        words = words[:-1]
        if words and words[-1] in _WHICH:
            return True
    return False


def _recognized(pieces: list[Piece], index: int) -> bool:
    """ "recognise 40 signs", "distinguish the 12 butterflies": things that no table counts."""
    following = pieces[index + 1]
    if following.kind != "word" or following.meanings("unit") or following.key in _NO_CLASSES:
        return False
    position = index - 1
    if position > 0 and pieces[position].key in _AMONG | {"all"}:
        position -= 1
    before = pieces[position] if position >= 0 else None
    if before is None or before.sentence != pieces[index].sentence:
        return False
    return any(word in _RECOGNIZES for word in before.key.split())


_NO_CLASSES = frozenset(
    "px pixel pixels mm cm km hz khz mb gb tb k x by of to from in and or hours hour days day years year minutes "
    "minute weeks months people persons per percent layers layer".split()
)


def text_lengths(pieces: list[Piece], taken: set[int]) -> Iterator[Found]:
    """ "200 words" of a text are its length, "15k words" a vocabulary, where nothing around them says more."""
    for index, piece in enumerate(pieces[:-1]):
        if piece.kind != "number" or index in taken or pieces[index + 1].key not in ("words", "characters"):
            continue
        value = piece.number or 0.0
        if value != int(value) or value < 10:
            continue
        taken.add(index)
        name = "vocabulary" if value >= _LEAST_VOCABULARY else "length"
        yield Found("size", name, written(value), index, index + 1)


def spoken_words(pieces: list[Piece], taken: set[int]) -> Iterator[Found]:
    """ "35 words" of recordings are classes."""
    for index, piece in enumerate(pieces[:-1]):
        if piece.kind == "number" and index not in taken and pieces[index + 1].key in ("words", "keywords", "phrases"):
            taken.add(index)
            yield Found("classes", "count", written(piece.number or 0.0), index, index + 1)
