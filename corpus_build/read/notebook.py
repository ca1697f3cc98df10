"""A notebook as the build sees it: its cells without outputs, its language, and when it was executed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import NamedTuple


class Cell(NamedTuple):
    """One cell with text in it."""

    kind: str
    """`code` or `markdown`."""
    source: str
    """Its text, with line ends as in Unix and no NUL bytes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ParsedNotebook:
    """What is kept of a file."""

    language: str
    """In lower case; `python` where the file says nothing."""
    cells: tuple[Cell, ...]
    executed_at: float | None = None
    """Seconds since 1970 (UTC), None where no cell says."""
    time_source: str = ""
    """Which cell metadata gave `executed_at`."""
    title: str = ""

    @property
    def code_cells(self) -> tuple[str, ...]:
        return tuple([cell.source for cell in self.cells if cell.kind == "code"])

    @property
    def code(self) -> str:
        """All code cells, a blank line between them."""
        return "\n\n".join(self.code_cells)

    @property
    def markdown_cells(self) -> tuple[str, ...]:
        return tuple([cell.source for cell in self.cells if cell.kind == "markdown"])

    @property
    def code_digest(self) -> str:
        """SHA-256, in hexadecimal, by which two notebooks count as exact duplicates: of the lines of code without blank
        lines and trailing blanks, whatever cells they are divided into."""
        lines = map(str.rstrip, "\n".join(self.code_cells).split("\n"))
        return hashlib.sha256("\n".join(filter(None, lines)).encode("utf-8", "replace")).hexdigest()
