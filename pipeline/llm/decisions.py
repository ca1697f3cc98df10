"""What a model says beside a program: which draft it took, what it corrected in the plan, what it assumed.

It is asked for as one JSON object before the program. Models put it behind it, into a fence, leave keys out or write
words instead; a reply without any is as good as one with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from pipeline.plan.change import Decisions, PlanCorrection
from pipeline.plan.json_objects import objects_in
from pipeline.plan.reading import read_text

KEYS = frozenset({"base", "from_other", "corrections", "assumptions"})
"""Of the object; any of them will do."""

_MOST = 20
"""Entries of a list that are kept."""

_LONGEST_ENTRY, _LONGEST_NOTES = 600, 4_000
"""Characters of an entry, and of the words beside the program."""

_FENCE = re.compile(r"^[ \t>]*(?:`{3,}|~{3,}).*$", re.MULTILINE)


def decisions_in(said: str) -> Decisions:
    """The decisions in what a reply says beside its program; empty ones where there are none."""
    notes = _notes(said)
    for found in objects_in(said):
        body = _folded(found.value)
        if KEYS & body.keys():
            return Decisions(
                base=_base(body.get("base")),
                from_other=tuple(_entries(body.get("from_other"))),
                corrections=tuple(_corrections(body.get("corrections"))),
                assumptions=tuple(_entries(body.get("assumptions"))),
                notes=notes,
            )
    return Decisions(notes=notes)


def _folded(values: Mapping[str, object]) -> dict[str, object]:
    return {re.sub(r"[\s-]", "_", str(key).strip().lower()): value for key, value in values.items()}


def _base(value: object) -> str:
    """`draft 1` or `draft 2`, of "Draft 2", 2 or "the second draft"; "" for neither or both."""
    text = read_text(value).lower()
    first = re.search(r"\b(?:1|one|first)\b", text) is not None
    second = re.search(r"\b(?:2|two|second)\b", text) is not None
    if first == second:
        return ""
    return "draft 1" if first else "draft 2"


def _entries(value: object) -> Iterator[str]:
    """The texts of a list; of one text its only one."""
    items = value if isinstance(value, list) else [value]
    for item in items[:_MOST]:
        text = read_text(item)
        if text and text.lower() not in ("none", "null", "n/a"):
            yield text[:_LONGEST_ENTRY]


def _corrections(value: object) -> Iterator[PlanCorrection]:
    """The corrections of a list, or of an object with a field's new value under its name."""
    if isinstance(value, Mapping) and "field" not in _folded(value):
        value = [{"field": name, "now": now} for name, now in value.items()]
    items = value if isinstance(value, list) else [value]
    for item in items[:_MOST]:
        if not isinstance(item, Mapping):
            continue
        body = _folded(item)
        now = body.get("now", body.get("new", body.get("to")))
        was = body.get("was", body.get("old", body.get("from")))
        because = body.get("because", body.get("reason", body.get("why")))
        yield PlanCorrection(
            field=read_text(body.get("field")), was=_lines(was), now=_lines(now), because=read_text(because)
        )


def _lines(value: object) -> str:
    """A value as text; of a list one entry a line, as layers are read."""
    if isinstance(value, list):
        return "\n".join(read_text(item) for item in value)
    return read_text(value)


def _notes(words: str) -> str:
    """What is said beside the JSON object and the program."""
    for found in _objects_as_text(words):
        words = words.replace(found, "")
    return _FENCE.sub("", words).strip()[:_LONGEST_NOTES]


def _objects_as_text(words: str) -> Iterator[str]:
    """The texts from an opening bracket to the last closing one: the object as it stands there."""
    start, end = words.find("{"), words.rfind("}")
    if 0 <= start < end:
        yield words[start : end + 1]
