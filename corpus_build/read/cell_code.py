"""A code cell as Python: what only IPython understands is taken out, lines stay where they were.

%%time, %%capture ...        the cell's body is Python
%%writefile x.py             so is what it writes, when that is a Python file
%%bash, %%html, %%R ...      not Python: nothing of the cell is
%matplotlib inline, !pip     a line that does nothing
x = !ls, x = %sql ...        x is not known
dense?, ?dense               a line that does nothing
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable

from corpus_build.read.mending import mended

_PYTHON_MAGICS = frozenset(
    "capture debug memit mprun prun python python2 python3 px snakeviz time timeit wandb notify autoreload".split()
)
"""Cell magics that run their body as Python; any other one hands it to something else."""

_FILE_WRITERS = frozenset({"file", "writefile", "writetemplate"})
_CELL_MAGIC = re.compile(r"\s*+%%([^\n]*)\n?")
_LINE_MAGIC = re.compile(
    r"^(?P<indent>[ \t]*)"
    r"(?:[%!?]|(?:pip3?|conda|apt|apt-get|cd|ls|mkdir|wget|unzip|git|cp|mv|rm|cat|pwd) +[\w./~'\"+-])"
)
# Possessive, since blanks are indentation and may stand in a target: a line of blanks would be divided in every way.
_ASSIGNED = re.compile(r"^(?P<start>[ \t]*+(?:[\w,.\[\]'\"][\w, .\[\]'\"]*+|(?<= ))=\s*+)[!%](?![=\d\s])")
_HELP = re.compile(r"^[ \t]*[\w.]+\?{1,2}\s*$")
_BARE_ASSIGNMENT = re.compile(r"^[ \t]*(?:cat|cd|cp|git|ls|mv|pip|pwd|rm)\s*(?:[-+*/|&]?=[^=]|\(|\.|\[|,)")
# A cell without any of these needs no look at its lines: most cells of a corpus.
_MAY_BE_SHELL = ("%", "!", "?", "pip", "conda", "apt", "cd ", "ls", "mkdir", "wget", "unzip", "git", "cp ", "mv ")


def plain_python(source: str) -> str:
    """The cell with IPython's own lines replaced by `pass`, "" where the cell is not Python at all."""
    if source.lstrip().startswith("%%"):
        source = _without_cell_magics(source)
    if not any(mark in source for mark in _MAY_BE_SHELL):
        return source
    lines = source.split("\n")
    number = 0
    while number < len(lines):
        number = _replace_line(lines, number)
    return "\n".join(lines)


def parse_cell(source: str) -> ast.Module | None:
    """The cell's syntax tree, None where it does not parse even without IPython's own lines. Never raises."""
    tree = parse(source)
    if tree is not None:
        return tree
    return parse(plain_python(source))


def parse(source: str) -> ast.Module | None:
    """The syntax tree, or None. Never raises: not for NUL bytes, absurd nesting or huge numbers either."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes, `is` with literals
        try:
            return ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def joined_python(cells: Iterable[str]) -> tuple[str, bool]:
    """The cells as one program, each as plain Python, those that do not parse mended as far as they can be; and whether
    all of them parse."""
    parts: list[str] = []
    all_parse = True
    for cell in cells:
        source = plain_python(cell).strip("\n")
        if source and parse(source) is None:
            all_parse = False
            source = mended(source)
        if source.strip():
            parts.append(source)
    return "\n\n".join(parts) + "\n", all_parse


def _without_cell_magics(source: str) -> str:
    """The body of a cell under its cell magics (`%%time` over `%%capture`), an empty line in the place of each; no body
    where one of them does not run it as Python."""
    empty_lines, body = 0, 0
    while magic := _CELL_MAGIC.match(source, body):
        if not _runs_python(magic[1]):
            return "\n" * empty_lines
        empty_lines += 1
        body = magic.end()
    return "\n" * empty_lines + source[body:]


def _runs_python(magic: str) -> bool:
    """Whether the line of a cell magic, without its `%%`, says that the cell's body is Python."""
    name, _, argument = magic.strip().partition(" ")
    file_name = argument.split("#")[0].strip().strip("'\"")
    writes_python = name in _FILE_WRITERS and file_name.endswith(".py")
    return name in _PYTHON_MAGICS or writes_python


def _replace_line(lines: list[str], number: int) -> int:
    """Replaces one line if it is IPython's, with those it continues on; the number of the next line to look at."""
    line = lines[number]
    if (match := _LINE_MAGIC.match(line)) and not _BARE_ASSIGNMENT.match(line):
        replacement = f"{match['indent']}pass"
    elif match := _ASSIGNED.match(line):
        replacement = f"{match['start']}None"
    elif _HELP.match(line):
        replacement = f"{line[: len(line) - len(line.lstrip())]}pass"
    else:
        return number + 1
    lines[number] = replacement
    while line.rstrip().endswith("\\") and number + 1 < len(lines):
        number += 1
        line, lines[number] = lines[number], ""
    return number + 1
