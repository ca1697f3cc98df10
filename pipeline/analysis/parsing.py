"""Whether a text is a Python program, judged by the bytes that are written of it."""

from __future__ import annotations

import ast
import warnings
from functools import lru_cache

LONGEST = 300_000
"""Characters of a source beyond which nothing is read in it: ten times the longest published notebook."""


# A project is asked about several times, one after another: when its notebook is cut, and by each measure.
@lru_cache(maxsize=3)
def parsed(source: str) -> ast.Module | None:
    """The syntax tree of the source as a UTF-8 file; None for what Python cannot parse, for a file without a
    statement, and beyond LONGEST. A file's line `# coding: ...` decides how Python reads it, so the text alone would
    not tell."""
    if len(source) > LONGEST:
        return None
    try:
        with warnings.catch_warnings(action="ignore"):  # "\d" in a plain string is the project's affair, not ours
            tree = ast.parse(source.encode())
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # ValueError: NUL bytes, half of a surrogate pair
        return None
    if not tree.body:
        return None
    return tree


def compiles(tree: ast.Module) -> bool:
    """Whether Python takes the program: what parses may still `return` outside of a function."""
    try:
        with warnings.catch_warnings(action="ignore"):
            compile(tree, "project.py", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
