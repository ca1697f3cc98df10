"""Losses and metrics: which of the two an error's name is, and levels asked for ("at least 95 % accuracy")."""

from __future__ import annotations

from pipeline.request.terms.pieces import Piece
from pipeline.request.terms.tokens import written

_EITHER = {"mse": "loss", "mae": "metric", "dice": "metric", "iou": "metric", "mape": "metric", "rmse": "metric"}
"""Names that can be a loss or a metric, and what they are where nothing around them says so."""

_LOSS_WORDS = frozenset(
    "loss losses objective criterion minimise minimize minimizing optimise optimize verlust verlustfunktion "
    "pérdida perte perda perdita 损失 损失函数 損失 損失関数 fonction".split()
)
_METRIC_WORDS = frozenset(
    "metric metrics report reported reporting evaluate evaluated evaluation measure measured measuring score "
    "scores track show print monitor judge judged see compare test monitored want metrik metriken métrica "
    "métricas métrique metrica 指标 評価指標 评价指标 error calculate compute validation".split()
)
_ABOVE = frozenset(
    "> ≥ above over exceeding least = beyond past reach reaching of : >= better than at around about ~ be must "
    "should is ( reaches target goal and minimum min hits hit".split()
)
_REACH = 8


def is_loss(pieces: list[Piece], index: int, name: str) -> bool:
    """Whether a piece that names an error is asked for as the loss."""
    default = _EITHER.get(name)
    if default is None:
        return False
    here = pieces[index]
    following = [piece.key for piece in pieces[index + 1 : index + 4] if piece.sentence == here.sentence]
    if following[:1] and following[0] in ("loss", "verlust", "损失"):
        return True
    if following[:2] in (
        ["as", "loss"],
        ["as", "the"],
        ["for", "training"],
        ["als", "verlust"],
        ["als", "loss"],
        ["como", "pérdida"],
        ["como", "perda"],
        ["comme", "perte"],
    ):
        return "metric" not in following
    if (
        following[:1]
        and following[0] in ("+", "and", "plus", "&")
        and any(term.name == "loss" for term in pieces[index + 2].terms)
    ):
        return True
    if following[:1] in (["metric"], ["score"], ["metrics"]) or following[:2] == ["as", "metric"]:
        return False
    for distance in range(1, _REACH + 1):
        position = index - distance
        if position < 0 or pieces[position].sentence != here.sentence:
            break
        key = pieces[position].key
        if key in _LOSS_WORDS or key.endswith(" loss"):
            return not _comma_between(pieces, position, index)
        if key in _METRIC_WORDS:
            return False
        if any(term.name == "metric" and term.value not in _EITHER for term in pieces[position].terms):
            return False
        if any(term.name == "loss" for term in pieces[position].terms) and distance <= 2:
            return pieces[position + 1].key in ("+", "and", "plus", "/")
    return default == "loss"


def _comma_between(pieces: list[Piece], first: int, last: int) -> bool:
    return any(piece.key == "," for piece in pieces[first:last])


def goal(pieces: list[Piece], index: int) -> tuple[str, int, int] | None:
    """The level that a metric is to reach, with the first and last piece that say it; None where none is stated."""
    here = pieces[index]
    for position in range(index + 1, min(len(pieces), index + 6)):
        piece = pieces[position]
        if piece.sentence != here.sentence:
            break
        if _is_level(piece):
            if position == index + 1 and not piece.share:
                break
            return _level(piece), index, position
        if piece.key not in _ABOVE:
            break
    before = index - 1
    if before >= 0 and pieces[before].key in ("test", "validation", "val", "or", "more", "better", "+", "of"):
        before -= 1
    if before >= 0 and _is_level(pieces[before]) and pieces[before].share and pieces[before].sentence == here.sentence:
        return _level(pieces[before]), before, index
    return None


def _is_level(piece: Piece) -> bool:
    return piece.kind == "number" and piece.number is not None and 0.2 < piece.number < 1


def _level(piece: Piece) -> str:
    return written(piece.number or 0.0)
