"""Which candidate passes which generated test: unique programs by unique tests, counted as often as they were drawn."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.analysis.parsing import parsed
from pipeline.dlbench.agreement.generated import GeneratedTest


@dataclass(frozen=True, kw_only=True, slots=True)
class Matrix:
    """Of one task and one way of asking."""

    passes: tuple[frozenset[int], ...]
    """For each candidate the tests it passes, by their place in `tests`."""

    tests: int
    """Different tests."""

    suites: tuple[tuple[int, ...], ...]
    """The tests of each reply, by the same places."""


def program_key(text: str) -> str:
    """What two candidates share that are the same program: its syntax, without layout, comments and docstrings."""
    tree = parsed(text)
    if tree is None:
        return text.strip()
    copy = ast.parse(text)
    for node in ast.walk(copy):
        body = getattr(node, "body", None)
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module) and isinstance(body, list) and len(body) > 1:
            first = body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                body.pop(0)
    return ast.dump(copy)


def unique_tests(suites: Sequence[Sequence[GeneratedTest]]) -> tuple[list[GeneratedTest], list[tuple[int, ...]]]:
    """The different tests in order, and each suite as places among them."""
    places: dict[GeneratedTest, int] = {}
    numbered = []
    for suite in suites:
        numbered.append(tuple(places.setdefault(test, len(places)) for test in suite))
    return list(places), numbered
