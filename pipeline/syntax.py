"""Walking through a program's syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from functools import lru_cache

Problem = tuple[int, str | None]
"""A line, and what is wrong in it; None where nothing is."""


# A project's calls are checked against one framework's facts and then against the other's.
@lru_cache(maxsize=1)
def nodes_of(tree: ast.Module) -> tuple[ast.AST, ...]:
    """All nodes of a tree, breadth first, as `ast.walk` gives them. The tree is not to be changed afterwards."""
    return tuple(ast.walk(tree))


def problems_of(
    tree: ast.Module,
    imported: Iterable[Problem],
    call: Callable[[ast.Call], str | None],
    name: Callable[[ast.Attribute], str | None],
) -> tuple[str, ...]:
    """What is wrong with a program's imports, with each of its calls and with each dotted name, one line of text each,
    in order."""
    problems = list(imported)
    inner: set[ast.expr] = set()  # the `keras.layers` of `keras.layers.Dense`; the walk comes to it later
    for node in nodes_of(tree):
        if isinstance(node, ast.Call):
            problems.append((node.lineno, call(node)))
        elif isinstance(node, ast.Attribute):
            inner.add(node.value)
            if node not in inner:
                problems.append((node.lineno, name(node)))
    in_order = sorted((line, problem) for line, problem in problems if problem)
    messages = [f"line {line}: {problem}" for line, problem in in_order]
    return tuple(dict.fromkeys(messages))


def keywords_of(call: ast.Call) -> list[str] | None:
    """The names of a call's keywords; None where `*args` or `**options` hide what is handed over."""
    if any(isinstance(argument, ast.Starred) for argument in call.args):
        return None
    keywords: list[str] = []
    for keyword in call.keywords:
        if keyword.arg is None:
            return None
        keywords.append(keyword.arg)
    return keywords
