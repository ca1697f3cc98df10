"""Numbers told by what they count: classes to choose from, words of a text, words that are spoken."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.request.reading.found import Found
from pipeline.request.terms.pieces import Piece
from pipeline.request.terms.tokens import written

_LEAST_VOCABULARY = 2_000
"""Texts that are classified have fewer words, vocabularies more."""


def one_of(pieces: list[Piece], taken: set[int]) -> Iterator[Found]:
    """ "which of our 11 queues", "one of six decades": so many classes, whatever they are called."""
    for index, piece in enumerate(pieces[:-1]):
        if piece.kind != "number" or index in taken or (piece.number or 0) < 2 or pieces[index + 1].kind == "mark":
            continue
        before = [part.key for part in pieces[max(0, index - 3) : index] if part.sentence == piece.sentence]
        chosen = any(key.startswith(("which", "one of")) for key in before) or before[-2:] == ["one", "of"]
        if chosen and (piece.number or 0.0) == int(piece.number or 0.0) and not {"from", "in"} & set(before):
            taken.add(index)
            yield Found("classes", "count", written(piece.number or 0.0), index, index + 1)
            return


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
