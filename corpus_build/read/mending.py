"""Code that does not parse, mended line by line: Python 2, pasted markup, IPython lines, stray indentation.

Whoever wants to know what a notebook builds need not understand all of it. Statements that do not parse are replaced
by `pass` until the rest does; the lines keep their numbers.
"""

from __future__ import annotations

import ast
import re
import textwrap
import warnings

MAX_REPAIRS = 60
"""Repairs of one text before it is given up: each one parses it anew."""

MOST_PARSED = 4 * 2**20
"""Characters that the repairs of one text may parse together: a text of more than 70,000 gets fewer repairs."""

MOST_PARTS = 20_000
"""Statements of one text that are tried on their own."""

_PRINT = re.compile(r"^(?P<indent>[ \t]*)print\s++(?P<what>[^(=\s](?:.*\S)?)\s*$", re.MULTILINE)
_EXCEPT = re.compile(r"^(?P<start>[ \t]*except\s+[\w.]+)\s*,\s*(?P<name>\w+)\s*:", re.MULTILINE)


def mended(source: str) -> str:
    """The text with what does not parse replaced by `pass`; "" where nothing is left that does."""
    source = _PRINT.sub(r"\g<indent>print(\g<what>)", _EXCEPT.sub(r"\g<start> as \g<name>:", source))
    source = textwrap.dedent(source.expandtabs(4))
    lines = source.split("\n")
    for _ in range(min(MAX_REPAIRS, MOST_PARSED // max(len(source), 1))):
        error = _error("\n".join(lines))
        if error is None:
            return "\n".join(lines)
        if not _repair(lines, error):
            break
    return _largest_part(lines)


def _error(source: str) -> SyntaxError | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(source)
        except SyntaxError as error:
            return error
        except (ValueError, RecursionError, MemoryError) as error:
            return SyntaxError(str(error))
    return None


def _repair(lines: list[str], error: SyntaxError) -> bool:
    """Changes the lines where the error is; False where it does not say, or the line is empty already."""
    if error.lineno is None:
        return False
    number = min(error.lineno, len(lines)) - 1
    message = error.msg or ""
    if message.startswith("expected an indented block"):
        return _give_body(lines, number)
    if "unexpected indent" in message or "unindent does not match" in message:
        return _reindent(lines, number)
    if "was never closed" in message or "EOF" in message or "unterminated" in message:
        return _cut_open(lines, number)
    if "unmatched" in message and (error.offset or 0) > 1 and lines[number].strip() in (")", "]", "}"):
        lines[number] = ""
        return True
    while number > 0 and not lines[number].strip():
        number -= 1
    start = _statement_start(lines, number)
    if lines[start].strip() in ("", "pass"):
        return False
    # A line that opens a block becomes another opener, so that the block below it stays.
    opens_block = lines[start].rstrip().endswith(":") and lines[start].strip() != "if True:"
    lines[start] = _indent(lines[start]) + ("if True:" if opens_block else "pass")
    for continued in range(start + 1, number + 1):
        lines[continued] = ""
    return True


def _give_body(lines: list[str], number: int) -> bool:
    """A block whose body is gone gets a `pass` on its own line."""
    opener = number - 1 if number else 0
    while opener > 0 and not lines[opener].strip():
        opener -= 1
    if not lines[opener].rstrip().endswith(":"):
        if not lines[number].rstrip().endswith(":"):
            return False
        opener = number
    lines[opener] = lines[opener].rstrip() + " pass"
    return True


def _reindent(lines: list[str], number: int) -> bool:
    """A line that stands too far to the right, or between two levels, moves to the level of the line above."""
    above = number - 1
    while above >= 0 and not lines[above].strip():
        above -= 1
    depth_above = len(_indent(lines[above])) if above >= 0 else 0
    own_depth = len(_indent(lines[number]))
    wanted_depth = depth_above if own_depth != depth_above else 0
    if own_depth == wanted_depth:
        return False
    # The lines below that stand as far move along: they belong together.
    for below in range(number, len(lines)):
        line = lines[below]
        if line.strip():
            depth = len(_indent(line))
            if depth < own_depth:
                break
            lines[below] = " " * (wanted_depth + depth - own_depth) + line.lstrip()
    return True


def _cut_open(lines: list[str], number: int) -> bool:
    """A bracket or string that is never closed: its line goes."""
    if not lines[number].strip() or lines[number].strip() == "pass":
        return False
    lines[number] = f"{_indent(lines[number])}pass"
    return True


def _indent(line: str) -> str:
    """The white space that the line begins with."""
    return line[: len(line) - len(line.lstrip())]


def _statement_start(lines: list[str], number: int) -> int:
    """The line on which the statement of this line begins, as far as brackets tell."""
    depth = 0
    for start in range(number, max(-1, number - 40), -1):
        line = lines[start].partition("#")[0]
        closing, opening = sum(map(line.count, ")]}")), sum(map(line.count, "([{"))
        if start == number and closing >= opening:
            # Brackets that this line closes were opened above; those it opens do not lead there.
            depth = closing - opening
        elif start == number:
            return number
        else:
            depth += closing - opening
        if depth <= 0:
            return start
    return number


def _largest_part(lines: list[str]) -> str:
    """What parses of the statements at the left margin, each of the first MOST_PARTS tried on its own."""
    parts: list[list[str]] = [[]]
    for line in lines:
        if line[:1].strip() and not line.startswith((")", "]", "}", "else", "elif", "except", "finally")):
            parts.append([])
        parts[-1].append(line)
    kept = []
    for part in map("\n".join, parts[:MOST_PARTS]):
        if part.strip() and _error(part) is None:
            kept.append(part)
    return "\n".join(kept)
