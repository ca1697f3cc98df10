"""A text cut into pieces: terms that a table knows, numbers, other words, and marks.

Where several spellings fit, the longest wins: "BiLSTM" is no "LSTM", "attention heads" no "attention".
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from pipeline.request.terms.table import Role, Table, Term, squeezed, table
from pipeline.request.terms.tokens import JOINERS, NUMBER_STARTS, Token, tokens_of, worded_number

_MOST_TOKENS = 14
"""No spelling has more words and marks."""


class Piece(NamedTuple):
    """A term, a number, or a word or mark that no table knows."""

    kind: Literal["term", "number", "word", "mark"]
    key: str
    start: int
    end: int
    sentence: int
    """Sentences and lines are counted; a number belongs to no word of another sentence."""
    terms: tuple[Term, ...] = ()
    number: float | None = None
    share: bool = False
    last: str = ""
    """The last word of the key: the noun of "chest x-ray photos"."""

    def meanings(self, role: Role) -> tuple[Term, ...]:
        if not self.terms:
            return ()
        return tuple([term for term in self.terms if term.role == role])

    def is_a(self, name: str) -> bool:
        return any(term.name == name for term in self.meanings("is"))

    def is_named(self, name: str) -> bool:
        return any(term.name == name for term in self.terms)

    def means(self, value: str) -> bool:
        return any(term.value == value for term in self.terms)


def named_values(pieces: list[Piece]) -> set[str]:
    """The values of all terms of some pieces: `lstm`, `pairs`, `mse`."""
    return {term.value for piece in pieces for term in piece.terms}


_ABBREVIATIONS = frozenset("vs g e i approx max min incl resp ca no etc dim dr avg bzw".split())


def pieces_of(text: str) -> list[Piece]:
    """The pieces of a text from left to right."""
    tokens = tokens_of(text)
    known = table()
    pieces: list[Piece] = []
    sentence = 0
    index = 0
    while index < len(tokens):
        token = tokens[index]
        if index:
            before = tokens[index - 1]
            # Between two words with one blank no sentence ends; the test is cheaper than the search.
            if before.kind == "mark" or text[before.end : token.start] not in _BLANKS:
                sentence += _ends_sentence(text, tokens, index)
        # Most words begin no spelling.
        may_begin = token.key in known.terms or token.key[:-1] in known.terms
        may_begin = may_begin or (token.key in known.beginnings and _goes_on(tokens, index, known))
        found = _longest_term(text, tokens, index, known) if may_begin else None
        worded = None
        if found is None and token.key in NUMBER_STARTS:
            worded = worded_number(tokens, index)
        if found is not None:
            terms, after = found
            end = tokens[after - 1].end
            key = text[token.start : end].lower()
            number = token.number if after == index + 1 else None
            pieces.append(Piece("term", key, token.start, end, sentence, terms, number, False, key.rpartition(" ")[2]))
            index = after
        elif worded is not None:
            value, index = worded
            end = tokens[index - 1].end
            pieces.append(Piece("number", token.key, token.start, end, sentence, (), value, False, token.key))
        else:
            kind = _KINDS[token.kind]
            key = token.key
            pieces.append(Piece(kind, key, token.start, token.end, sentence, (), token.number, token.share, key))
            index += 1
    return pieces


def _goes_on(tokens: list[Token], index: int, known: Table) -> bool:
    """Whether a word that is no spelling itself begins one with the word behind it."""
    following = index + 1
    while following < len(tokens) and tokens[following].text in JOINERS:
        following += 1
    if following == len(tokens):
        return False
    key = tokens[index].key + tokens[following].key
    return key in known.beginnings or key[:-1] in known.terms


_BLANKS = ("", " ")
_KINDS: dict[str, Literal["number", "word", "mark"]] = {
    "number": "number",
    "word": "word",
    "letter": "word",
    "mark": "mark",
}


def _ends_sentence(text: str, tokens: list[Token], index: int) -> bool:
    """Whether a sentence ends between a token and the one before it: by a line end, or a full stop before a blank."""
    before, here = tokens[index - 1], tokens[index]
    if "\n" in text[before.end : here.start]:
        return True
    if before.text in "!?;。！？；" and before.kind == "mark":
        return True
    return before.text == "." and before.end < here.start and not _abbreviates(tokens, index - 1)


def _abbreviates(tokens: list[Token], stop: int) -> bool:
    """Whether a full stop belongs to an abbreviation: "vs.", "e.g.", "max."."""
    return stop > 0 and tokens[stop - 1].key in _ABBREVIATIONS


def _longest_term(text: str, tokens: list[Token], index: int, known: Table) -> tuple[tuple[Term, ...], int] | None:
    """The meanings of the longest spelling that begins at a token, and the index after it."""
    first = tokens[index]
    if first.kind == "mark" and first.text in JOINERS:
        return None
    if index and first.kind == "number" and first.touches(tokens[index - 1]) and tokens[index - 1].kind == "word":
        return None  # inside a name: the 3 of "conv3"
    key = ""
    best: tuple[tuple[Term, ...], int] | None = None
    beginnings = known.beginnings
    for end in range(index, min(len(tokens), index + _MOST_TOKENS)):
        token = tokens[end]
        if end > index:
            gap = text[tokens[end - 1].end : token.start]
            if gap not in _BLANKS and "\n" in gap:
                break
        if token.text in JOINERS:
            continue
        key += token.key
        goes_on = key in beginnings
        plural = token.key[-1] == "s" and len(token.key) > 3
        if plural or (goes_on and key in known.terms):
            terms = _meanings(key, text, first.start, token.end, known, plural=plural)
            if terms and (end + 1 == len(tokens) or not _splits_word(token, tokens[end + 1])):
                best = terms, end + 1
        if not goes_on:
            break
    return best


def _splits_word(token: Token, following: Token) -> bool:
    """Whether a name goes on behind a token: "resnet" in "resnet77", "1" in "1d"."""
    if not following.touches(token):
        return False
    if token.kind == "word":
        return following.kind == "number"
    # "1d" behind "conv1"; the "r2" of "r2l"
    return token.kind == "number" and following.kind == "word" and following.key != "x"


def _meanings(key: str, text: str, start: int, end: int, known: Table, *, plural: bool) -> tuple[Term, ...]:
    """What a spelling means; a plural means what its singular does too."""
    terms = _exact_terms(key, text, start, end, known)
    if plural:
        singular = _exact_terms(key[:-1], text, start, end - 1, known)
        if not terms or not singular:
            return terms or singular
        roles = {term.role for term in terms}
        terms += tuple([term for term in singular if term.role not in roles])
    return terms


def _exact_terms(key: str, text: str, start: int, end: int, known: Table) -> tuple[Term, ...]:
    terms = known.terms.get(key)
    if terms is None:
        return ()
    exact = known.exact.get(key)
    if exact is not None and squeezed(text[start:end]) != exact:
        return ()
    return terms
