"""One top-level statement of a project, and edits to its text.

Source text is kept rather than syntax trees, since a tree forgets comments; edits are made at the places that a tree's
nodes name (`replace_nodes`).
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

SECTIONS = ("imports", "data", "preprocessing", "model", "compile", "train", "evaluate", "show")
"""The sections of a project, in order."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement:
    """One top-level statement with the comments above it.

    `heading` is the title of the cell it opens ("" where it goes on in the cell before), `note` that cell's prose,
    `gap` the blank lines above it inside a cell.
    """

    section: str
    source: str
    heading: str = ""
    note: str = ""
    gap: int = 0

    @property
    def node(self) -> ast.stmt:
        return parse_statement(self.source)


@lru_cache(maxsize=8192)
def parse_statement(source: str) -> ast.stmt:
    """The syntax tree of one statement's source; several on one line come back as an `if True:` block."""
    body = ast.parse(source).body
    return body[0] if len(body) == 1 else ast.If(test=ast.Constant(True), body=body, orelse=[])


def replace_nodes(source: str, edits: Iterable[tuple[ast.AST, str]]) -> str:
    """The source with the text of each node exchanged. Nodes come from parsing this very source and do not overlap."""
    lines = source.split("\n")
    for node, text in sorted(edits, key=lambda edit: (edit[0].lineno, edit[0].col_offset), reverse=True):  # type: ignore[attr-defined]
        first, last = node.lineno - 1, node.end_lineno - 1  # type: ignore[attr-defined]
        head = lines[first].encode()[: node.col_offset].decode()  # type: ignore[attr-defined]
        tail = lines[last].encode()[node.end_col_offset :].decode()  # type: ignore[attr-defined]
        lines[first : last + 1] = (head + text + tail).split("\n")
    return "\n".join(lines)


def edit_statement(statement: Statement, edits: Sequence[tuple[ast.AST, str]]) -> Statement:
    return replace(statement, source=replace_nodes(statement.source, edits)) if edits else statement
