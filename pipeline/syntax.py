"""Walking through a program's syntax tree."""

from __future__ import annotations

import ast
from functools import lru_cache


# A project's calls are checked against one framework's facts and then against the other's.
@lru_cache(maxsize=1)
def nodes_of(tree: ast.Module) -> tuple[ast.AST, ...]:
    """All nodes of a tree, breadth first, as `ast.walk` gives them. The tree is not to be changed afterwards."""
    return tuple(ast.walk(tree))
