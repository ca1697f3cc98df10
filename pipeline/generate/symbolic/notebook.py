"""A deep-learning project as a notebook: statements in eight sections, with their comments and layout kept."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline.generate.symbolic.sections import assign_sections
from pipeline.generate.symbolic.statement import SECTIONS, Statement

_CELL = re.compile(r"^# ?%%\s*(?P<markdown>\[markdown\])?\s*(?P<heading>.*?)\s*$")


@dataclass(frozen=True, kw_only=True, slots=True)
class Notebook:
    """A project: the prose of its first cell, and its statements in section order."""

    title: str
    statements: tuple[Statement, ...]

    def section(self, name: str) -> tuple[Statement, ...]:
        return tuple(statement for statement in self.statements if statement.section == name)

    def with_section(self, name: str, statements: Sequence[Statement]) -> Notebook:
        """The notebook with one section exchanged."""
        parts = [statements if section == name else self.section(section) for section in SECTIONS]
        return replace(self, statements=tuple(statement for part in parts for statement in part))

    def settled(self) -> Notebook:
        """The notebook as it comes back from its own text: with the blank lines that `text` writes."""
        settled: list[Statement] = []
        for before, statement in zip((None, *self.statements), self.statements, strict=False):
            opens = bool(statement.heading) or before is None or statement.section != before.section
            apart = before is not None and (_is_definition(before) or _is_definition(statement))
            gap = 0 if opens else 2 if apart else statement.gap
            heading = statement.heading or (statement.section.capitalize() if opens else "")
            settled.append(replace(statement, gap=gap, heading=heading))
        return replace(self, statements=tuple(settled))

    def text(self) -> str:
        """The project in the percent format: `# %%` opens a cell, `# %% [markdown]` prose."""
        lines = _prose(self.title) if self.title else []
        before: Statement | None = None
        for statement in self.statements:
            apart = 2 if _is_definition(statement) or (before and _is_definition(before)) else 1
            if statement.heading or before is None or statement.section != before.section:
                lines += [""] * ((1 if before is None else apart) if lines else 0)
                if statement.note:
                    lines += [*_prose(statement.note), ""]
                lines.append(f"# %% {statement.heading or statement.section.capitalize()}")
            else:
                lines += [""] * (apart if apart == 2 else statement.gap)
            lines.append(statement.source)
            before = statement
        return "\n".join(lines) + "\n"


def _is_definition(statement: Statement) -> bool:
    return re.search(r"^(?:@|def |class |async def )", statement.source, re.MULTILINE) is not None


def _prose(text: str) -> list[str]:
    return ["# %% [markdown]", *(f"# {line}".rstrip() for line in text.split("\n"))]


def read_notebook(code: str) -> Notebook:
    """A project's source as a notebook. Cells named after sections are taken at their word, other code is sorted by
    what it does (`section_of`). What is not Python (shell lines, magics, broken statements) is left out.
    """
    code = code.replace("\r\n", "\n").replace("\t", "    ")
    title, pieces = _pieces(code)
    sections = assign_sections([(piece.source, piece.section) for piece in pieces])
    named = [replace(piece, section=section) for piece, section in zip(pieces, sections, strict=True)]
    order = {section: number for number, section in enumerate(SECTIONS)}
    return Notebook(title=title, statements=tuple(sorted(named, key=lambda item: order[item.section])))


def _pieces(code: str) -> tuple[str, list[Statement]]:
    """The first cell's prose and the statements; `section` is the cell's, or "" where the cell names none."""
    tree, lines = _parse(code)
    title = ""
    pieces: list[Statement] = []
    section, heading, note = "", "", ""
    at = 0  # the line after the last statement
    for start, end in _spans(tree):
        comments: list[str] = []
        gap, prose = 0, False
        for line in lines[at:start]:
            cell = _CELL.match(line)
            if cell:
                prose, comments, gap = bool(cell["markdown"]), [], 0
                if not prose:
                    heading, section = cell["heading"], _named_section(cell["heading"])
            elif prose:
                note += line.removeprefix("#").removeprefix(" ") + "\n"
            elif line.strip():
                comments.append(line)
            elif not comments:
                gap += 1
        if not pieces and not title:
            title, note = textwrap.dedent(note).strip(), ""
        source = "\n".join([*comments, *lines[start:end]])
        pieces.append(Statement(section=section, source=source, heading=heading, note=note.strip(), gap=min(gap, 2)))
        heading, note, at = "", "", end
    return title, pieces


def _named_section(heading: str) -> str:
    word = re.split(r"\W", heading, maxsplit=1)[0].lower()
    return word if word in SECTIONS else ""


def _spans(tree: ast.Module) -> list[tuple[int, int]]:
    """First and last line (0-based, end exclusive) of each top-level statement; those that share a line are one."""
    spans: list[tuple[int, int]] = []
    for node in tree.body:
        decorators = getattr(node, "decorator_list", [])
        start = min([node.lineno, *(decorator.lineno for decorator in decorators)]) - 1
        end = node.end_lineno or node.lineno
        if spans and start < spans[-1][1]:
            spans[-1] = spans[-1][0], max(end, spans[-1][1])
        else:
            spans.append((start, end))
    return spans


_NOT_PYTHON = re.compile(r"^\s*[!%?]|^\s*(pip|conda) install ")


def _parse(code: str) -> tuple[ast.Module, list[str]]:
    """The tree, and the lines its positions mean. Lines and top-level chunks that do not parse are blanked."""
    lines = code.split("\n")
    try:
        return ast.parse(code), lines
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        lines = ["" if _NOT_PYTHON.match(line) else line for line in lines]
    starts = [number for number, line in enumerate(lines) if re.match(r"[A-Za-z_@#(\[{'\"]", line)] + [len(lines)]
    kept, at = [""] * len(lines), 0
    while at < len(starts) - 1:
        # The longest run of chunks that parses is not needed: the shortest is, and a statement spans few chunks.
        for end in range(at + 1, min(at + 12, len(starts))):
            chunk = lines[starts[at] : starts[end]]
            if _parses("\n".join(chunk)) and not _opens(lines, starts, end):
                kept[starts[at] : starts[end]] = chunk
                at = end
                break
        else:
            at += 1
    return ast.parse("\n".join(kept)), kept


def _parses(code: str) -> bool:
    try:
        ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _opens(lines: Sequence[str], starts: Sequence[int], end: int) -> bool:
    """Whether the next chunk goes on with this one's statement (else, except, finally, a decorated definition)."""
    following = lines[starts[end]] if starts[end] < len(lines) else ""
    return re.match(r"(else|elif|except|finally)\b", following) is not None
