"""What a check says of one constraint, and how values are compared."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pipeline.request.delivery import Outcome

NO_PROGRAM = "the code is no Python program"
AT_RUN_TIME = "known only when the program runs"

_NO_LETTERS = re.compile(r"[\W_]+")
_NEXT_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of the value itself, whether it is asked for or forbidden."""

    outcome: Outcome
    line: int | None = None
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A value in the code."""

    value: object
    line: int | None
    name: str = ""
    """What holds it: a variable, a keyword."""


def met(line: int | None, evidence: str = "") -> Finding:
    return Finding("met", line, evidence)


def missing(evidence: str, line: int | None = None) -> Finding:
    """It is not there; the evidence says what is, at the line."""
    return Finding("not_met", line, evidence)


def unknown(evidence: str) -> Finding:
    return Finding("not_checkable", None, evidence)


def one_of(found: Iterable[Found], wanted: str, nothing: Finding) -> Finding:
    """Met where any of the found values equals the wanted one; `nothing` where none is found."""
    values = list(found)
    if not values:
        return nothing
    for item in values:
        if equal(item.value, wanted):
            return met(item.line)
    known = [item for item in values if isinstance(item.value, str | int | float)]
    if not known:
        return unknown(AT_RUN_TIME)
    return missing(listed(known), known[0].line)


def amount(found: Sequence[Found], wanted: str, nothing: str) -> Finding:
    """A number as in `one_of`; anything that was found where a constraint only says that it is wanted."""
    if as_number(wanted) is not None:
        return one_of(found, wanted, missing(nothing))
    return met(found[0].line) if found else missing(nothing)


def listed(found: Sequence[Found]) -> str:
    """The values in a few words, each once: "32, 64"."""
    texts: list[str] = []
    for item in found:
        text = shown(item.value)
        if text not in texts:
            texts.append(text)
    if len(texts) > 6:
        texts = [*texts[:5], f"{len(texts) - 5} more"]
    return ", ".join(texts)


def shown(value: object) -> str:
    """A value as evidence, cut where it is long."""
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def equal(value: object, wanted: str) -> bool:
    """Whether a value of the code is the wanted one: numbers as numbers, to within a thousandth; words by their letters
    and digits."""
    number = as_number(wanted)
    if number is not None:
        return (
            isinstance(value, int | float) and not isinstance(value, bool) and math.isclose(value, number, rel_tol=1e-3)
        )
    return isinstance(value, str) and plain(value) == plain(wanted)


def as_number(text: str) -> float | None:
    """The number that a constraint's value states; None for a word."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def numbers_in(text: str) -> list[float]:
    """The numbers of a value that lists them: "64,32" -> [64.0, 32.0]; none where any part is a word."""
    parts = [as_number(part) for part in text.split(",")]
    numbers = [part for part in parts if part is not None]
    return numbers if len(numbers) == len(parts) else []


def is_known(value: object) -> bool:
    """Whether the value is a number (no truth value)."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def plain(text: str) -> str:
    """Lower-case letters and digits: "ResNet-50" -> "resnet50"."""
    return _NO_LETTERS.sub("", text.casefold())


@lru_cache(maxsize=16_384)  # projects share most of their identifiers
def spaced(name: str) -> str:
    """An identifier in snake case: "BahdanauAttention" -> "bahdanau_attention"."""
    return _NEXT_WORD.sub("_", name).lower()
