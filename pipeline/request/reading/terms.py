"""The tables of spellings (`pipeline/request/terms/*.toml`), and finding them in a text.

Spellings are compared without blanks, hyphens, underscores and apostrophes, so "early stopping", "early-stopping",
"EarlyStopping" and "early_stopping" are one. Where several fit, the longest wins: "BiLSTM" is no "LSTM", "attention
heads" no "attention". A text is cut into *pieces*: terms, numbers, other words and marks.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, NamedTuple

from pipeline.request.constraints import Aspect
from pipeline.request.reading.tokens import Token, tokens_of, word_key, worded_number

Role = Literal["is", "key", "colon", "unit", "nothing"]
"""`is`: the words ask for the thing. `key`: they say what a number behind them is; `colon`: the same, before a colon or an
equals sign only. `unit`: they say what a number before them is. `nothing`: a phrase that asks for nothing though its words would."""

_JOINERS = frozenset("-‐‑–_'’`")
_MOST_TOKENS = 9
_QUANTITIES = "quantities"
_NOTHING = "nothing"


class Term(NamedTuple):
    """One meaning of a spelling."""

    aspect: Aspect
    name: str
    value: str
    role: Role


@dataclass(frozen=True, slots=True)
class Piece:
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

    def meanings(self, role: Role) -> list[Term]:
        return [term for term in self.terms if term.role == role]

    def is_a(self, name: str) -> bool:
        return any(term.name == name and term.role == "is" for term in self.terms)


@dataclass(frozen=True, slots=True)
class Quantity:
    """What a number can be, by the words around it."""

    aspect: Aspect
    name: str
    low: float
    high: float
    whole: bool
    share: bool
    gap: int
    is_list: bool


@dataclass(frozen=True, slots=True)
class Table:
    """All spellings."""

    terms: dict[str, tuple[Term, ...]]
    exact: dict[str, str]
    """Spellings that have to be met letter by letter, by their key."""
    beginnings: frozenset[str]
    """All beginnings of keys: where a search can stop."""
    quantities: dict[tuple[str, str], Quantity]


@cache
def table() -> Table:
    """The tables, read once."""
    terms: dict[str, list[Term]] = {}
    exact: dict[str, str] = {}
    any_case: set[str] = set()
    quantities: dict[tuple[str, str], Quantity] = {}
    for spelling, term in _entries(quantities):
        key = _key(spelling)
        meanings = terms.setdefault(key, [])
        if term not in meanings:
            meanings.append(term)
        squeezed = "".join(char for char in spelling if char not in _JOINERS and not char.isspace())
        if spelling != spelling.lower() and spelling.isascii():
            exact.setdefault(key, squeezed)
        else:
            any_case.add(key)
    beginnings = {key[:end] for key in terms for end in range(1, len(key) + 1)}
    return Table(
        terms={key: tuple(meanings) for key, meanings in terms.items()},
        exact={key: spelling for key, spelling in exact.items() if key not in any_case},
        beginnings=frozenset(beginnings),
        quantities=quantities,
    )


def _entries(quantities: dict[tuple[str, str], Quantity]) -> Iterator[tuple[str, Term]]:
    for file in sorted(files("pipeline.request").joinpath("terms").iterdir(), key=lambda path: path.name):
        if not file.name.endswith(".toml"):
            continue
        content = tomllib.loads(file.read_text(encoding="utf-8"))
        stem = file.name.removesuffix(".toml")
        if stem != _QUANTITIES:
            for name, values in content.items():
                for value, spellings in values.items():
                    for spelling in spellings:
                        role: Role = "nothing" if stem == _NOTHING else "is"
                        yield spelling, Term(stem, name, value, role)  # type: ignore[arg-type]  # a file an aspect
            continue
        for aspect, names in content.items():
            for name, quantity in names.items():
                quantities[aspect, name] = Quantity(
                    aspect=aspect,
                    name=name,
                    low=quantity["low"],
                    high=quantity["high"],
                    whole=not quantity.get("number", False),
                    share=quantity.get("share", False),
                    gap=quantity.get("gap", 1),
                    is_list=quantity.get("list", False),
                )
                for key in quantity["keys"]:
                    yield key.rstrip(":= "), Term(aspect, name, "", "colon" if key[-1] in ":=" else "key")
                for unit in quantity["units"]:
                    yield unit, Term(aspect, name, "", "unit")


def _key(spelling: str) -> str:
    return "".join(token.key for token in tokens_of(spelling) if token.text not in _JOINERS)


def pieces_of(text: str) -> list[Piece]:
    """The pieces of a text from left to right."""
    tokens = tokens_of(text)
    known = table()
    pieces: list[Piece] = []
    sentence = 0
    index = 0
    while index < len(tokens):
        token = tokens[index]
        if index and _ends_sentence(text, tokens, index):
            sentence += 1
        found = _longest_term(text, tokens, index, known)
        worded = worded_number(tokens, index) if token.kind == "word" and found is None else None
        if found is not None:
            terms, after = found
            last = tokens[after - 1]
            key = text[token.start : last.end].lower()
            pieces.append(Piece("term", key, token.start, last.end, sentence, terms, token.number if after == index + 1 else None))
            index = after
        elif worded is not None:
            value, index = worded
            last = tokens[index - 1]
            pieces.append(Piece("number", token.key, token.start, last.end, sentence, (), value))
        else:
            kind: Literal["number", "word", "mark"] = "mark"
            if token.kind == "number":
                kind = "number"
            elif token.kind in ("word", "letter"):
                kind = "word"
            pieces.append(Piece(kind, token.key, token.start, token.end, sentence, (), token.number, token.share))
            index += 1
    return pieces


def _ends_sentence(text: str, tokens: list[Token], index: int) -> bool:
    """Whether a sentence ends between a token and the one before it: by a full stop before a blank, or by a line end."""
    before, here = tokens[index - 1], tokens[index]
    if "\n" in text[before.end : here.start]:
        return True
    if before.text in "!?;。！？；" and before.kind == "mark":
        return True
    return before.text == "." and before.end < here.start and not _abbreviates(tokens, index - 1)


def _abbreviates(tokens: list[Token], stop: int) -> bool:
    """Whether a full stop belongs to an abbreviation: "vs.", "e.g.", "max."."""
    word = tokens[stop - 1].key if stop else ""
    return word in ("vs", "g", "e", "i", "approx", "max", "min", "incl", "resp", "ca", "no", "etc", "dim", "dr", "avg", "bzw")


def _longest_term(text: str, tokens: list[Token], index: int, known: Table) -> tuple[tuple[Term, ...], int] | None:
    """The meanings of the longest spelling that begins at a token, and the index after it."""
    first = tokens[index]
    if first.kind == "mark" and first.text in _JOINERS:
        return None
    if index and first.kind == "number" and first.touches(tokens[index - 1]) and tokens[index - 1].kind == "word":
        return None  # inside a name: the 3 of "conv3"
    key = ""
    best: tuple[tuple[Term, ...], int] | None = None
    for end in range(index, min(len(tokens), index + _MOST_TOKENS)):
        token = tokens[end]
        if end > index and "\n" in text[tokens[end - 1].end : token.start]:
            break
        if token.text in _JOINERS:
            continue
        key += token.key
        whole = end + 1 == len(tokens) or not _splits_word(token, tokens[end + 1])
        if whole:
            terms = _meanings(key, text[first.start : token.end], known)
            if terms:
                best = terms, end + 1
        if key not in known.beginnings:
            break
    return best


def _splits_word(token: Token, following: Token) -> bool:
    """Whether a name goes on after a token: "resnet" of "resnet77"."""
    return following.touches(token) and {token.kind, following.kind} == {"word", "number"} and token.kind != "number" or (
        following.touches(token) and token.kind == "number" and following.kind == "word" and following.text in ("d", "D")
    )


def _meanings(key: str, words: str, known: Table) -> tuple[Term, ...]:
    """What a spelling means; a plural means what its singular does too."""
    terms = _exact_terms(key, words, known)
    if len(key) > 3 and key.endswith("s"):
        terms += tuple(term for term in _exact_terms(key[:-1], words[:-1], known) if term not in terms)
    return terms


def _exact_terms(key: str, words: str, known: Table) -> tuple[Term, ...]:
    exact = known.exact.get(key)
    if exact is not None and "".join(char for char in words if char not in _JOINERS and not char.isspace()) != exact:
        return ()
    return known.terms.get(key, ())


__all__ = ["Piece", "Quantity", "Role", "Table", "Term", "pieces_of", "table", "word_key"]
