"""The tables of spellings that lie here as TOML files, one an aspect.

Spellings are compared without blanks, hyphens, underscores and apostrophes, so "early stopping", "early-stopping",
"EarlyStopping" and "early_stopping" are one.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, NamedTuple, cast

from pipeline.request.constraints import Aspect
from pipeline.request.terms.tokens import JOINERS, tokens_of, word_key

Role = Literal["is", "key", "colon", "unit", "nothing"]
"""What a spelling does: `is` asks for the thing; `key` says what a number behind it is, `colon` the same with a colon
or an equals sign between; `unit` says what a number before it is; `nothing` asks for nothing, though its words do."""

_QUANTITIES = "quantities"
_NOTHING = "nothing"


class Term(NamedTuple):
    """One meaning of a spelling."""

    aspect: Aspect
    name: str
    value: str
    role: Role


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
    entries: list[tuple[str, str, Term]] = []  # each spelling with its key
    for spelling, term in _entries(quantities):
        key = _key(spelling)
        entries.append((spelling, key, term))
        meanings = terms.setdefault(key, [])
        if term not in meanings:
            meanings.append(term)
        if spelling != spelling.lower() and spelling.isascii():
            exact.setdefault(key, squeezed(spelling))
        else:
            any_case.add(key)
    _count_kinds(terms, entries)
    beginnings = {key[:end] for key in terms for end in range(1, len(key) + 1)}
    # Hundreds of spellings mean the same: one tuple for all of them leaves the garbage collector a tenth of the work.
    shared: dict[tuple[Term, ...], tuple[Term, ...]] = {}
    return Table(
        terms={key: shared.setdefault(tuple(meanings), tuple(meanings)) for key, meanings in terms.items()},
        exact={key: spelling for key, spelling in exact.items() if key not in any_case},
        beginnings=frozenset(beginnings),
        quantities=quantities,
    )


_COUNTED_KINDS = frozenset(("image", "text", "audio", "video"))


def _count_kinds(terms: dict[str, list[Term]], entries: Iterable[tuple[str, str, Term]]) -> None:
    """Nouns of data are units too: "5k clauses" are examples, "13 numeric columns" features, as "columns" are.

    A spelling hides the shorter ones in it, so a longer noun takes over what its last word is as a unit.
    """
    examples = Term("size", "examples", "", "unit")
    for spelling, key, term in entries:
        meanings = terms[key]
        _name_kind(terms, spelling, meanings)
        if term.name == "problem":
            _name_data(spelling, meanings)
        _name_what_is_hidden(terms, spelling, meanings)
        of_data = [term for term in meanings if term.name in ("kind", "hint")]
        if not of_data or any(term.role == "unit" and term.aspect == "size" for term in meanings):
            continue
        words = spelling.replace("-", " ").split()
        inherited = [term for term in terms.get(_key(words[-1]), ()) if term.role == "unit"]
        if len(words) > 1 and inherited:
            meanings.extend(inherited)
        elif of_data[0].value in _COUNTED_KINDS and (spelling.endswith("s") or not spelling.isascii()):
            meanings.append(examples)


_COUNTS = ("duration", "examples", "frames")


_DATA_OF_PROBLEMS = {
    "image": "image images photo photos picture pictures",
    "text": "text texts sentence sentences document documents article articles tweet tweets review reviews email "
    "emails headline headlines essay essays comment comments",
    "audio": "speech voice sound audio",
    "video": "video videos",
}
_KIND_OF = {word: kind for kind, words in _DATA_OF_PROBLEMS.items() for word in words.split()}


def _name_data(spelling: str, meanings: list[Term]) -> None:
    """A problem's name that has a noun of data in it names their kind too: "match photos", "speech to text"."""
    words = spelling.replace("-", " ").split()
    if "part" in words or any(term.name == "kind" for term in meanings):
        return  # "part of speech"
    for word in words:
        if word in _KIND_OF:
            meanings.append(Term("data", "kind", _KIND_OF[word], "is"))
            return


def _name_kind(terms: dict[str, list[Term]], spelling: str, meanings: list[Term]) -> None:
    """A unit that ends with a noun of data names their kind too: the recordings of "4-second recordings"."""
    words = spelling.replace("-", " ").split()
    if len(words) < 2 or not any(term.role == "unit" and term.name in _COUNTS for term in meanings):
        return
    last = words[-1]
    of_kind = [*terms.get(last, ()), *terms.get(last.removesuffix("s"), ())]
    if not any(term.name == "kind" for term in meanings):
        meanings.extend([term for term in of_kind if term.name == "kind"][:1])


_SCALED = "x "
_LETTERS = ("char ", "character ", "char level ", "character level ")


def _name_what_is_hidden(terms: dict[str, list[Term]], spelling: str, meanings: list[Term]) -> None:
    """A spelling asks for what a shorter one in it does: the problem of "x super-resolution", which is a unit, and the
    level of a "character-level LSTM"."""
    words = spelling.replace("-", " ")
    if words.startswith(_SCALED):
        problems = [term for term in terms.get(_key(words.removeprefix(_SCALED)), ()) if term.name == "problem"]
        meanings.extend(term for term in problems if term not in meanings)
    elif words.startswith(_LETTERS) and any(term.name == "family" for term in meanings):
        level = Term("task", "variant", "character_level", "is")
        if level not in meanings:
            meanings.append(level)


def _entries(quantities: dict[tuple[str, str], Quantity]) -> Iterator[tuple[str, Term]]:
    for file in sorted(files("pipeline.request").joinpath("terms").iterdir(), key=lambda path: path.name):
        if not file.name.endswith(".toml"):
            continue
        content = tomllib.loads(file.read_text(encoding="utf-8"))
        # "data.trades.toml" goes on "data.toml".
        stem = file.name.partition(".")[0]
        if stem != _QUANTITIES:
            for name, values in content.items():
                for value, spellings in values.items():
                    for spelling in spellings:
                        role: Role = "nothing" if stem == _NOTHING else "is"
                        yield spelling, Term(cast(Aspect, stem), name, value, role)
            continue
        for stem, names in content.items():
            aspect = cast(Aspect, stem)
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
    if spelling.isalpha() and spelling.isascii():  # most are one word
        return word_key(spelling)
    return "".join(token.key for token in tokens_of(spelling) if token.text not in JOINERS)


def squeezed(words: str) -> str:
    """Words as they are written, without what stands between them."""
    return "".join(char for char in words if char not in JOINERS and not char.isspace())
