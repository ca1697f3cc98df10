"""Shapes of arrays: "X has shape (7352, 128, 9)" are rows, time steps and variables."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.request.reading.found import Found
from pipeline.request.reading.shapes import SERIES, is_whole
from pipeline.request.terms.pieces import Piece

_ROWS = frozenset("n b batch none".split())
_LEAST_ROWS = 300
"""The first number of an array's shape is its rows where no image has so high a side beside such others."""


def array_shapes(pieces: list[Piece], taken: set[int]) -> Iterator[Found]:
    """ "X has shape (7352, 128, 9)", "a tensor (N, 12, 3)": rows, steps and variables; (N, 64, 64, 3) are images.

    The pieces read are added to `taken`.
    """
    for index, piece in enumerate(pieces):
        if piece.key not in ("(", "["):
            continue
        before = {word for part in pieces[max(0, index - 5) : index] for word in re.split(r"[ _.]", part.key)}
        if not before & _ARRAYS:
            continue
        members = pieces[index + 1 : index + 8 : 2]
        commas = [part.key for part in pieces[index + 2 : index + 9 : 2]]
        size = next((place for place, key in enumerate(commas, start=1) if key in (")", "]")), 0)
        if not 2 <= size <= 4 or commas[: size - 1] != [","] * (size - 1):
            continue
        counted = members[0].key in _ROWS
        if not all(is_whole(part) for part in members[counted:size]):
            continue
        rows = 0 if counted else int(members[0].number or 0)
        if not counted and rows < _LEAST_ROWS:
            continue
        sides = [int(part.number or 0) for part in members[1:size]]
        first, last = index + 1, index + 2 * size - 1
        taken.update(range(first, last + 1))
        if not counted:
            yield Found("size", "examples", str(rows), first, first)
        if _is_output(pieces, index):
            names: tuple[str, ...] = ("outputs",) if len(sides) == 1 else ("horizon", "outputs")
        elif len(sides) == 1:
            names = ("length",) if _is_signal(pieces) else ("features",)
        elif len(sides) == 2 and sides[0] != sides[1]:
            names = ("length", "features")
        else:
            names = ("height", "width", "channels")
        for name, side in zip(names, sides, strict=False):
            yield Found("size", name, str(side), first, last)


_ARRAYS = frozenset("shape shapes shaped tensor tensors array arrays npy npz".split())


def _is_output(pieces: list[Piece], index: int) -> bool:
    said = [part.key for part in pieces[max(0, index - 8) : index] if part.sentence == pieces[index].sentence]
    return any(key.startswith(("output", "target", "predict")) for key in said)


def _is_signal(pieces: list[Piece]) -> bool:
    return any(not SERIES.isdisjoint(part.key.split()) for part in pieces)
