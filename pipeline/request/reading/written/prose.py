"""Columns that stand in a sentence: "a table of used cars with brand, km and price", "predict rent from size, rooms and
floor"."""

from __future__ import annotations

import re
from bisect import bisect_left

from pipeline.request.reading.written.listings import Listing
from pipeline.request.terms.lists import Name, listed
from pipeline.request.terms.pieces import Piece

_TABLES = frozenset(
    "table csv tsv sheet spreadsheet excel xlsx parquet tabelle tabla tableau tabela tabella file export dump".split()
)
_RECORDS = frozenset(
    "history entry entries row line records record log "
    "logs readings measurements data dataset rows prices quotes".split()
)
"""Behind these a list is one of columns only where its names look like it."""
_HOLDERS = _TABLES | _RECORDS
_WITH = frozenset("with has have having contains containing holds holding including mit con avec com".split())
_FURTHEST = 9
"""How many words may stand between a table and its "with": "a table of used cars from our region with brand, km"."""
_ASIDE = 30
"""How long an aside in brackets between them may be."""
_FROM = frozenset("from using given by aus".split())
_PREDICTS = frozenset("predict predicts predicting estimate estimates estimating guess guesses infer regress".split())
_ARTICLES = frozenset("the a an its their".split())
_GOES_ON = frozenset("for of in on as to from per at is are by where which that".split())
"""Behind these the sentence goes on after the last name: "brand, km and price for our shop"."""
_NO_NAMES = frozenset(
    "the a an it its them their this that these those what which who me my our your we i you all any each some no not "
    "one two of in on at to and or with for please good bad many few more less".split()
)
_LEAST = 3


_WORDS = re.compile(r"\w+")
_PAST = re.compile(
    r"\b(?:past|last|previous) \d+ (?:hours|days|steps|minutes|weeks|months|readings) of "
    r"([A-Za-z]\w*(?:, [A-Za-z]\w*)+,? and [A-Za-z]\w*)(?=[.;,)]| (?:with|in|to|by|using|from)\b|$)"
)
"""Series that are looked back on: "the past 48 hours of irradiance, temperature and power"."""


_THING = (
    r"(?!(?:the|a|an|our|my|some|any|all|which|what|how|and|or)\b)"
    r"[a-z]+(?: (?!(?:and|or|to|we|i|tell|which|what|how)\b)[a-z]+){0,2}"
)
_ASKED = r"(?:which|whether|what|how|tell|predict\w*|estimat\w*|guess\w*|classif\w*|recogni[sz]e\w*|determine)"
_TOLD_FROM = re.compile(
    rf"\b(?:[Ff]rom|[Gg]iven|[Bb]y) (?:the |their |its |a tree's )?"
    rf"(?P<things>{_THING}(?:, {_THING}){{1,12}},? and {_THING}),? {_ASKED}\b"
)
"""Things that a row has: "from the trunk diameter, height and crown width which of six species"."""
_LISTED = re.compile(r"(?:, and |, | and )")


def _parts(match: re.Match[str]) -> list[Name]:
    names: list[Name] = []
    start = match.start("things")
    for part in _LISTED.split(match["things"]):
        start = match.string.index(part, start)
        names.append(Name(part, start, start + len(part)))
        start += len(part)
    return names


def in_prose(text: str, pieces: list[Piece]) -> list[Listing]:
    """The first list of columns behind a table, or behind what is predicted from them."""
    past = _PAST.search(text)
    if past is not None:
        names = [
            Name(part.group(), past.start(1) + part.start(), past.start(1) + part.end())
            for part in _WORDS.finditer(past[1])
        ]
        names = [name for name in names if name.text != "and"]
        if len(names) >= _LEAST:
            return [Listing(names, frozenset())]
    told_from = _TOLD_FROM.search(text)
    if told_from is not None:
        return [Listing(_parts(told_from), frozenset(), only_inputs=True)]
    for index, piece in enumerate(pieces):
        if piece.last in _HOLDERS:
            names = _behind_table(text, pieces, index)
            if names:
                return [Listing(names, frozenset())]
        elif piece.key in _PREDICTS or (piece.terms and piece.key.partition(" ")[0] in _PREDICTS):
            listing = _predicted_from(text, pieces, index)
            if listing is not None:
                return [listing]
    return []


def _behind_table(text: str, pieces: list[Piece], index: int) -> list[Name]:
    """ "a table of used cars with brand, km and price", "price history with open, high, low, close" """
    position = index + 1
    while position < len(pieces) and position - index <= _FURTHEST:
        here = pieces[position]
        if here.sentence != pieces[index].sentence or here.key in (",", ":"):
            return []
        if here.key in _WITH:
            break
        if here.key == "(":
            closed = _closed(pieces, position)
            if closed is None:
                return []
            return _behind_table(text, pieces, closed)
        position += 1
    if position >= len(pieces) or pieces[position].key not in _WITH:
        return []
    names = _identifiers(text, pieces, position + 1)
    written = any("_" in name.text.strip("_") for name in names)
    if pieces[index].last in _RECORDS and not written and len(names) <= _LEAST:
        return []
    return names


def _closed(pieces: list[Piece], opened: int) -> int | None:
    """Where an aside in brackets ends; None where it does not soon."""
    for position in range(opened + 1, min(len(pieces), opened + _ASIDE)):
        if pieces[position].key == ")":
            return position
    return None


def _predicted_from(text: str, pieces: list[Piece], index: int) -> Listing | None:
    """ "predict the species from bill_length, bill_depth and mass" """
    for position in range(index + 2, min(len(pieces), index + _FURTHEST)):
        here = pieces[position]
        if here.sentence != pieces[index].sentence or here.key in (",", ":"):
            return None
        if here.key not in _FROM:
            continue
        names = _identifiers(text, pieces, position + 1)
        if not names:
            continue
        first = index + 1 + (pieces[index + 1].key in _ARTICLES)
        start = identifier_start(text, pieces[position - 1].end)
        word = text[start : pieces[position - 1].end]
        # "predict the stem from", "predict taxi fare_amount from"; of other words it is open which is the column
        is_alone = start <= pieces[first].start
        if not _is_identifier(word) or not (is_alone or "_" in word.strip("_")):
            return Listing(names, frozenset(), only_inputs=True)
        target = Name(word, start, start + len(word))
        return Listing([*names, target], frozenset(), word)
    return None


def identifier_start(text: str, end: int) -> int:
    """Where the word that ends at a place begins."""
    start = end
    while start and (text[start - 1].isalnum() or text[start - 1] == "_"):
        start -= 1
    return start


def _identifiers(text: str, pieces: list[Piece], start: int) -> list[Name]:
    """Three names or more of a word each, up to where the list turns into a sentence; none that asks for something."""
    names: list[Name] = []
    for name in listed(text, pieces, start, "")[0]:
        words = name.text.split()
        if not _is_identifier(words[0]) or words[0].lower() in _NO_NAMES:
            break
        joined = "and" in text[names[-1].end : name.start].split() if names else False
        if len(words) > 1 and not (joined and words[1] in _GOES_ON):
            break
        names.append(Name(words[0], name.start, name.start + len(words[0])))
        if len(words) > 1:
            break
    if len(names) < _LEAST or any(asks_for_something(pieces, name) for name in names):
        return []
    return names


def _is_identifier(name: str) -> bool:
    return name.replace("_", "").isalnum() and name[:1].isalpha()


# "color" is a column like any other, and so are "text" and "churn".
_ASPECTS = frozenset(("framework", "classes", "files", "architecture", "training", "metric", "output"))


def asks_for_something(pieces: list[Piece], name: Name, aspects: frozenset[str] = _ASPECTS) -> bool:
    """Whether a name is one of a network, a metric or the like: "a table with dropout, Adam and ReLU"."""
    position = bisect_left(pieces, name.start, key=_start)
    terms = pieces[position].terms if position < len(pieces) and pieces[position].start == name.start else ()
    return any(term.role == "is" and term.aspect in aspects for term in terms)


def _start(piece: Piece) -> int:
    return piece.start
