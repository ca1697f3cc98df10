"""One program out of several blocks: parts that follow one another, the whole beside its parts, examples of its use."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from pipeline.analysis.names import names_never_defined
from pipeline.analysis.parsing import parsed

_TRAINS = re.compile(r"\.fit\(|\.backward\(|GradientTape|__main__|\.fit_generator\(|value_and_grad\(")
"""What a program that needs nothing more does: it trains, or is started as one."""

_IMPORTS = re.compile(r"^(?:import|from) ", re.MULTILINE)
_PROJECT_MODULES = frozenset("project main train run app model script your_module your_script your_project".split())

_MOST_PARTS = 30
"""Blocks up to which examples are looked for; each is read with all others."""


def one_program(texts: Sequence[str]) -> str:
    """Blocks as one program: a block that defines all that the others do is the whole of it, the last such one; else
    they follow one another, without examples of the program's use."""
    texts = list(dict.fromkeys(texts))  # a block that is repeated is one
    if len(texts) < 2:
        return "".join(texts)
    texts = _without_examples(texts)
    names = [defined_names(text) for text in texts]
    everything = set().union(*names)
    for text, defined in reversed(list(zip(texts, names, strict=True))):
        if everything and defined == everything:
            return text
    return "\n\n".join(texts)


def is_program(code: str) -> bool:
    """Whether a code is a program of its own: it parses, imports something and trains."""
    return _IMPORTS.search(code) is not None and _TRAINS.search(code) is not None and parsed(code) is not None


def only_prepares(code: str) -> bool:
    """Whether a code has imports and texts alone."""
    tree = parsed(code)
    if tree is None:
        return False
    for node in tree.body:
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not is_text and not isinstance(node, ast.Import | ast.ImportFrom):
            return False
    return True


def _without_examples(texts: list[str]) -> list[str]:
    """The blocks without those that import from the program itself, or that read names nobody defines where another
    block is a program without them: they show how it is used."""
    if len(texts) > _MOST_PARTS:
        return texts
    main = max(texts, key=len)
    kept: list[str] = []
    for text in texts:
        others = [other for other in texts if other is not text]
        if text is not main and (_imports_project(text, others) or _lacks_names(text, main, others)):
            continue
        kept.append(text)
    return kept


def _imports_project(text: str, others: list[str]) -> bool:
    """Whether a block imports what other blocks define, or a module called like a project's file."""
    tree = parsed(text)
    if tree is None:
        return False
    defined = set().union(*(defined_names(other, imports=False) for other in others))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            imported = {alias.name for alias in node.names}
            if node.module in _PROJECT_MODULES or imported <= defined:
                return True
        elif isinstance(node, ast.Import) and any(alias.name in _PROJECT_MODULES for alias in node.names):
            return True
    return False


def _lacks_names(text: str, main: str, others: list[str]) -> bool:
    """Whether a block reads names that no block defines, beside a program that needs it for nothing."""
    tree = parsed(text)
    if tree is None or not _TRAINS.search(main) or parsed(main) is None:
        return False
    unknown = set(names_never_defined(tree))
    for other in others:
        unknown -= defined_names(other)
    return bool(unknown)


def defined_names(text: str, *, imports: bool = True) -> frozenset[str]:
    """The names that a block's top level defines; none where it does not parse."""
    tree = parsed(text)
    if tree is None:
        return frozenset()
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            if imports:
                names |= {(item.asname or item.name).split(".")[0] for item in node.names}
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                names |= _names_in(target)
        elif isinstance(node, ast.AnnAssign):
            names |= _names_in(node.target)
    return frozenset(names)


def _names_in(target: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(target) if isinstance(node, ast.Name)}
