"""Rows from JSON: an object a line (JSONL), or one document, read element by element."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any, BinaryIO

from pipeline.inputs.json_document import JsonDocument, Unreadable
from pipeline.inputs.lines import read_chunks, read_lines
from pipeline.inputs.rows import Problem, RawRow, cut_row

_BOM = "\ufeff"


class _RepeatedKey(dict[str, Any]):
    """An object in which a key stood twice: which of the values was meant cannot be known."""

    key = ""


def read_json_lines(stream: BinaryIO, name: str) -> Iterator[RawRow]:
    """A row for each line that is not blank."""
    for line in read_lines(stream):
        if not line.is_blank():
            place = f"{name}, line {line.number}"
            yield cut_row(place, line) if line.cut else json_line_row(place, line.data)


def read_json_document(stream: BinaryIO, name: str) -> Iterator[RawRow]:
    """A row for each element of the list, of the list under "requirements", or of objects one after another."""
    for number, found in enumerate(JsonDocument(read_chunks(stream), _DECODER).elements(), start=1):
        place = f"{name}, item {number}"
        if isinstance(found, Unreadable):
            yield RawRow(place, {"requirement": found.excerpt} if found.excerpt else {}, found.problem)
        elif number == 1 and isinstance(found, dict) and isinstance(found.get("requirements"), list):
            # The wrapper had other keys first, so the document did not look inside.
            yield from (_row(f"{name}, item {i}", item) for i, item in enumerate(found["requirements"], start=1))
        else:
            yield _row(place, found)


def json_line_row(place: str, data: bytes) -> RawRow:
    """One line of JSON as a row."""
    problem: Problem
    if b"\0" in data:
        return RawRow(place, problem=("nul_bytes", "holds NUL bytes; remove them"))
    try:
        return _row(place, _DECODER.decode(data.decode("utf-8").removeprefix(_BOM)))
    except UnicodeDecodeError as error:
        problem = ("invalid_encoding", f"not UTF-8 at byte {error.start + 1}; save it as UTF-8")
    except json.JSONDecodeError as error:
        problem = ("broken_json", f"not JSON: {error.msg} at character {error.pos + 1}; mend or remove the line")
    except ValueError:
        problem = ("broken_json", "not JSON: a number has thousands of digits; mend or remove the line")
    except RecursionError:
        problem = ("broken_json", "nested too deeply; mend or remove the line")
    return RawRow(place, problem=problem)


def _row(place: str, found: object) -> RawRow:
    """A JSON value as a row: an object's keys, or a text as the requirement itself."""
    if isinstance(found, _RepeatedKey):
        return RawRow(place, found, ("broken_json", f"the key {found.key[:40]!r} stands twice; keep one of them"))
    if isinstance(found, dict):
        return RawRow(place, found)
    if isinstance(found, str):
        return RawRow(place, {"requirement": found})
    return RawRow(place, problem=("wrong_type", 'not a JSON object; write {"requirement": "..."}'))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    repeated = _RepeatedKey(found)
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            repeated.key = key
        seen.add(key)
    return repeated


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


# `strict=False` lets raw control characters into strings; what they mean is decided for all formats alike. NaN, which
# pandas writes for "no value", and numbers too large for a float become null.
_DECODER = json.JSONDecoder(strict=False, object_pairs_hook=_object, parse_float=_finite, parse_constant=lambda _: None)
