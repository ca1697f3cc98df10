"""One top-level statement of a project, and edits to its text.

Source text is kept rather than syntax trees, since a tree forgets comments; an edit exchanges the
text at the position of a tree's node (`replace_nodes`).
"""

from __future__ import annotations

import ast
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import lru_cache

SECTIONS = ("imports", "data", "preprocessing", "model", "compile", "train", "evaluate", "show")
"""The sections of a project, in order."""

Edit = tuple[ast.AST, str]
"""A node of a statement's tree, and the text that takes its place."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement:
    """One top-level statement with the comments above it."""

    section: str

    source: str

    heading: str = ""
    """The title of the cell that the statement opens; "" where it goes on in the cell before."""

    note: str = ""
    """The prose above the cell that the statement opens."""

    gap: int = 0
    """Blank lines above the statement inside its cell."""

    @property
    def node(self) -> ast.stmt:
        return parse_statement(self.source)


# A statement of a sample comes back with every row that is written from the sample: it is parsed
# once.
@lru_cache(maxsize=8192)
def parse_statement(source: str) -> ast.stmt:
    """The syntax tree of one statement's source; several on one line come back as an `if True:` block."""
    body = ast.parse(source).body
    if len(body) == 1:
        return body[0]
    return ast.If(test=ast.Constant(True), body=body, orelse=[])


def replace_nodes(source: str, edits: Iterable[Edit]) -> str:
    """The source with the text of each node exchanged. Nodes come from parsing this very source and do not overlap."""
    lines = source.split("\n")
    # From the last node to the first, so that an edit moves no position that is still needed.
    for node, text in sorted(edits, key=_position, reverse=True):
        first, last = node.lineno - 1, node.end_lineno - 1  # type: ignore[attr-defined]
        # Column offsets of a tree count UTF-8 bytes, not characters.
        head = lines[first].encode()[: node.col_offset].decode()  # type: ignore[attr-defined]
        tail = lines[last].encode()[node.end_col_offset :].decode()  # type: ignore[attr-defined]
        lines[first : last + 1] = (head + text + tail).split("\n")
    return "\n".join(lines)


def text_of(node: ast.AST, lines: Sequence[bytes]) -> str | None:
    """A node of a source of these lines as it is written; None for one without a place. `ast.get_source_segment` would
    go through the whole source by characters, for each node."""
    if not hasattr(node, "end_lineno"):
        return None
    first, last = node.lineno - 1, node.end_lineno - 1  # type: ignore[attr-defined]
    written = [*lines[first : last + 1]]
    written[-1] = written[-1][: node.end_col_offset]  # type: ignore[attr-defined]
    written[0] = written[0][node.col_offset :]  # type: ignore[attr-defined]
    return b"\n".join(written).decode()


def edit_statement(statement: Statement, edits: Sequence[Edit]) -> Statement:
    """The statement with the edits made to its source."""
    if not edits:
        return statement
    return replace(statement, source=replace_nodes(statement.source, edits))


def _position(edit: Edit) -> tuple[int, int]:
    node = edit[0]
    return node.lineno, node.col_offset  # type: ignore[attr-defined]


def aligned(first: Sequence[Hashable], second: Sequence[Hashable]) -> list[tuple[int, int]]:
    """Pairs of indices of equal items, by the longest matching blocks (Ratcliff and Obershelp)."""
    # `autojunk` would drop items that are frequent in long sequences, such as layers of one kind.
    matcher = SequenceMatcher(a=first, b=second, autojunk=False)
    pairs: list[tuple[int, int]] = []
    for block in matcher.get_matching_blocks():
        for offset in range(block.size):
            pairs.append((block.a + offset, block.b + offset))
    return pairs
