"""Widths of layers: the numbers behind "layers of", alone or in a list."""

from __future__ import annotations

from pipeline.request.terms.pieces import Piece
from pipeline.request.terms.tokens import written

LAYERS = frozenset(
    "layers layer schichten schicht capas capa couches couche camadas camada strati 层 層 слоя слоев слоями "
    "слой 레이어 faltungsschichten".split()
)
_TO_SIZE = frozenset("( [ of with : - = size each having and mit de con x units= von 的".split())

_SEPARATORS = frozenset(", / - – → > and then & + und y et e ， 、".split())


def list_from(pieces: list[Piece], start: int, taken: set[int]) -> list[int]:
    """The numbers that follow "layers of", "layers (", "layers with"."""
    position = start
    while position < len(pieces) and position - start < 3 and pieces[position].key in _TO_SIZE:
        if pieces[position].key == "and":
            return []
        position += 1
    if (
        position >= len(pieces)
        or not is_width(pieces[position])
        or position in taken
        or (position > start and pieces[position].sentence != pieces[start].sentence)
    ):
        return []
    numbers = [position]
    while True:
        following = position + 1
        named = following < len(pieces) and pieces[following].key in ("units", "neurons", "filters")
        following += named
        jumped = 0
        while following < len(pieces) and pieces[following].key in _SEPARATORS and jumped < 3:
            following += 1
            jumped += 1
        jumped = jumped or _adjacent_widths(pieces, position)
        if (
            not jumped
            or following >= len(pieces)
            or not is_width(pieces[following])
            or following in taken
            or has_other_unit(pieces, following)
            or (named and pieces[following].key.isalpha())  # "32 filters, three of them"
        ):
            return numbers
        numbers.append(following)
        position = following


def _adjacent_widths(pieces: list[Piece], position: int) -> bool:
    """Whether two widths stand side by side: "2 conv layers 32 64"."""
    following = pieces[position + 1 : position + 2]
    return bool(following) and is_width(following[0]) and following[0].start - pieces[position].end == 1


def is_width(piece: Piece) -> bool:
    return (
        piece.kind == "number"
        and piece.number is not None
        and not piece.share
        and 1 <= piece.number == int(piece.number) <= 100_000
    )


def has_other_unit(pieces: list[Piece], index: int) -> bool:
    """Whether a number counts something else than units: "10 epochs"."""
    for piece in pieces[index + 1 : index + 3]:
        if piece.key == "-":
            continue
        meanings = piece.meanings("unit")
        if any(term.name in ("units", "filters", "nodes", "channels") for term in meanings):
            return False
        return bool(meanings) or piece.key in LAYERS
    return False


def joined(pieces: list[Piece], numbers: list[int]) -> str:
    return ",".join(written(pieces[index].number or 0.0) for index in numbers)


def dashed(pieces: list[Piece], index: int) -> bool:
    """Whether widths joined by dashes or strokes stand behind a part of a network: "encoder 256-64"."""
    behind = pieces[index + 1 : index + 4]
    if len(behind) < 3 or behind[1].key not in ("-", "/", "–") or not (is_width(behind[0]) and is_width(behind[2])):
        return False
    return behind[0].end == behind[1].start and behind[1].end == behind[2].start and (behind[0].number or 0) >= 4
