"""What judges answer, read leniently: scores and choices in objects of many shapes, or in lines of words."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence

from pipeline.plan.json_objects import objects_in

_SCORE = re.compile(
    r"(?P<points>\d{1,2})(?:\.\d{1,4})?(?:\s?(?:/|out of|of)\s?10)?(?:\s?points?)?(?:\s?[-–:(,]\s?[^\d\s].{0,200})?",
    re.IGNORECASE | re.DOTALL,
)
_CHOICE = re.compile(
    r"(?:the )?(?:(?:project|solution|candidate|assistant|response|option|program|code) )?(?P<choice>a|b|first|second)"
    r"(?: (?:one|project|solution))?(?: (?:is (?:clearly |slightly )?better|wins))?",
    re.IGNORECASE,
)
_TIE = re.compile(r"(?:an? )?(?:tie|draw|equal|same|both|neither|none|c|=)\b.{0,40}|=", re.IGNORECASE)
_CHOICES = {"a": "A", "first": "A", "b": "B", "second": "B"}
_MARKS = " *_`[]\"'.\n\t"
"""What is written around a score or a choice."""

_INNER_KEYS = ("score", "rating", "points", "value", "choice", "winner", "verdict", "grade")
_DEEPEST = 3
"""Objects in one another down to which a verdict is looked for."""


def verdicts_in(text: str, aspects: Sequence[str], *, whole: bool) -> list[dict[str, object]]:
    """What a reply says of the aspects, and its `reason`, by object in the reply's order; lines of words ("Compliance:
    8") where no object says anything. With `whole`, of objects alone whose last bracket is there."""
    read: list[dict[str, object]] = []
    for found in objects_in(text):
        if found.whole or not whole:
            for values in _mappings(found.value, _DEEPEST):
                if known := _known(values, aspects):
                    read.append(known)
    if read or whole:
        return read
    words = _in_words(text, aspects)
    return [words] if len(words) == len(aspects) else []


def _mappings(value: object, depth: int) -> Iterator[Mapping[str, object]]:
    """An object and those in it, the inner ones first."""
    if not isinstance(value, Mapping):
        return
    if depth:
        for inner in value.values():
            yield from _mappings(inner, depth - 1)
    yield value


def _known(values: Mapping[str, object], aspects: Sequence[str]) -> dict[str, object]:
    """The aspects that an object has, and its reason; {} without an aspect."""
    by_name = {re.sub(r"[^a-z]|scores?$|rating$", "", str(key).lower()): value for key, value in values.items()}
    known = {aspect: _plain(_inner(by_name[aspect])) for aspect in aspects if aspect in by_name}
    if known:
        known["reason"] = str(by_name.get("reason", ""))
    return known


def _inner(value: object) -> object:
    """The score of an object that gives its reason beside it."""
    if not isinstance(value, Mapping):
        return value
    return next((value[key] for key in _INNER_KEYS if key in value), None)


def _in_words(text: str, aspects: Sequence[str]) -> dict[str, object]:
    """The aspects that stand at the beginning of a line, with what follows there."""
    read: dict[str, object] = {}
    for aspect in aspects:
        line = re.search(rf"^\W{{0,8}}{aspect}(?: score)?\W{{0,4}}[:=](?P<value>[^\n]{{1,200}})", text, re.I | re.M)
        if line:
            read[aspect] = _plain(line["value"])
    return read


def _plain(value: object) -> object:
    """A score or choice as the schema has it: 8.5, "8", "8/10" and "**8** - good" are 8; "Project A" is A."""
    if isinstance(value, float) and math.isfinite(value):
        return math.floor(value)
    if not isinstance(value, str):
        return value
    text = value.strip(_MARKS)
    score = _SCORE.fullmatch(text.replace("*", ""))
    if score:
        return int(score["points"])
    choice = _CHOICE.fullmatch(text)
    if choice:
        return _CHOICES[choice["choice"].lower()]
    return "tie" if _TIE.fullmatch(text) else text
