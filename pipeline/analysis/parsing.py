"""Whether a text is a Python program."""

from __future__ import annotations

import ast
import warnings


def parsed(source: str) -> ast.Module | None:
    """The syntax tree; None for what Python cannot parse, and for a file without a statement."""
    try:
        with warnings.catch_warnings(action="ignore"):  # "\d" in a plain string is the project's affair, not ours
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if not tree.body:
        return None
    return tree
