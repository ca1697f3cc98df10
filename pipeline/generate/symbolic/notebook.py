"""A deep-learning project as a notebook: statements in eight sections, with their comments and layout kept."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from pipeline.generate.symbolic.sections import assign_sections
from pipeline.generate.symbolic.statement import SECTIONS, Statement

_CELL = re.compile(r"^# ?%%\s*+(?P<markdown>\[markdown\])?\s*+(?P<heading>.*)$")

_CELL_MARK = re.compile(r"^\s*(?=%%)")
"""The beginning of a sentence that would open a cell."""

_AROUND_DEFINITION = 2
"""Blank lines before and after a function or class (PEP 8)."""

_LONGEST_GAP = 2
"""Blank lines in a row that are kept between two statements."""

_DEFINITION = re.compile(r"^(?:@|def |class |async def )", re.MULTILINE)
"""A line that begins a function or a class."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Notebook:
    """A project as statements in sections."""

    title: str
    """The prose of the first cell."""

    statements: tuple[Statement, ...]
    """In the order of the sections."""

    def section(self, name: str) -> tuple[Statement, ...]:
        return tuple(statement for statement in self.statements if statement.section == name)

    def with_section(self, name: str, statements: Sequence[Statement]) -> Notebook:
        """The notebook with one section exchanged."""
        ordered: list[Statement] = []
        for section in SECTIONS:
            ordered += statements if section == name else self.section(section)
        return replace(self, statements=tuple(ordered))

    def settled(self) -> Notebook:
        """The notebook as it comes back from its own text: with the headings and blank lines that `text` writes."""
        settled: list[Statement] = []
        before: Statement | None = None
        for statement in self.statements:
            heading = statement.heading
            opens_section = before is None or statement.section != before.section
            if opens_section and not heading:
                heading = statement.section.capitalize()
            if heading:
                gap = 0
            elif _beside_definition(before, statement):
                gap = _AROUND_DEFINITION
            else:
                gap = statement.gap
            if (gap, heading) != (statement.gap, statement.heading):
                statement = replace(statement, gap=gap, heading=heading)
            settled.append(statement)
            before = statement
        return replace(self, statements=tuple(settled))

    def text(self) -> str:
        """The project in the percent format: `# %%` opens a cell, `# %% [markdown]` prose."""
        lines = _prose(self.title) if self.title else []
        before: Statement | None = None
        for statement in self.settled().statements:
            if statement.heading:
                if lines:
                    blank_lines = _AROUND_DEFINITION if _beside_definition(before, statement) else 1
                    lines += [""] * blank_lines
                if statement.note:
                    lines += [*_prose(statement.note), ""]
                lines.append(f"# %% {statement.heading}")
            lines += [""] * statement.gap
            lines.append(statement.source)
            before = statement
        return "\n".join(lines) + "\n"


def _beside_definition(before: Statement | None, statement: Statement) -> bool:
    """Whether a function or class stands on either side of the gap between two statements."""
    return before is not None and (_is_definition(before.source) or _is_definition(statement.source))


@lru_cache(maxsize=8192)  # a statement of a sample comes back with every row
def _is_definition(source: str) -> bool:
    return _DEFINITION.search(source) is not None


def _prose(text: str) -> list[str]:
    lines = ["# %% [markdown]"]
    for line in text.split("\n"):
        sentence = _CELL_MARK.sub(r"\\", line)
        lines.append(f"# {sentence}".rstrip())
    return lines


def read_notebook(code: str) -> Notebook:
    """A project's source as a notebook. Cells named after sections are taken at their word, other
    code is sorted by what it does (`section_of`). What is not Python (shell lines, magics, broken
    statements) is left out.
    """
    code = code[:LONGEST].replace("\r\n", "\n").replace("\r", "\n")  # all that ends a line to Python
    code = code.replace("\t", "    ")
    title, statements = _statements(code)
    sections = assign_sections([(statement.source, statement.section) for statement in statements])
    placed: list[Statement] = []
    for statement, section in zip(statements, sections, strict=True):
        placed.append(replace(statement, section=section))
    placed.sort(key=lambda statement: SECTIONS.index(statement.section))
    return Notebook(title=title, statements=tuple(placed))


def _statements(code: str) -> tuple[str, list[Statement]]:
    """The first cell's prose and the statements; `section` is the cell's, or "" where the cell names none."""
    tree, lines = _parse(code)
    title, section = "", ""
    statements: list[Statement] = []
    read_to = 0  # the line after the last statement
    for start, end in _spans(tree):
        above = _read_between(lines[read_to:start])
        if above.section is not None:
            section = above.section
        prose = "\n".join(above.prose)
        note = prose.strip()
        if not statements:
            title, note = textwrap.dedent(prose).strip(), ""
        statements.append(
            Statement(
                section=section,
                source="\n".join([*above.comments, *lines[start:end]]),
                heading=above.heading,
                note=note,
                gap=min(above.gap, _LONGEST_GAP),
            )
        )
        read_to = end
    return title, statements


@dataclass(slots=True)
class _Between:
    """What stands between two statements."""

    section: str | None = None
    """The section that the last cell opened here is named after ("" where it names none); None where no cell opens."""

    heading: str = ""
    prose: list[str] = field(default_factory=list)
    """Its lines."""

    comments: list[str] = field(default_factory=list)

    gap: int = 0
    """Blank lines before the comments."""


def _read_between(lines: Sequence[str]) -> _Between:
    between = _Between()
    in_prose = False
    for line in lines:
        cell = _CELL.match(line)
        if cell:
            in_prose = bool(cell["markdown"])
            # Comments and blank lines before a cell belong to no statement.
            between.comments, between.gap = [], 0
            if not in_prose:
                between.heading = cell["heading"].rstrip()
                between.section = _named_section(between.heading)
        elif in_prose:
            between.prose.append(line.removeprefix("#").removeprefix(" "))
        elif line.strip():
            between.comments.append(line)
        elif not between.comments:
            between.gap += 1
    return between


def _named_section(heading: str) -> str:
    if heading.lower().startswith("loss and optimizer"):  # what Keras is told in `compile`
        return "compile"
    word = re.split(r"\W", heading, maxsplit=1)[0].lower()
    return word if word in SECTIONS else ""


def _spans(tree: ast.Module) -> list[tuple[int, int]]:
    """First and last line (0-based, end exclusive) of each top-level statement; those that share a line are one."""
    spans: list[tuple[int, int]] = []
    for node in tree.body:
        start, end = node.lineno - 1, node.end_lineno or node.lineno
        for decorator in getattr(node, "decorator_list", []):
            start = min(start, decorator.lineno - 1)  # a definition's own position is its `def`
        if spans and start < spans[-1][1]:
            spans[-1] = spans[-1][0], max(end, spans[-1][1])
        else:
            spans.append((start, end))
    return spans


_NOT_PYTHON = re.compile(r"^\s*[!%?]|^\s*(pip|conda) install ")
_STATEMENT_START = re.compile(r"[A-Za-z_@#(\[{'\"]")
_CONTINUATION = re.compile(r"(else|elif|except|finally)\b")

LONGEST = 100_000
"""Characters of a project that are read; the rest is left out. As far as CodeBLEU measures, too."""

_MOST_FAILURES = 1_000
"""Chunks that no statement starts with, up to which what is broken is read. Each was tried in _MOST_CHUNKS ways."""

_MOST_CHUNKS = 11
"""Chunks that one statement may have (an `if` with its `elif`s, a call over unindented lines); a guess with room."""


def _parse(code: str) -> tuple[ast.Module, list[str]]:
    """The tree, and the lines its positions mean. Lines and top-level chunks that do not parse are blanked."""
    lines = code.split("\n")
    try:
        return ast.parse(code), lines
    # Besides syntax errors: NUL bytes, and nesting that is too deep for the parser.
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        kept = _what_parses(["" if _NOT_PYTHON.match(line) else line for line in lines])
        return ast.parse("\n".join(kept)), kept


def _what_parses(lines: Sequence[str]) -> list[str]:
    """The lines of which those are blanked that belong to no statement that parses."""
    starts = [number for number, line in enumerate(lines) if _STATEMENT_START.match(line)] + [len(lines)]
    kept = [""] * len(lines)
    number = failures = 0
    while number < len(starts) - 1 and failures < _MOST_FAILURES:
        end = _statement_end(lines, starts, number)
        if end is None:
            number += 1
            failures += 1
        else:
            kept[starts[number] : starts[end]] = lines[starts[number] : starts[end]]
            number = end
    return kept


def _statement_end(lines: Sequence[str], starts: Sequence[int], number: int) -> int | None:
    """The chunk before which the statement that starts with a chunk ends: the nearest that makes it parse, or None."""
    for end in range(number + 1, min(number + _MOST_CHUNKS + 1, len(starts))):
        goes_on = starts[end] < len(lines) and _CONTINUATION.match(lines[starts[end]])
        if not goes_on and _parses("\n".join(lines[starts[number] : starts[end]])):
            return end
    return None


def _parses(code: str) -> bool:
    try:
        ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
