"""The JSON objects in a text that a model wrote: among prose, quoted, in a text of JSON, mended where they are broken.

Work is bounded whatever the text: what is not JSON is mended up to a length and a depth, and so many times.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import json_repair

LONGEST_REPAIRED = 20_000
"""Characters up to which broken JSON is mended; the longest published plan has 3,800."""

DEEPEST_REPAIRED = 50
"""Open brackets up to which broken JSON is mended: the work is length times depth. A plan opens four."""

_MOST_REPAIRED = 12
"""Broken objects of one text that are mended."""

_MOST_OBJECTS = 200
_BRACKET = re.compile(r"[\[\]{}]")
_STRING_OR_BRACKET = re.compile(r"\"(?:[^\"\\]|\\.)*+\"?|[{}]", re.DOTALL)
_CURLY = str.maketrans("“”„‟", '""""')
_ELLIPSIS = re.compile(r",?\s{0,20}(?:\.\.\.|…)\s{0,20}(?=[,}\]])")
_NUMBER = r"-?\d{1,20}(?:\.\d{1,20})?"
_FORMULA = re.compile(
    rf"(?<=:)(?P<space>\s{{0,20}})(?P<formula>{_NUMBER}\s?(?:\*\*|\^|/)\s?\(?{_NUMBER}\)?)(?=\s{{0,20}}[,}}\n])"
)
"""A value that is no JSON, like `10**-3`: kept as a text, which readers of numbers compute."""

_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class FoundObject:
    """An object of a text."""

    value: Mapping[str, object]
    """Its keys and values."""

    whole: bool
    """Whether its last bracket stands in the text; one that was cut off is closed where it ends."""


def objects_in(text: str) -> list[FoundObject]:
    """The outermost objects of a text in their order; of a text that is a JSON string, those in the string."""
    text = _decoded(text)
    return list(_objects(text))


def _decoded(text: str) -> str:
    """What a JSON string holds that was encoded once more, or twice."""
    for _ in range(2):
        if not text.lstrip().startswith('"'):
            break
        try:
            value, _ = _DECODER.raw_decode(text.lstrip())
        except (ValueError, RecursionError):
            break
        if not isinstance(value, str) or "{" not in value:
            break
        text = value
    return text


def _objects(text: str) -> Iterator[FoundObject]:
    position, repaired = text.find("{"), 0
    for _ in range(_MOST_OBJECTS):
        if position < 0:
            return
        try:
            value, end = _DECODER.raw_decode(text, position)
            whole = True
        except (ValueError, RecursionError):
            repaired += 1
            if repaired > _MOST_REPAIRED:
                return
            end = _closing(text, position)
            whole = end > 0
            value = _mended(text[position : end if whole else len(text)])
            if not whole:
                end = len(text)
        if isinstance(value, Mapping):
            yield FoundObject(value, whole)
        position = text.find("{", end)


def _closing(text: str, start: int) -> int:
    """Where the object that opens at a place ends; 0 where it does not."""
    depth = 0
    for match in _STRING_OR_BRACKET.finditer(text, start):
        if match[0] == "{":
            depth += 1
        elif match[0] == "}":
            depth -= 1
            if not depth:
                return match.end()
    return 0


def _mended(text: str) -> object:
    """What broken JSON means; None beyond the bounds."""
    if len(text) > LONGEST_REPAIRED or _depth(text) > DEEPEST_REPAIRED:
        return None
    if text.count('"') < 2 or "“" in text:
        text = text.translate(_CURLY)
    text = _FORMULA.sub(r'\g<space>"\g<formula>"', _ELLIPSIS.sub("", text))
    try:
        return json_repair.loads(text, skip_json_loads=True)
    except (ValueError, RecursionError):  # nested beyond reason
        return None


def _depth(text: str) -> int:
    """How many brackets are open at most, those in strings counted too."""
    depth = deepest = 0
    for bracket in _BRACKET.findall(text):
        depth = depth + 1 if bracket in "[{" else max(0, depth - 1)
        deepest = max(deepest, depth)
    return deepest
