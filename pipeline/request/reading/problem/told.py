"""The problem where no word names it: by what is cleaned, sorted, found, predicted or asked, and by what the rest of
the request implies."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pipeline.request.reading.found import Choice
from pipeline.request.reading.problem import asked, made
from pipeline.request.reading.problem.evidence import Evidence
from pipeline.request.terms.negation import Stance
from pipeline.request.terms.pieces import Piece

Rule = Callable[[list[Piece], int, Evidence], Choice | None]


def told(pieces: list[Piece], stances: Sequence[Stance], evidence: Evidence) -> list[Choice]:
    """The problem by the first rule that tells one, at the first place where it does."""
    for rule in _RULES:
        for index, piece in enumerate(pieces):
            if stances[index] != "asked":
                continue
            choice = rule(pieces, index, evidence)
            if choice is not None and pieces[choice.last].sentence == piece.sentence:
                if choice.value == "classification" and evidence.from_normal:
                    choice = Choice("anomaly_detection", choice.first, choice.last)
                return [choice]
    return []


_RULES: tuple[Rule, ...] = (
    made.cleaned,
    made.turned,
    made.acting,
    made.found,
    made.outlined,
    made.read_out,
    made.made_new,
    made.seen_in_color,
    made.shortened,
    made.extracted,
    made.strange_found,
    made.ranked,
    asked.sorted_into,
    asked.detected,
    asked.predicted,
    asked.asked,
    asked.implied,
    asked.or_not,
)
