"""Places around a piece."""

from __future__ import annotations

from pipeline.request.terms.pieces import Piece


def behind(pieces: list[Piece], index: int, most: int) -> range:
    """The places behind a piece within its sentence."""
    last = index + 1
    while last < len(pieces) and last - index < most and pieces[last].sentence == pieces[index].sentence:
        last += 1
    return range(index + 1, last)


def same_sentence(pieces: list[Piece], index: int, other: int) -> bool:
    return other < len(pieces) and pieces[other].sentence == pieces[index].sentence
