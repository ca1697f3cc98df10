"""A row as it was found in the input, and the Requirement it becomes: a good one, or one that says what is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from pipeline.inputs.ids import UniqueIds, safe_id
from pipeline.inputs.lines import LINE_LIMIT, Line
from pipeline.plan.reading import read_text
from pipeline.records import Failure, Requirement

LONGEST_TEXT = 20_000
"""Characters that a requirement or dataset attributes may have; a longer text fails as `too_long`."""

EXCERPT = 200
"""Characters of a text that is too long which stay in its record."""

# In order of preference: where a row has several of them, the others are further columns.
_REQUIREMENT_KEYS = ("userrequirement", "requirement", "prompt", "text")
_ATTRIBUTES_KEYS = ("datasetattributes", "attributes")
_REFERENCE_KEYS = ("reference", "code")

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")

Problem = tuple[str, str]
"""What is wrong with a text: a kind to count, and a message with the way out."""


@dataclass(frozen=True, slots=True)
class RawRow:
    """What stands at one place of the input ("reqs.jsonl, line 3"): its columns, or the problem of reading them."""

    place: str
    values: Mapping[str, object] = field(default_factory=dict)
    problem: Problem | None = None


def cut_row(place: str, line: Line) -> RawRow:
    """The row of a line that was too long to be taken in whole: its beginning stands for the requirement."""
    excerpt = line.data[: 4 * EXCERPT].decode("utf-8", "replace")[:EXCERPT]
    return RawRow(place, {"requirement": excerpt}, ("too_long", f"longer than {LINE_LIMIT:,} bytes; shorten it"))


def has_requirement_column(names: Iterable[str]) -> bool:
    """Whether one of the columns is read as the requirement."""
    return any(_fold(name) in _REQUIREMENT_KEYS for name in names)


def requirement_of(raw: RawRow, row: int, ids: UniqueIds) -> Requirement:
    """The row as a record. A failed one keeps whatever is usable too, so that it can be mended and run again."""
    columns = {_fold(name): name for name in reversed(list(raw.values))}

    def column(keys: tuple[str, ...]) -> str | None:
        return next((columns[key] for key in keys if key in columns), None)

    requirement_column, attributes_column = column(_REQUIREMENT_KEYS), column(_ATTRIBUTES_KEYS)
    # A column `code` may as well be a postal code: only text is a reference.
    reference_column = column(tuple(k for k in _REFERENCE_KEYS if isinstance(raw.values.get(columns.get(k, "")), str)))
    id_column = column(("id",))

    given = raw.values[id_column] if id_column is not None else None
    name = ids.take(safe_id(given, row))
    taken = {requirement_column, attributes_column, reference_column}
    if given is None or given == "" or given == name or (isinstance(given, int) and str(given) == name):
        taken.add(id_column)
    extra, extra_problem = _json({key: value for key, value in raw.values.items() if key not in taken})
    requirement, requirement_problem = _requirement(raw.values, requirement_column)
    attributes, attributes_problem = _attributes(raw.values.get(attributes_column or ""))
    reference, reference_problem = _storable(raw.values.get(reference_column or ""), "the reference")
    problem = raw.problem or requirement_problem or attributes_problem or reference_problem or extra_problem
    return Requirement(
        id=name,
        row=row,
        requirement=requirement,
        attributes=attributes,
        reference=reference or None,
        extra=extra,
        failure=Failure(stage="read", kind=problem[0], message=f"{raw.place}: {problem[1]}") if problem else None,
    )


def _requirement(values: Mapping[str, object], column: str | None) -> tuple[str, Problem | None]:
    if column is None:
        seen = ", ".join(repr(name[:40]) for name in list(values)[:8]) or "none"
        return "", (
            "missing_requirement",
            f'no "requirement" (columns here: {seen}); name the column so, or drop the row',
        )
    value = values[column]
    if value is None or (isinstance(value, float) and value != value):
        return "", ("missing_requirement", f"{column!r} is null; fill it in or drop the row")
    if not isinstance(value, str):
        return "", ("wrong_type", f"{column!r} is a {_type_name(value)}; give the requirement as text")
    text, problem = _prose(value, "the requirement")
    if not text and problem is None:
        return "", ("missing_requirement", f"{column!r} is empty; fill it in or drop the row")
    return text, problem


def _attributes(value: object) -> tuple[str, Problem | None]:
    try:
        return _prose(read_text(value), "the dataset attributes")
    except RecursionError:
        return "", ("broken_json", "the dataset attributes are nested too deeply; give them flat or as text")


def _prose(text: str, name: str) -> tuple[str, Problem | None]:
    """Text for people to read, with blanks for control characters other than tab and newline."""
    length = len(text)
    stored, problem = _storable(text[:EXCERPT] if length > LONGEST_TEXT else text, name)
    stored = _CONTROL.sub(" ", stored).strip()
    if length > LONGEST_TEXT:
        return stored, ("too_long", f"{name}: {length:,} characters, more than {LONGEST_TEXT:,}; shorten the text")
    return stored, problem


def _storable(value: object, name: str) -> tuple[str, Problem | None]:
    """The text as UTF-8 can hold it, with plain line ends; what had to be replaced is the problem."""
    if not isinstance(value, str):
        return "", None
    text = value.replace("\r\n", "\n")
    if "\0" in text:
        return _SURROGATE.sub("\ufffd", text.replace("\0", " ")), ("nul_bytes", f"{name} holds NUL bytes; remove them")
    if _SURROGATE.search(text):
        return _SURROGATE.sub("\ufffd", text), ("invalid_encoding", f"{name} holds half of a UTF-16 pair; write UTF-8")
    return text, None


def _json(columns: Mapping[str, object]) -> tuple[str, Problem | None]:
    """Further columns as strict JSON: what JSON has no form for (dates, bytes) as text, NaN and infinity as null."""
    if not columns:
        return "{}", None
    try:
        return json.dumps(columns, allow_nan=False, default=str), None
    except ValueError:
        loose = json.loads(json.dumps(columns, default=str), parse_constant=lambda _: None)
        return json.dumps(loose), None
    except RecursionError:
        return "{}", ("broken_json", "a column is nested too deeply; drop it or give it flat")


def _type_name(value: object) -> str:
    if isinstance(value, bool):
        return "truth value"
    if isinstance(value, int | float):
        return "number"
    return {"dict": "JSON object", "list": "list"}.get(type(value).__name__, type(value).__name__)


def _fold(name: str) -> str:
    """A column name without case, blanks, underscores and hyphens."""
    return _fold_short(name) if len(name) <= 64 else name


@lru_cache(maxsize=1024)
def _fold_short(name: str) -> str:
    return re.sub(r"[\s_-]", "", name.lower())
