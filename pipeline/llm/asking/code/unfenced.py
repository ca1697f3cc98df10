"""Code in a text without fences: the runs of lines that parse, and not the prose between them."""

from __future__ import annotations

import ast
import re
import textwrap
import warnings

from pipeline.analysis.parsing import LONGEST, parsed
from pipeline.llm.asking.code.code_mending import is_markup, mended

OPENS = re.compile(
    r"^(?:import |from [\w.]+ import |def |async def |class |@\w|#|\"\"\"|'''|if __name__|"
    r"(?:for|while|with|try|if)\b.*:\s*(?:#.*)?$|[A-Za-z_][\w.]*(?:\[[^\]\n]{0,80}\])?(?:, *\w+)* *[-+*/]?= *\S|"
    r"[A-Za-z_][\w.]*\()"
)
"""The first line of a program, or of its next part."""

STATEMENT = re.compile(
    r"^\s*(?:import [\w.]+(?: as \w+)?(?:, *[\w.]+(?: as \w+)?)*$|from [\w.]+ import |def \w+\(|async def |"
    r"class \w+[(:]|@\w|"
    r"(?:if|elif|while|for|with|try|except|else|finally)\b.*:\s*(?:#.*)?$|(?:return|raise|assert|del|global|yield)\b|"
    r"(?:pass|break|continue)$|[\w.]+(?:\[[^\]]*\])?(?:, *[\w.]+)* *[-+*/|&]?= *\S|[\w.]+\(.*\)?,?$|#|[)\]}]+[,.)\]}]*|"
    r"[\w.]+\(|['\"].*['\"],?\)*$|\w+ *= *)"
)

_TWO_WORDS = re.compile(r"(?<![\w.\"'])(?P<first>[^\W\d_]+)[,;:]? +(?P<second>[^\W\d_]+)\b")
_CODE_WORDS = frozenset(
    "and as assert async await class def del elif else except finally for from global if import in is lambda not or "
    "raise return while with yield match case type print exec".split()
)
_WIDE_MARK = re.compile("[，。：；！？、…—]")

_MOST_PARSED = 1_000_000
"""Characters that are parsed at most in one text."""

_MOST_CUTS = 40
"""Lines that are given up one after another to find the longest beginning of a program that parses."""


def unfenced_code(text: str) -> str:
    """The code of a text: its runs of lines that parse, one after another. A line that is no Python and no prose either
    is the program's own error: from there the code goes on to the next prose."""
    text = mended(text)
    lines = text.split("\n")
    if not any(OPENS.match(line) for line in lines):
        indented = [line for line in lines if not line.strip() or line[0] in " \t"]
        lines = textwrap.dedent("\n".join(indented)).split("\n")
    runs: list[str] = []
    left, number = _MOST_PARSED, 0
    while number < len(lines):
        if not OPENS.match(lines[number]) or is_prose(lines[number]):
            number += 1
            continue
        rest = "\n".join(lines[number:])
        left -= len(rest)
        if left < 0:
            runs.append(rest)
            break
        run, taken = _run(lines, number, rest)
        if _does_something(run):
            runs.append(run)
        number += max(1, taken)
    return _without_last_words("\n\n".join(runs))


def longest_whole(code: str) -> str:
    """The longest beginning of a program, by whole lines, that parses; "" without one."""
    lines = code.split("\n")
    end = len(lines)
    for _ in range(_MOST_CUTS):
        if end <= 0:
            return ""
        error = _first_error("\n".join(lines[:end]))
        if error is None:
            return "\n".join(lines[:end])
        end = min(end, error) - 1
    return ""


def _run(lines: list[str], first: int, rest: str) -> tuple[str, int]:
    """The code that begins at a line, and how many lines it takes."""
    error = _first_error(rest)
    if error is None:
        return rest, len(lines) - first
    wrong = first + error - 1
    prose = wrong if wrong < len(lines) and is_prose(lines[wrong]) else _next_prose(lines, wrong)
    run = "\n".join(lines[first:prose])
    if prose == wrong:
        whole = longest_whole(run)
        if whole.strip():
            return whole.rstrip("\n"), prose - first
    return run.rstrip("\n"), prose - first


def _next_prose(lines: list[str], start: int) -> int:
    """The next line that is prose and no part of a comment or a block."""
    for number in range(start, len(lines)):
        line = lines[number]
        if line.strip() and line[0] not in " \t#" and is_prose(line):
            return number
    return len(lines)


def is_prose(line: str) -> bool:
    """Whether a line reads like a sentence, two words side by side that Python would not have so, or is markup."""
    if is_markup(line):
        return True
    if STATEMENT.match(line) and not _TWO_WORDS.match(line):
        return False
    if _WIDE_MARK.search(line):
        return True
    for match in _TWO_WORDS.finditer(line):
        if match["first"] not in _CODE_WORDS and match["second"] not in _CODE_WORDS:
            return True
    # "Next:", "Usage", "**Training**", "3. Train:": a heading.
    return re.fullmatch(r"[\s*_#>-]*(?:\d{1,2}[.)]\s)?[\s*_]*[A-Z]\w*[\s*_]*:?[\s*_]*", line) is not None


def _first_error(code: str) -> int | None:
    """The line, counted from 1, at which Python stops reading; None for what parses."""
    if len(code) > LONGEST:
        return 1
    try:
        with warnings.catch_warnings(action="ignore"):
            ast.parse(code.encode())
    except SyntaxError as error:
        return max(1, error.lineno or 1)
    except (ValueError, RecursionError, MemoryError):
        return 1
    return None


def looks_like_python(code: str) -> bool:
    """Whether a text is meant as Python: it parses and does more than name things ("Sure" parses), or two thirds of its
    lines, and at least two, read like statements."""
    tree = parsed(code)
    if tree is not None:
        return any(not says_nothing(node) for node in tree.body)
    lines = [line for line in code.split("\n") if line.strip()]
    statements = sum(STATEMENT.match(line) is not None for line in lines)
    return statements >= 2 and 3 * statements >= 2 * len(lines)


def says_nothing(node: ast.stmt) -> bool:
    """A bare name, word in quotes, number or comparison: what a sentence of prose may parse as."""
    if isinstance(node, ast.AnnAssign):  # "Note: this"
        return node.value is None
    return isinstance(node, ast.Expr) and not any(isinstance(inner, ast.Call) for inner in ast.walk(node))


def _does_something(run: str) -> bool:
    tree = parsed(run)
    if tree is None:
        return bool(run.strip())
    return not all(says_nothing(node) for node in tree.body)


def _without_last_words(code: str) -> str:
    """The code without statements at its end that say nothing ("Enjoy" is a name to Python)."""
    tree = parsed(code)
    if tree is None:
        return code
    last = len(tree.body)
    while last and says_nothing(tree.body[last - 1]):
        last -= 1
    if last == len(tree.body) or not last:
        return code
    lines = code.split("\n")
    return "\n".join(lines[: tree.body[last - 1].end_lineno])
