"""A row as it stands in the input, and the Requirement it becomes: a good one, or one that says what is wrong."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from pipeline.inputs.ids import UniqueIds, safe_id
from pipeline.inputs.lines import LINE_LIMIT, Line
from pipeline.plan.reading import read_text
from pipeline.records import Failure, Requirement

LONGEST_TEXT = 20_000
"""Characters that a requirement or dataset attributes may have; a longer text fails as `too_long`. They stand whole in
every prompt; the longest of the published data have under 500."""

EXCERPT = 200
"""Characters of a text that is too long which stay in its record."""

# Column names as `_fold` leaves them: the paper's, ours, and those of common instruction data sets. In order of
# preference: where a row has several of them, the others are further columns.
_REQUIREMENT_KEYS = ("userrequirement", "requirement", "prompt", "text")
_ATTRIBUTES_KEYS = ("datasetattributes", "attributes")
_REFERENCE_KEYS = ("reference", "code")

_LONGEST_PATH = 4096
"""Characters of a path (Linux); a column `data` with a longer text, or with lines, is no path and stays as it is."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # all but tab and newline
_SURROGATE = re.compile(r"[\ud800-\udfff]")

Problem = tuple[str, str]
"""What is wrong with a text: a kind to count, and a message with the way out."""


@dataclass(frozen=True, slots=True)
class RawRow:
    """A row of the input, read and not yet judged."""

    location: str
    """For messages: "reqs.jsonl, line 3"."""

    values: Mapping[str, object] = field(default_factory=dict)
    """Its columns; where there is a problem, what could be read of them."""

    problem: Problem | None = None
    """What went wrong while it was read."""


_INKLESS = frozenset("\u115f\u1160\u3164\uffa0\u2800")
"""Letters and symbols without a shape: Hangul's fillers, Braille's blank."""


def cut_row(location: str, line: Line) -> RawRow:
    """The row of a line that was too long to be taken in whole: its beginning stands for the requirement."""
    # A character of UTF-8 has up to 4 bytes.
    excerpt = line.data[: 4 * EXCERPT].decode("utf-8", "replace")[:EXCERPT]
    return RawRow(location, {"requirement": excerpt}, ("too_long", f"longer than {LINE_LIMIT:,} bytes; shorten it"))


def has_requirement_column(names: Iterable[str]) -> bool:
    """Whether one of the columns is read as the requirement."""
    return any(_fold(name) in _REQUIREMENT_KEYS for name in names)


def requirement_of(raw: RawRow, row: int, ids: UniqueIds) -> Requirement:
    """The row as a record. A failed one keeps whatever is usable too, so that it can be mended and run again."""
    # Reversed, so that of columns with equal folded names the first wins.
    columns = {_fold(name): name for name in reversed(list(raw.values))}
    requirement_column = _first_of(_REQUIREMENT_KEYS, columns)
    attributes_column = _first_of(_ATTRIBUTES_KEYS, columns)
    # A column `code` may as well be a postal code: only text is a reference.
    text_keys = [key for key in _REFERENCE_KEYS if isinstance(_value(raw.values, columns.get(key)), str)]
    reference_column = _first_of(text_keys, columns)
    id_column = columns.get("id")

    value = raw.values[id_column] if id_column is not None else None
    row_id = ids.take(safe_id(value, row))
    data_folder = _path(_value(raw.values, columns.get("data")))
    data_target = _names(_value(raw.values, columns.get("target"))) if data_folder else ()
    used = {requirement_column, attributes_column, reference_column}
    if data_folder:
        used |= {columns["data"], columns.get("target")}
    if value is None or value == "" or value == row_id or (isinstance(value, int) and str(value) == row_id):
        used.add(id_column)  # an id that had to be changed stays as a further column
    extra, extra_problem = _json({name: value for name, value in raw.values.items() if name not in used})
    requirement, requirement_problem = _requirement(raw.values, requirement_column)
    attributes, attributes_problem = _attributes(_value(raw.values, attributes_column))
    reference, reference_problem = _storable(_value(raw.values, reference_column), "the reference")
    problem = raw.problem or requirement_problem or attributes_problem or reference_problem or extra_problem
    failure = None
    if problem:
        kind, message = problem
        failure = Failure(stage="read", kind=kind, message=f"{raw.location}: {message}")
    return Requirement(
        id=row_id,
        row=row,
        requirement=requirement,
        attributes=attributes,
        data_folder=data_folder,
        data_target=data_target,
        reference=reference or None,
        extra=extra,
        failure=failure,
    )


def _first_of(keys: Iterable[str], columns: Mapping[str, str]) -> str | None:
    """The column of the first key that the row has."""
    for key in keys:
        if key in columns:
            return columns[key]
    return None


def _value(values: Mapping[str, object], column: str | None) -> object:
    """The value of a column; None where the row has no such column. A column may well be named "": pandas writes its
    row numbers so."""
    return None if column is None else values.get(column)


def _requirement(values: Mapping[str, object], column: str | None) -> tuple[str, Problem | None]:
    if column is None:
        seen = ", ".join(repr(name[:40]) for name in list(values)[:8]) or "none"
        return "", (
            "missing_requirement",
            f'no "requirement" (columns here: {seen}); name the column so, or drop the row',
        )
    value = values[column]
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "", ("missing_requirement", f"{column!r} is null; fill it in or drop the row")
    if not isinstance(value, str):
        return "", ("wrong_type", f"{column!r} is a {_type_name(value)}; give the requirement as text")
    text, problem = _prose(value, "the requirement")
    if problem is None and not any(map(_is_seen, text)):
        return "", ("missing_requirement", f"{column!r} is empty; fill it in or drop the row")
    return text, problem


def _is_seen(character: str) -> bool:
    """Whether a character puts ink on the page."""
    return unicodedata.category(character)[0] in "LNPS" and character not in _INKLESS


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


def _path(value: object) -> str:
    """The path of the row's own data; "" for what can be none."""
    if not isinstance(value, str) or len(value) > _LONGEST_PATH or _CONTROL.search(value) or "\n" in value:
        return ""
    return _SURROGATE.sub("\ufffd", value.strip())


def _names(value: object) -> tuple[str, ...]:
    """The columns that a row names as target: one, or a list of them."""
    values = value if isinstance(value, list | tuple) else [value]
    return tuple(_SURROGATE.sub("\ufffd", name) for name in values if isinstance(name, str) and name)


def _storable(value: object, name: str) -> tuple[str, Problem | None]:
    """The text as UTF-8 can hold it, with plain line ends; what had to be replaced is the problem."""
    if not isinstance(value, str):
        return "", None
    text = value.replace("\r\n", "\n")
    if "\0" in text:
        stored = _SURROGATE.sub("\ufffd", text.replace("\0", " "))
        return stored, ("nul_bytes", f"{name} holds NUL bytes; remove them")
    if _SURROGATE.search(text):
        stored = _SURROGATE.sub("\ufffd", text)
        return stored, ("invalid_encoding", f"{name} holds half of a UTF-16 pair; write UTF-8")
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
    # A long name is none that is known, and would fill the cache.
    return _fold_short(name) if len(name) <= 64 else name


@lru_cache(maxsize=1024)
def _fold_short(name: str) -> str:
    return re.sub(r"[\s_-]", "", name.lower())
