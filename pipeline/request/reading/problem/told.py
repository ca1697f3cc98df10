"""The problem where no word names it: by what is cleaned, sorted, found, predicted or asked, and by what the rest of
the request implies."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pipeline.request.reading.found import Choice
from pipeline.request.reading.problem import asked, made, words
from pipeline.request.reading.problem.evidence import Evidence
from pipeline.request.terms.negation import Stance
from pipeline.request.terms.pieces import Piece

Rule = Callable[[list[Piece], int, Evidence], Choice | None]

_BY_WORD: tuple[tuple[Rule, frozenset[str]], ...] = (
    (made.cleaned, words.CLEANS),
    (made.turned, words.FILLS | words.TURNS),
    (made.acting, words.AGENTS),
    (made.found, words.FINDS),
    (made.outlined, words.OUTLINES),
    (made.read_out, words.READS_OUT),
    (made.made_new, words.MAKES),
    (made.seen_in_color, words.COLORS),
    (made.shortened, words.SHORTENS),
    (made.extracted, words.EXTRACTS),
    (made.labeled_each, words.EACH),
    (made.described, words.DESCRIBES),
    (made.searched, words.SEARCHES),
    (made.found_alike, frozenset("find finds show return returns list".split())),
    (made.strange_found, words.DETECTS),
    (made.ranked, words.RANKS),
    (asked.sorted_into, words.SORTS),
    (asked.detected, words.DETECTS),
    (asked.told_from, words.TELLS_APART),
    (asked.predicted, words.PREDICTS),
    (asked.asked, words.BEGINS_QUESTION),
    (asked.implied, words.PREDICTS | words.DETECTS),
    (asked.filtered, words.FILTERS),
    (asked.amount_of, words.AMOUNTS),
    (asked.or_not, words.OR | {"price", "prices"}),
)
"""The rules, the surest first, each with the words at which it looks."""

_RULES_OF: dict[str, list[int]] = {}
for _number, (_, _triggers) in enumerate(_BY_WORD):
    for _word in _triggers:
        _RULES_OF.setdefault(_word, []).append(_number)


def told(pieces: list[Piece], stances: Sequence[Stance], evidence: Evidence) -> list[Choice]:
    """The problem by the first rule that tells one, at the first place where it does."""
    places: list[list[int]] = [[] for _ in _BY_WORD]
    for index, piece in enumerate(pieces):
        numbers = _RULES_OF.get(piece.last)
        if numbers is not None and stances[index] == "asked" and not _is_of_identifier(pieces, index):
            for number in numbers:
                places[number].append(index)
    for (rule, _), indices in zip(_BY_WORD, places, strict=True):
        for index in indices:
            choice = rule(pieces, index, evidence)
            if choice is not None and pieces[choice.last].sentence == pieces[index].sentence:
                if choice.value == "classification" and evidence.from_normal:
                    choice = Choice("anomaly_detection", choice.first, choice.last)
                return [choice]
    return _of_two_classes(pieces, stances)


def _is_of_identifier(pieces: list[Piece], index: int) -> bool:
    """Whether a word is part of a name: the model of "model_year"."""
    before = index > 0 and pieces[index - 1].key == "_" and pieces[index - 1].end == pieces[index].start
    behind = pieces[index + 1 : index + 2]
    return before or (bool(behind) and behind[0].key == "_" and behind[0].start == pieces[index].end)


def _of_two_classes(pieces: list[Piece], stances: Sequence[Stance]) -> list[Choice]:
    """What is only said to be binary, or answered by yes or no, is a classification."""
    for index, piece in enumerate(pieces):
        if piece.terms and piece.means("binary") and stances[index] == "asked":
            return [Choice("classification", index, index)]
    return []
