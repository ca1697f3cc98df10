"""Rows from JSON: an object a line (JSONL), or one document, read element by element."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any, BinaryIO

from pipeline.inputs.json_document import JsonDocument, Unreadable
from pipeline.inputs.lines import check_line_ends, read_chunks, read_lines
from pipeline.inputs.rows import Problem, RawRow, cut_row

_BOM = "\ufeff"


class _RepeatedKey(dict[str, Any]):
    """An object in which a key stood twice: which of the values was meant cannot be known."""

    key = ""
    """The key; of several the last."""


def read_json_lines(stream: BinaryIO, name: str) -> Iterator[RawRow]:
    """A row for each line that is not blank. Raises DLCodeGenError for lines that end with CR alone."""
    is_first = True
    for line in read_lines(stream, blank_ones=False):
        location = f"{name}, line {line.number}"
        if line.is_blank():
            continue
        if is_first:
            check_line_ends(line)
            is_first = False
        if line.cut:
            yield cut_row(location, line)
        else:
            yield json_line_row(location, line.data)


def read_json_document(stream: BinaryIO, name: str) -> Iterator[RawRow]:
    """A row for each element of the list, of the list under "requirements", or of objects one after another."""
    for number, element in enumerate(JsonDocument(read_chunks(stream), _DECODER).elements(), start=1):
        location = f"{name}, item {number}"
        if isinstance(element, Unreadable):
            values = {"requirement": element.excerpt} if element.excerpt else {}
            yield RawRow(location, values, element.problem)
        elif number == 1 and isinstance(element, dict) and isinstance(element.get("requirements"), list):
            # The wrapper had other keys first, so the document did not look inside.
            for inner_number, inner in enumerate(element["requirements"], start=1):
                yield _row(f"{name}, item {inner_number}", inner)
        else:
            yield _row(location, element)


def json_line_row(location: str, data: bytes) -> RawRow:
    """One line of JSON as a row."""
    problem: Problem
    if b"\0" in data:
        return RawRow(location, problem=("nul_bytes", "holds NUL bytes; remove them"))
    try:
        return _row(location, _DECODER.decode(data.decode("utf-8").removeprefix(_BOM)))
    except UnicodeDecodeError as error:
        problem = ("invalid_encoding", f"not UTF-8 at byte {error.start + 1}; save it as UTF-8")
    except json.JSONDecodeError as error:
        problem = ("broken_json", f"not JSON: {error.msg} at character {error.pos + 1}; mend or remove the line")
    except ValueError:
        problem = ("broken_json", "not JSON: a number has thousands of digits; mend or remove the line")
    except RecursionError:
        problem = ("broken_json", "nested too deeply; mend or remove the line")
    return RawRow(location, problem=problem)


def _row(location: str, value: object) -> RawRow:
    """A JSON value as a row: an object's keys, or a text as the requirement itself."""
    if isinstance(value, _RepeatedKey):
        return RawRow(location, value, ("broken_json", f"the key {value.key[:40]!r} stands twice; keep one of them"))
    if isinstance(value, dict):
        return RawRow(location, value)
    if isinstance(value, str):
        return RawRow(location, {"requirement": value})
    return RawRow(location, problem=("wrong_type", 'not a JSON object; write {"requirement": "..."}'))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) == len(pairs):
        return values
    repeated = _RepeatedKey(values)
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
