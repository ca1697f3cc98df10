"""How text and Python code get onto the report's page: made visible, cut to a
bound, coloured, compared."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from functools import cache

from pygments.lexers.python import PythonLexer  # type: ignore[import-untyped]
from pygments.token import Comment, Keyword, Name, Number, Operator, String  # type: ignore[import-untyped]

from pipeline.foreign_text import visible

TEXT_LIMIT = 40_000
"""Characters shown of one text; the code of a Keras notebook has about 10,000."""

LINE_LIMIT = 1_500
"""Lines shown of one text, and so the most that a comparison reads on each side."""

WIDTH_LIMIT = 2_000
"""Characters shown of one line: a data set or an image pasted into a string is not worth more."""

Line = tuple[str, ...]
"""A coloured line: plain and coloured parts take turns, plain first; a coloured
part starts with its class letter."""

# Letters, not Pygments' own class names: they are repeated some hundred thousand times in a report.
_LETTERS = (
    (Comment, "c"),
    (String, "s"),
    (Number, "n"),
    (Keyword, "k"),
    (Operator.Word, "k"),
    (Name.Decorator, "d"),
    (Name.Function, "f"),
    (Name.Class, "f"),
    (Name.Builtin, "b"),
)

_LEXER = PythonLexer(stripnl=False, ensurenl=False)


def clip(text: str, limit: int = TEXT_LIMIT) -> str:
    """The visible text, at most `limit` characters and an ellipsis."""
    if len(text) <= limit:
        return visible(text)
    return f"{visible(text[:limit])}…"


def clip_lines(text: str, limit: int = TEXT_LIMIT) -> str:
    """The visible text within `limit` characters, LINE_LIMIT and WIDTH_LIMIT; a
    last line says how much is left out."""
    lines = visible(text[:limit]).split("\n")
    shown = []
    for line in lines[:LINE_LIMIT]:
        if len(line) > WIDTH_LIMIT:
            line = f"{line[:WIDTH_LIMIT]}…"
        shown.append(line)
    left = max(0, len(text) - limit)
    for line in lines[LINE_LIMIT:]:
        left += len(line) + 1  # its line break counts too
    if left:
        shown.append(f"… {left:,} more characters are not shown")
    return "\n".join(shown)


def plain_lines(text: str) -> list[Line]:
    """The text's lines without colour."""
    return [(line,) for line in text.removesuffix("\n").split("\n")]


def python_lines(text: str) -> list[Line]:
    """The lines of Python code with their colours; code that does not parse is coloured as far as
    it goes.

    Letters: c comment, h the head of a notebook cell, s string, n number, k keyword, d decorator, f
    name of a function or class where it is defined, b builtin.
    """
    lines: list[list[str]] = [[""]]
    for token, value in _LEXER.get_tokens(text.removesuffix("\n")):
        letter = "h" if value.startswith("# %%") else _letter(token)
        for index, part in enumerate(value.split("\n")):
            if index:
                lines.append([""])
            _extend(lines[-1], letter, part)
    return [tuple(line) for line in lines]


def _extend(line: list[str], letter: str, part: str) -> None:
    """Adds a part in a colour, or in none for the letter "", and joins it to the
    last one where both have the same."""
    if not part:
        return
    after_plain = len(line) % 2 == 1  # plain and coloured parts take turns, plain first
    if not letter and after_plain:
        line[-1] += part
    elif not letter:
        line.append(part)
    elif after_plain:
        line.append(letter + part)
    elif line[-1][0] == letter:
        line[-1] += part
    else:
        line += ["", letter + part]


@cache
def _letter(token: tuple[str, ...]) -> str:
    for kind, letter in _LETTERS:
        if token in kind:
            return letter
    return ""


def changes(left: Sequence[Line], right: Sequence[Line]) -> list[tuple[int, int, int, int]]:
    """Where two texts differ: lines i1 to i2 of `left` stand for j1 to j2 of
    `right`; what is between is equal."""
    # SequenceMatcher's own treatment of frequent lines stays on: without it, hostile texts of this
    # length take minutes.
    left_texts = [_text(line) for line in left]
    right_texts = [_text(line) for line in right]
    matcher = SequenceMatcher(None, left_texts, right_texts)
    return [(i1, i2, j1, j2) for tag, i1, i2, j1, j2 in matcher.get_opcodes() if tag != "equal"]


def _text(line: Line) -> str:
    """The line without its colours."""
    text = ""
    for index, part in enumerate(line):
        is_coloured = index % 2 == 1
        text += part[1:] if is_coloured else part
    return text
