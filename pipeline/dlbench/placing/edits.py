"""Editing a definition's text: another indentation, other names, statements before its body."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping

from pipeline.dlbench.placing.target import Definition, lines_of


def reindented(text: str, old: str, new: str) -> str:
    """The text with another indentation. Lines within a string of several lines stay: they are its value."""
    inside = _lines_within_strings(text, old)
    lines = []
    for number, line in enumerate(lines_of(text), start=1):
        if number in inside or not line.strip():
            lines.append(line)
        elif line.startswith(old):
            lines.append(new + line[len(old) :])
        else:  # a comment, or a continued line, further left
            lines.append(new + line.lstrip(" \t"))
    return "".join(lines)


def _lines_within_strings(text: str, indent: str) -> set[int]:
    # An indented definition parses in a block only.
    shift = 1 if indent else 0
    try:
        tree = ast.parse(("if 1:\n" if indent else "") + text)
    except (SyntaxError, ValueError):
        return set()
    inside: set[int] = set()
    for node in ast.walk(tree):
        is_string = isinstance(node, ast.JoinedStr) or (
            isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
        )
        if is_string and isinstance(node, ast.expr) and node.end_lineno is not None:
            inside |= set(range(node.lineno + 1 - shift, node.end_lineno + 1 - shift))
    return inside


def renamed(text: str, names: Mapping[str, str]) -> str:
    """A program with some of its names exchanged, by its syntax tree: attributes, keywords and strings stay."""
    if not names:
        return text
    tree = ast.parse(text)
    edits: list[tuple[int, int, str, str]] = []
    lines = lines_of(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in names:
            edits.append((node.lineno, node.col_offset, node.id, names[node.id]))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name in names:
            line = lines[node.lineno - 1]
            found = re.search(rf"\b(?:def|class)\s+({re.escape(node.name)})\b", line[len(_prefix(line, node)) :])
            if found is not None:
                column = len((_prefix(line, node) + line[len(_prefix(line, node)) :][: found.start(1)]).encode())
                edits.append((node.lineno, column, node.name, names[node.name]))
        elif isinstance(node, ast.Global | ast.Nonlocal) and set(node.names) & names.keys():
            for name in node.names:
                if name in names:
                    position = re.search(rf"\b{re.escape(name)}\b", lines[node.lineno - 1])
                    if position is not None:
                        column = len(lines[node.lineno - 1][: position.start()].encode())
                        edits.append((node.lineno, column, name, names[name]))
    for line_number, column, old, new in sorted(edits, reverse=True):
        encoded = lines[line_number - 1].encode()
        changed = encoded[:column] + new.encode() + encoded[column + len(old.encode()) :]
        lines[line_number - 1] = changed.decode()
    return "".join(lines)


def _prefix(line: str, node: ast.stmt) -> str:
    return line.encode()[: node.col_offset].decode()


def with_first_statements(text: str, statements: Iterable[str]) -> str:
    """A definition without indentation, with statements (of a line each) before its body, behind its docstring."""
    added = list(statements)
    if not added:
        return text
    node = ast.parse(text).body[0]
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    lines = lines_of(text)
    first = node.body[0]
    if first.lineno == _header_end(node, lines):
        # `def f(x): return x` becomes two lines.
        line = lines[first.lineno - 1].encode()
        header, body = line[: first.col_offset].decode().rstrip(), line[first.col_offset :].decode()
        return "".join(
            [
                *lines[: first.lineno - 1],
                f"{header}\n",
                *(f"    {one}\n" for one in added),
                f"    {body}",
                *lines[first.lineno :],
            ]
        )
    place = first.lineno - 1
    if is_docstring(first):
        place = first.end_lineno or first.lineno
        if not lines[place - 1].endswith(("\n", "\r")):
            lines[place - 1] += "\n"
    indent = lines[first.lineno - 1].encode()[: first.col_offset].decode()
    return "".join([*lines[:place], *(f"{indent}{one}\n" for one in added), *lines[place:]])


def _header_end(node: Definition, lines: list[str]) -> int:
    """The line that the colon of a `def` stands in, where its body may begin in the same."""
    first = node.body[0]
    before = lines[first.lineno - 1].encode()[: first.col_offset].decode()
    return first.lineno if before.strip() else -1


def is_docstring(node: ast.stmt) -> bool:
    """Whether a first statement is a docstring."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def names_read(node: ast.AST) -> set[str]:
    """The names that a piece of program reads, and the attributes it asks of what it calls `self` or `cls`."""
    names: set[str] = set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name):
            names.add(inner.id)
        elif isinstance(inner, ast.Constant) and isinstance(inner.value, str) and inner.value.isidentifier():
            names.add(inner.value)  # annotations as text
    return names


def names_bound(node: ast.stmt) -> set[str]:
    """The names that a statement of a module binds."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name.partition(".")[0] for alias in node.names}
    names: set[str] = set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
            names.add(inner.id)
        elif isinstance(inner, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef):
            names |= names_bound(inner)
    return names
