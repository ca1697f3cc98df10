"""What a rule has read, before it becomes a constraint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pipeline.request.constraints import Aspect
from pipeline.request.terms.negation import Stance
from pipeline.request.terms.pieces import Piece


class Found(NamedTuple):
    """Something asked for, with the first and last piece that say it."""

    aspect: Aspect
    name: str
    value: str
    first: int
    last: int
    subject: str = ""


class Written(NamedTuple):
    """Something named in the request's own spelling, with its characters: a file, a column, a class."""

    aspect: Aspect
    name: str
    value: str
    start: int
    end: int
    negated: bool = False


Numbers = Sequence[tuple[int, Piece]]
"""The numbers of a text, with their places among the pieces: most rules look at nothing else."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several values a request may mean, with the pieces that name it."""

    value: str
    first: int
    last: int
    subject: str = ""


def choices(pieces: list[Piece], stances: Sequence[Stance], name: str) -> list[Choice]:
    """The values of a name that terms of the text have, in their order."""
    results = []
    for index, piece in enumerate(pieces):
        if not piece.terms or stances[index] != "asked":
            continue
        for term in piece.terms:
            if term.name == name and term.role == "is":
                results.append(Choice(term.value, index, index))
    return results


def first_of_each(named: list[Choice]) -> list[Choice]:
    """Each value once, where it is named first."""
    first: dict[str, Choice] = {}
    for choice in named:
        first.setdefault(choice.value, choice)
    return list(first.values())
