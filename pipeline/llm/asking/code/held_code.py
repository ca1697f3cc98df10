"""Code that a reply holds as a value of JSON: a notebook, an object with the key `code`, a tool call's arguments."""

from __future__ import annotations

import json
from collections.abc import Iterator

from pipeline.llm.asking.code.code_mending import mended
from pipeline.llm.asking.code.unfenced import looks_like_python

_CODE_KEYS = frozenset("code program python source_code python_code script solution content answer".split())
_MOST_OBJECTS = 20
"""Opening braces of a text at which JSON is looked for: a program has many, and none of them is JSON as a rule."""

_DECODER = json.JSONDecoder()


def code_in_json(text: str) -> str:
    """The longest code that the first JSON object with code in a text holds; "" without one."""
    position = text.find("{")
    for _ in range(_MOST_OBJECTS):
        if position < 0:
            break
        try:
            value, _ = _DECODER.raw_decode(text, position)
        except (ValueError, RecursionError):
            value = None
        code = max(_codes(value), key=len, default="") if value else ""
        if code:
            return code
        position = text.find("{", position + 1)
    return ""


def _codes(value: object) -> Iterator[str]:
    """The programs of a JSON value, however deep they lie."""
    if isinstance(value, list):
        for item in value:
            yield from _codes(item)
    if not isinstance(value, dict):
        return
    cells = value.get("cells")
    if isinstance(cells, list):
        sources = [cell.get("source") for cell in cells if isinstance(cell, dict) and cell.get("cell_type") == "code"]
        yield "\n\n".join(mended(_joined(source)).strip("\n") for source in sources)
        return
    for key, item in value.items():
        if isinstance(item, str):
            code = mended(item) if key in _CODE_KEYS else ""
            if looks_like_python(code):
                yield code
        else:
            yield from _codes(item)


def _joined(source: object) -> str:
    """A notebook's cell, whose lines may be a list."""
    if isinstance(source, list):
        return "".join(line for line in source if isinstance(line, str))
    return source if isinstance(source, str) else ""
