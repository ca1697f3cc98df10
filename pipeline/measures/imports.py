"""Imports that exist: the modules a project asks for, against those that Python and
the field have."""

from __future__ import annotations

import ast
import sys
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

from pipeline.syntax import nodes_of

FIELD_FILE = Path(__file__).parent / "field_packages.txt"
"""The stated list of the field's packages, a top-level name a line."""


def unknown_imports(tree: ast.Module) -> tuple[str, ...]:
    """Top-level names of imported modules that neither Python, nor this environment, nor FIELD_FILE
    has; sorted, each once. A helper file of one's own is unknown too: a project of one file has no
    neighbours, relative ones included."""
    modules: set[str] = set()
    for node in nodes_of(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            modules.add(node.module)
        elif isinstance(node, ast.Import | ast.ImportFrom):  # `from . import a` asks for a module a
            modules |= {alias.name for alias in node.names}
    top_level = {module.partition(".")[0] for module in modules}
    return tuple(sorted(top_level - _known_modules()))


@cache
def _known_modules() -> frozenset[str]:
    lines = FIELD_FILE.read_text(encoding="utf-8").splitlines()
    field = {line.strip() for line in lines if not line.startswith("#")}
    return frozenset(field) | sys.stdlib_module_names | frozenset(packages_distributions())
