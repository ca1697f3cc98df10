"""One coherent project out of sections from two drafts: one set of imports, nothing undefined, nothing unused."""

from __future__ import annotations

import ast
import builtins
import symtable
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

from pipeline.generate.symbolic.notebook import Notebook
from pipeline.generate.symbolic.statement import Statement

_BUILTIN = frozenset(dir(builtins)) | {"__file__", "__name__", "__doc__"}
_KERAS_IMPORTS = {
    "keras": "from tensorflow import keras",
    "layers": "from tensorflow.keras import layers",
    "tf": "import tensorflow as tf",
    "np": "import numpy as np",
}
"""Names that our own edits may bring in, with the import that defines each."""


@lru_cache(maxsize=8192)
def global_reads(source: str) -> frozenset[str]:
    """Names that a statement reads from the global scope, inside its functions and classes too."""
    found: set[str] = set()

    def visit(table: symtable.SymbolTable) -> None:
        top = table.get_type() == "module"
        for symbol in table.get_symbols():
            if symbol.is_referenced() and (top or symbol.is_global()):
                found.add(symbol.get_name())
        for child in table.get_children():
            visit(child)

    visit(symtable.symtable(source, "<statement>", "exec"))
    return frozenset(found)


@lru_cache(maxsize=8192)
def global_writes(source: str) -> frozenset[str]:
    """Names that a statement defines at the top level: assignments, imports, functions and classes."""
    table = symtable.symtable(source, "<statement>", "exec")
    written = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
    return frozenset(written | {child.get_name() for child in table.get_children() if child.get_type() != "module"})


def undefined_names(notebook: Notebook) -> frozenset[str]:
    """Names that some statement reads and none defines. A star import may define anything: then none is reported."""
    sources = [statement.source for statement in notebook.statements]
    if any("import *" in source for source in sources):
        return frozenset()
    read = frozenset().union(*map(global_reads, sources)) if sources else frozenset()
    written = frozenset().union(*map(global_writes, sources)) if sources else frozenset()
    return read - written - _BUILTIN


def make_coherent(notebook: Notebook) -> Notebook:
    """The notebook with missing Keras and numpy imports added, each import once, and unused definitions removed."""
    missing = undefined_names(notebook) & _KERAS_IMPORTS.keys()
    added = [Statement(section="imports", source=_KERAS_IMPORTS[name]) for name in sorted(missing)]
    return _without_unused(_unique_imports(notebook.with_section("imports", [*notebook.section("imports"), *added])))


def _unique_imports(notebook: Notebook) -> Notebook:
    seen: set[str] = set()
    kept: list[Statement] = []
    for statement in notebook.section("imports"):
        code = statement.source.split("\n")[-1]
        if code.startswith(("import ", "from ")) and code in seen:
            continue
        seen.add(code)
        kept.append(statement)
    return notebook.with_section("imports", kept)


def _without_unused(notebook: Notebook) -> Notebook:
    """Without imports, functions, classes and literal constants that nothing reads, and what only those read."""
    if any("import *" in statement.source for statement in notebook.statements):
        return notebook
    statements = list(notebook.statements)
    while True:
        read = _reads_of_others(statements)
        kept: list[Statement] = []
        opener: Statement | None = None  # the first statement of a cell, if it went: heading and prose pass on
        for statement in statements:
            trimmed = _trimmed(statement, read)
            if trimmed is None:
                opener = statement if statement.heading else opener
                continue
            if opener and not trimmed.heading and trimmed.section == opener.section:
                trimmed = replace(trimmed, heading=opener.heading, note=opener.note)
            opener = None
            kept.append(trimmed)
        if len(kept) == len(statements):
            return replace(notebook, statements=tuple(kept))
        statements = kept


def _reads_of_others(statements: Iterable[Statement]) -> frozenset[str]:
    """All names read, a function's reading of itself aside."""
    found: set[str] = set()
    for statement in statements:
        own = global_writes(statement.source) if _is_definition(statement.node) else frozenset()
        found |= global_reads(statement.source) - own
    return frozenset(found)


def _trimmed(statement: Statement, read: frozenset[str]) -> Statement | None:
    node = statement.node
    if isinstance(node, ast.Import | ast.ImportFrom) and getattr(node, "module", "") != "__future__":
        used = [alias for alias in node.names if (alias.asname or alias.name.split(".")[0]) in read]
        if not used:
            return None
        if len(used) == len(node.names):
            return statement
        names = type(node)(**{**vars(node), "names": used})
        comments = [line for line in statement.source.split("\n") if line.startswith("#")]
        return replace(statement, source="\n".join([*comments, ast.unparse(names)]))
    if _is_definition(node) or _is_literal(node):
        return statement if global_writes(statement.source) & read else None
    return statement


def _is_definition(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef) and not node.decorator_list


def _is_literal(node: ast.stmt) -> bool:
    if not isinstance(node, ast.Assign) or not all(isinstance(target, ast.Name) for target in node.targets):
        return False
    return all(
        isinstance(part, ast.Constant | ast.Tuple | ast.List | ast.Load | ast.UnaryOp | ast.USub)
        for part in ast.walk(node.value)
    )
