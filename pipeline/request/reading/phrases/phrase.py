"""A phrase as a rule: patterns, the constraint that they ask for, and how their words become its value."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from pipeline.request.constraints import Aspect
from pipeline.request.reading.found import Found
from pipeline.request.terms.pieces import Piece
from pipeline.request.terms.tokens import written

COUNT = r"(?:\d{1,3}|two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty|fifty)"
NUMBER = rf"(?:\d[\d.]*(?:,\d{{3}})*(?:e-?\d+)?k?|\.\d+|{COUNT})"
"""A number as a phrase may have it. Its value is read off the pieces, which know all spellings."""


@dataclass(frozen=True, slots=True)
class Match:
    """A phrase found in a request."""

    words: re.Match[str]
    numbers: tuple[float, ...]
    """The numbers that stand in the pattern's group `numbers`, in order."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """A rule: where one of the patterns is found, the constraint is asked for."""

    aspect: Aspect
    name: str
    signs: frozenset[str]
    """Parts of words of which one stands in each such phrase: looking for them is cheaper than the patterns."""
    patterns: tuple[re.Pattern[str], ...]
    """Of lower-case text. The group `asked` holds the constraint's words; the whole phrase, where there is none."""
    value: Callable[[Match], str | None]
    """The value of the constraint; None where it is none after all."""
    needs: frozenset[str]
    """Values of terms of which one is named somewhere in the request; empty where none has to be."""


def phrase(
    aspect: Aspect,
    name: str,
    signs: str,
    patterns: Collection[str],
    value: Callable[[Match], str | None],
    needs: str = "",
) -> Phrase:
    """A rule with its signs and needs as words with blanks between."""
    compiled = tuple(re.compile(pattern) for pattern in patterns)
    return Phrase(aspect, name, frozenset(signs.split()), compiled, value, frozenset(needs.split()))


def first_number(match: Match) -> str | None:
    """The first number of a phrase as a value."""
    return written(match.numbers[0]) if match.numbers else None


def thing(match: Match) -> str | None:
    """The word in the pattern's group `thing`."""
    return match.words["thing"]


def always(value: str) -> Callable[[Match], str | None]:
    """The same value whatever was found."""
    return lambda match: value


class Phrases:
    """Rules in their order, with the signs that they share: each is looked for once in a request."""

    def __init__(self, rules: Iterable[Phrase]) -> None:
        self.rules = tuple(rules)
        self.signs = sorted(frozenset().union(*(rule.signs for rule in self.rules)))

    def found(self, lower: str, pieces: list[Piece], taken: set[int], values: Collection[str]) -> Iterator[Found]:
        """What the rules find in a lower-case request, each once. The pieces that hold their numbers are added to
        `taken`; `values` are those of all terms of the request."""
        there = {sign for sign in self.signs if sign in lower}
        for rule in self.rules:
            if rule.signs.isdisjoint(there) or (rule.needs and rule.needs.isdisjoint(values)):
                continue
            found = _first_found(rule, lower, pieces, taken)
            if found is not None:
                yield found


def _first_found(rule: Phrase, lower: str, pieces: list[Piece], taken: set[int]) -> Found | None:
    for pattern in rule.patterns:
        for words in pattern.finditer(lower):
            found = _found(rule, words, pieces, taken)
            if found is not None:
                return found
    return None


def _found(rule: Phrase, words: re.Match[str], pieces: list[Piece], taken: set[int]) -> Found | None:
    groups = words.re.groupindex
    numbered: list[int] = []
    if "numbers" in groups and words["numbers"] is not None:
        first, last = places(pieces, *words.span("numbers"))
        numbered = [index for index in range(first, last + 1) if pieces[index].number is not None]
    if not taken.isdisjoint(numbered):
        return None
    numbers = tuple(pieces[index].number or 0.0 for index in numbered)
    if "numbers" in groups and not numbers and (words["numbers"] or "").isdecimal():
        numbers = (float(words["numbers"]),)  # it is part of a term: the 10 of "HR@10"
    value = rule.value(Match(words, numbers))
    if value is None:
        return None
    taken.update(numbered)
    first, last = places(pieces, *words.span("asked" if "asked" in groups else 0))
    return Found(rule.aspect, rule.name, value, first, last)


def places(pieces: list[Piece], start: int, end: int) -> tuple[int, int]:
    """The first and last piece of a part of the text."""
    first = max(0, bisect_right(pieces, start, key=_start) - 1)
    return first, max(first, bisect_left(pieces, end, key=_start) - 1)


def _start(piece: Piece) -> int:
    return piece.start
