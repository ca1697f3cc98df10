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
    names: set[str] = set()

    def visit(table: symtable.SymbolTable) -> None:
        at_top = table.get_type() == "module"
        for symbol in table.get_symbols():
            if symbol.is_referenced() and (at_top or symbol.is_global()):
                names.add(symbol.get_name())
        for child in table.get_children():
            visit(child)

    visit(symtable.symtable(source, "<statement>", "exec"))
    return frozenset(names)


@lru_cache(maxsize=8192)
def global_writes(source: str) -> frozenset[str]:
    """Names that a statement defines at the top level: assignments, imports, functions and classes."""
    table = symtable.symtable(source, "<statement>", "exec")
    names: set[str] = set()
    for symbol in table.get_symbols():
        if symbol.is_assigned() or symbol.is_imported():
            names.add(symbol.get_name())
    for child in table.get_children():
        if child.get_type() != "module":
            names.add(child.get_name())
    return frozenset(names)


def names_no_statement_defines(notebook: Notebook) -> frozenset[str]:
    """Global names that some statement of the notebook reads and none defines, before it or after it.

    A star import may define anything: then none is reported. What each statement reads and writes
    is cached by its source, so that a project merged from known drafts costs little more than set
    operations. `pipeline.analysis.names` answers the same question for one syntax tree, with
    pyflakes and without a cache.
    """
    if _has_star_import(notebook.statements):
        return frozenset()
    read: set[str] = set()
    written: set[str] = set()
    for statement in notebook.statements:
        read |= global_reads(statement.source)
        written |= global_writes(statement.source)
    return frozenset(read - written - _BUILTIN)


def make_coherent(notebook: Notebook) -> Notebook:
    """The notebook with missing Keras and numpy imports added, each import once, and unused definitions removed."""
    imports = list(notebook.section("imports"))
    for name in sorted(names_no_statement_defines(notebook) & _KERAS_IMPORTS.keys()):
        imports.append(Statement(section="imports", source=_KERAS_IMPORTS[name]))
    return _without_unused(notebook.with_section("imports", _unique_imports(imports)))


def _has_star_import(statements: Iterable[Statement]) -> bool:
    return any("import *" in statement.source for statement in statements)


def _unique_imports(imports: Iterable[Statement]) -> list[Statement]:
    seen: set[str] = set()
    kept: list[Statement] = []
    for statement in imports:
        code = statement.source.split("\n")[-1]  # the line below the comments
        if code.startswith(("import ", "from ")) and code in seen:
            continue
        seen.add(code)
        kept.append(statement)
    return kept


def _without_unused(notebook: Notebook) -> Notebook:
    """Without imports, functions, classes and literal constants that nothing reads, and what only those read."""
    if _has_star_import(notebook.statements):
        return notebook
    statements = list(notebook.statements)
    # What goes may have been the only one to read something else, so this repeats until nothing
    # goes any more.
    while True:
        kept = _used(statements)
        if len(kept) == len(statements):
            return replace(notebook, statements=tuple(kept))
        statements = kept


def _used(statements: list[Statement]) -> list[Statement]:
    """The statements that are read or do something; a cell's heading and prose pass on to the first that stays."""
    read = _reads_of_others(statements)
    kept: list[Statement] = []
    removed_opener: Statement | None = None
    for statement in statements:
        trimmed = _trimmed(statement, read)
        if trimmed is None:
            if statement.heading:
                removed_opener = statement
            continue
        if removed_opener and not trimmed.heading and trimmed.section == removed_opener.section:
            trimmed = replace(trimmed, heading=removed_opener.heading, note=removed_opener.note)
        removed_opener = None
        kept.append(trimmed)
    return kept


def _reads_of_others(statements: Iterable[Statement]) -> frozenset[str]:
    """All names read, a function's reading of itself aside."""
    names: set[str] = set()
    for statement in statements:
        read = global_reads(statement.source)
        if _is_definition(statement.node):
            read -= global_writes(statement.source)  # a recursive function does not make itself used
        names |= read
    return frozenset(names)


def _trimmed(statement: Statement, read: frozenset[str]) -> Statement | None:
    """The statement, an import with the names that are read alone; None where nothing of it is."""
    node = statement.node
    if isinstance(node, ast.Import | ast.ImportFrom) and getattr(node, "module", "") != "__future__":
        used = [alias for alias in node.names if _bound_name(alias) in read]
        if not used:
            return None
        if len(used) == len(node.names):
            return statement
        trimmed = type(node)(**{**vars(node), "names": used})
        comments = [line for line in statement.source.split("\n") if line.startswith("#")]
        return replace(statement, source="\n".join([*comments, ast.unparse(trimmed)]))
    removable = _is_definition(node) or _is_literal(node)
    if removable and not global_writes(statement.source) & read:
        return None
    return statement


def _bound_name(alias: ast.alias) -> str:
    """The name that an import defines: `import tensorflow.keras` defines `tensorflow`."""
    return alias.asname or alias.name.split(".")[0]


def _is_definition(node: ast.stmt) -> bool:
    # A decorator may register what it decorates, so a decorated definition counts as used.
    return isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef) and not node.decorator_list


def _is_literal(node: ast.stmt) -> bool:
    """Whether a statement gives names a constant: removing it removes no call."""
    if not isinstance(node, ast.Assign):
        return False
    # `model.trainable = False` and `x[0] = 1` change an object that others may hold.
    if not all(isinstance(target, ast.Name) for target in node.targets):
        return False
    parts = ast.Constant | ast.Tuple | ast.List | ast.Load | ast.UnaryOp | ast.USub
    return all(isinstance(part, parts) for part in ast.walk(node.value))
