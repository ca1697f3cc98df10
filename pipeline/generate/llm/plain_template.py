"""A template without abstraction: the nearest sample with its values replaced by placeholders, equal ones by the same.

The follow-up check for Template RAG: does it matter that a template holds what two samples share,
or would any sample with holes do?
"""

from __future__ import annotations

import re

_LITERAL = re.compile(
    r"(?P<text>\"\"\".*?\"\"\"|'''.*?'''|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*')"
    r"|(?P<comment>#[^\n]*)|(?<![\w.])(?P<number>\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)(?![\w.])",
    re.DOTALL,
)


def plain_template(code: str) -> str:
    """The code with its numbers and strings as `<<number_1>>`, `<<text_1>>`; comments and layout stay."""
    names: dict[str, str] = {}
    counts = {"number": 0, "text": 0}

    def replaced(match: re.Match[str]) -> str:
        literal, kind = match[0], match.lastgroup or ""
        if kind == "comment":
            return literal
        if literal not in names:
            counts[kind] += 1
            names[literal] = f"<<{kind}_{counts[kind]}>>"
        return names[literal]

    return _LITERAL.sub(replaced, code)
