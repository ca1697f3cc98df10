"""Questions and predictions: an amount, or one of several categories."""

from __future__ import annotations

from pipeline.request.reading.found import Choice
from pipeline.request.reading.problem import words
from pipeline.request.reading.problem.evidence import Evidence
from pipeline.request.reading.problem.places import behind, same_sentence
from pipeline.request.terms.pieces import Piece

_FAR = 18
"""How many words behind "predict" a question may stand."""

_NEAR = 8
"""How many words behind "predict" what is predicted may stand."""


def sorted_into(pieces: list[Piece], index: int, evidence: Evidence) -> Choice | None:
    """ "sort ECG beats into five groups" """
    if pieces[index].key not in words.SORTS or _is_story(pieces, index):
        return None
    for position in behind(pieces, index, 8):
        if pieces[position].key in words.INTO:
            return Choice("classification", index, position)
    if not evidence.categories or pieces[index].key in ("split", "divide", "divides", "put", "puts"):
        return None
    named = index + 1 < len(pieces) and pieces[index + 1].kind in ("word", "term")
    return Choice("classification", index, index + 1) if named and not _is_story(pieces, index) else None


def detected(pieces: list[Piece], index: int, evidence: Evidence) -> Choice | None:
    """ "tell the variety", "spot 5 gestures", "say whether it smells", "erkannt werden, ob" """
    key = pieces[index].key
    is_noun = key.endswith("s") and index > 0 and pieces[index - 1].key in _BEFORE_NOUNS
    if key not in words.DETECTS or is_noun or (key in _LOOKS and _is_reader(pieces, index)):
        return None
    for position in behind(pieces, index, 7):
        here = pieces[position]
        if here.key == "how":
            return _how(pieces, index, position)
        if here.key in words.WHETHER or here.key in words.WHICH or here.key == "who":
            return Choice("classification", index, position)
        if here.key == "what" and position + 1 < len(pieces) and pieces[position + 1].last in words.WHAT_KIND:
            return Choice("classification", index, position + 1)
        if position > index + 3 or key not in _FINDS_CATEGORIES:
            continue
        following = pieces[position + 1].key if position + 1 < len(pieces) else ""
        if evidence.amounts or following in words.AMOUNTS:
            continue  # "surface roughness"
        counts = any(term.name == "count" for term in here.terms)
        if counts or (here.last in words.CATEGORIES and here.last not in words.WHETHER):
            return Choice("classification", index, position)
    return None


_BEFORE_NOUNS = frozenset("the of their all no keep our my class file column its with and".split())
"""Behind these "names", "labels" and "flags" are nouns."""
_LOOKS = frozenset("see sees understand".split())
_READER = frozenset("i we me want like love you us".split())


def _is_reader(pieces: list[Piece], index: int) -> bool:
    """ "I want to see which inputs matter": the reader sees, not the model."""
    return any(piece.key in _READER for piece in pieces[max(0, index - 4) : index])


def told_from(pieces: list[Piece], index: int, evidence: Evidence) -> Choice | None:
    """ "tell autism from control" """
    if index + 3 >= len(pieces) or not same_sentence(pieces, index, index + 3):
        return None
    for position in (index + 2, index + 3):
        if pieces[position].key == "from" and position + 1 < len(pieces):
            nouns = (*pieces[index + 1 : position], pieces[position + 1])
            plain = all(piece.kind in ("word", "term") and piece.key not in _NO_OBJECT for piece in nouns)
            return Choice("classification", index, position + 1) if plain else None
    return None


def filtered(pieces: list[Piece], index: int, evidence: Evidence) -> Choice | None:
    """ "a filter for junk" """
    behind_it = [piece.key for piece in pieces[index + 1 : index + 3]]
    if len(behind_it) < 2 or behind_it[0] != "for" or not same_sentence(pieces, index, index + 2):
        return None
    return Choice("classification", index, index + 2)


def amount_of(pieces: list[Piece], index: int, evidence: Evidence) -> Choice | None:
    """ "Number of claims per policy", where losses and metrics are those of amounts"""
    starts = index == 0 or pieces[index - 1].sentence != pieces[index].sentence
    if not evidence.amounts or not starts or index + 2 >= len(pieces) or pieces[index + 1].key != "of":
        return None
    return Choice("regression", index, index + 2)


_FINDS_CATEGORIES = frozenset(
    "detect detects detecting spot spots spotting find finds tell tells telling determine determines say says decide "
    "decides guess guesses know recognize recognized recognizes identify identifies hear hears name flag flags catch "
    "predict predicts bestimmen bestimmt erkennen detectar determinar détecter déterminer".split()
)


def _how(pieces: list[Piece], index: int, position: int) -> Choice | None:
    """ "how full a bin is", "how many people": an amount; "how likely": a category."""
    if position + 1 == len(pieces) or pieces[position + 1].key not in words.HOW:
        return None
    if pieces[position + 1].key in words.OF_LIKELIHOOD:
        return Choice("classification", index, position + 1)
    return Choice("regression", index, position + 1)


def predicted(pieces: list[Piece], index: int, evidence: Evidence) -> Choice | None:
    """What is predicted is an amount or a category: "predict the price", "guess the decade"."""
    gives = pieces[index].key in ("output", "outputs")
    if pieces[index].key not in words.PREDICTS or (gives and index + 1 == len(pieces)):
        return None
    if gives and pieces[index + 1].kind == "mark":
        return None
    if pieces[index].key == "model" and pieces[index + 1 : index + 2] and pieces[index + 1].kind == "mark":
        return None  # "make, model, year"
    ahead = [position for position in behind(pieces, index, _AHEAD) if pieces[position].key in words.AHEAD]
    if ahead and pieces[index].key in _LOOKS_AHEAD and not evidence.categories:
        return Choice("forecasting", index, ahead[0])
    only_questions = False
    for position in behind(pieces, index, _FAR):
        here = pieces[position]
        only_questions = only_questions or position > index + _NEAR
        parts = here.key.split()
        asks = any(word in words.WHETHER or word in _WHO for word in parts)
        if asks and pieces[index].key != "model":
            return Choice("classification", index, position)
        if not only_questions:
            following = pieces[position + 1].key if position + 1 < len(pieces) else ""
            of_amount = following in words.AMOUNTS  # "surface roughness"
            if any(word in words.CATEGORIES for word in parts) and not evidence.amounts and not of_amount:
                return Choice("classification", index, position)
            if any(word in words.AMOUNTS for word in parts):
                return _amount(pieces, index, position, evidence)
        if here.key in ("from", "using", "with", "based"):
            only_questions = True
    return None


_AHEAD = 3
"""How many words behind "predict" what is ahead may stand: "predict tomorrow's price"."""
_LOOKS_AHEAD = frozenset("predict predicts predicting prediction".split())
_WHO = frozenset(("which", "who"))


def _amount(pieces: list[Piece], index: int, position: int, evidence: Evidence) -> Choice:
    """An amount, unless it is cut into bands: "predict the price category"."""
    if position + 1 < len(pieces):
        after = pieces[position + 1].key
        if after in words.CATEGORIES or after in ("band", "bands", "bracket", "range", "ranges"):
            return Choice("classification", index, position + 1)
    if evidence.categories:
        return Choice("classification", index, position)
    return Choice("regression", index, position)


def asked(pieces: list[Piece], index: int, evidence: Evidence) -> Choice | None:
    """A question that begins a sentence: "Will a loan be repaid?", "What will the customer spend?"."""
    starts = index == 0 or pieces[index - 1].sentence != pieces[index].sentence or pieces[index - 1].key in (":", "-")
    if not starts or index + 2 >= len(pieces):
        return None
    first, second = pieces[index].key, pieces[index + 1].key
    if first in words.AMOUNT_VERBS and not evidence.categories:
        return Choice("regression", index, index + 1)
    if first == "what" and second in ("will", "does", "would"):
        for position in range(index + 2, min(len(pieces), index + 7)):
            if pieces[position].key in words.SPENDS:
                return Choice("regression", index, position)
        return None
    is_question = first in words.ASKS and second not in words.ASKS_THE_READER
    if is_question or (first == "which" and second not in ("is", "are", "model", "network", "one", "way")):
        last = index + 2
        while last + 1 < len(pieces) and last < index + 7 and pieces[last + 1].sentence == pieces[index].sentence:
            last += 1
        return Choice("classification", index, last)
    return None


def _is_story(pieces: list[Piece], index: int) -> bool:
    """Whether a verb tells what people do: "We sort apples on a belt"."""
    if not index or pieces[index - 1].key not in ("i", "we", "they", "who"):
        return False
    return index < 2 or pieces[index - 2].key not in ("can", "could", "should", "how", "shall", "do")


def implied(pieces: list[Piece], index: int, evidence: Evidence) -> Choice | None:
    """What is predicted, by the losses and metrics: "predict the strike tone", "detect hate"."""
    key = pieces[index].key
    if not (evidence.amounts or evidence.categories) or key not in _VERBS:
        return None
    if key in ("predicted", "predict", "estimate", "guess") and pieces[index - 1].key in ("be", "to") and index:
        ends = (
            index + 1 == len(pieces) or pieces[index + 1].kind == "mark" or not same_sentence(pieces, index, index + 1)
        )
        if ends:
            return Choice("regression" if evidence.amounts else "classification", index - 1, index)
    scores = key in ("score", "rate", "grade") and index > 0 and pieces[index - 1].key == "to"
    if (key in _SELDOM and not scores) or index + 1 == len(pieces) or pieces[index + 1].kind == "mark":
        return None
    if evidence.amounts and key not in words.PREDICTS:
        return None
    following = pieces[index + 1]
    is_other = following.is_named("family") or following.is_named("metric") or following.key in _NO_OBJECT
    if is_other or following.sentence != pieces[index].sentence:
        return None
    last = index + 1
    while last + 1 < len(pieces) and last < index + 4 and same_sentence(pieces, index, last + 1):
        if pieces[last + 1].kind == "mark" or pieces[last + 1].key in ("from", "with", "using", "in", "on", "of"):
            break
        last += 1
    return Choice("regression" if evidence.amounts else "classification", index, last)


_VERBS = words.PREDICTS | words.DETECTS

_SELDOM = frozenset(
    "see sees know knows read reads work show shows say says ask asks asking learn learns model measure measures "
    "output outputs mark marks check name names find finds tell answer answers score scores rate rates grade grades "
    "wissen sagen saber savoir dire decir sapere hear understand wonder figure prediction predictions compute "
    "calculate label labels".split()
)
"""Verbs that say too many other things."""

_NO_OBJECT = frozenset("it them me us that this to for on in by at and or but vs against if not".split())


def or_not(pieces: list[Piece], index: int, evidence: Evidence) -> Choice | None:
    """ "promoter or not", "flood or no flood"; and at last prices, which are predicted where nothing else is said."""
    piece = pieces[index]
    if index and piece.key in words.OR and index + 1 < len(pieces) and pieces[index + 1].key in words.NEGATES:
        return Choice("classification", index - 1, index + 1)
    if piece.key in ("price", "prices") and piece.kind == "word":
        named = index > 0 and pieces[index - 1].kind in ("word", "term")
        return Choice("regression", index - 1 if named else index, index)
    return None
