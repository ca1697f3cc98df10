"""A notebook as the build sees it: its cells without outputs, its language, and when it was executed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Cell(NamedTuple):
    """`kind` is code or markdown; `source` has line ends as in Unix and no NUL bytes."""

    kind: str
    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Notebook:
    """What is kept of a file. `executed_at` are seconds since 1970 (UTC), None where no cell says; `time_source` says
    which cell metadata gave them."""

    language: str
    cells: tuple[Cell, ...]
    executed_at: float | None = None
    time_source: str = ""
    title: str = ""

    @property
    def code_cells(self) -> tuple[str, ...]:
        return tuple([cell.source for cell in self.cells if cell.kind == "code"])

    @property
    def code(self) -> str:
        """All code cells, a blank line between them."""
        return "\n\n".join(self.code_cells)
