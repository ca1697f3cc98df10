"""One walk through a program: its words, texts and named values, and the statements and expressions that checks ask for.

The walk is what looking a request up costs most, so it visits no more than it must: what cannot hold anything of
interest (operators, contexts) is passed by, and names, which are half of a program, are read where they stand.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import Any

from pipeline.analysis.calls import ProjectTrace
from pipeline.analysis.values import is_constant
from pipeline.measures.delivery.findings import Found, spaced
from pipeline.syntax import FIELDS, walk

_LONGEST_TEXT = 300

# What is given to these is shown to people: a title of a plot is no column.
_SHOWS = re.compile(r"print|(set_)?(title|xlabel|ylabel)|suptitle|text|annotate|legend|write|info|warning|set")

KEPT = frozenset(
    {ast.Attribute, ast.AugAssign, ast.BinOp, ast.Call, ast.ClassDef, ast.Delete, ast.FunctionDef, ast.Subscript}
)
"""What checks look at by itself."""

_BINDING = frozenset({ast.Assign, ast.AnnAssign, ast.FunctionDef, ast.AsyncFunctionDef, ast.Dict})
"""What gives a constant a name."""

_FIELDS = {kind: tuple(reversed(names)) for kind, names in FIELDS.items()}
"""The fields of each kind of node in which further nodes may lie, the last one first."""

_WORDS = {
    ast.Attribute: "attr",
    ast.FunctionDef: "name",
    ast.AsyncFunctionDef: "name",
    ast.ClassDef: "name",
    ast.arg: "arg",
    ast.keyword: "arg",
}
"""Where the identifier of a node stands; those of names are read with their parent."""

_SHOWING = frozenset({ast.Call, ast.keyword})
_IMPORTING = frozenset({ast.Import, ast.ImportFrom})


@dataclass(slots=True)
class Sight:
    """What a walk through the syntax tree gathers."""

    words: dict[str, int] = field(default_factory=dict)
    """Every identifier in snake case, with its first line; imports do not count."""
    texts: list[Found] = field(default_factory=list)
    """String literals by line, but for docstrings and what is only shown."""
    named: list[Found] = field(default_factory=list)
    """Constants that a variable, a parameter's default or a key of a dict holds."""
    imports: dict[str, int] = field(default_factory=dict)
    """Top-level packages with the line of their first import."""
    nodes: dict[type[ast.AST], list[Any]] = field(default_factory=dict)
    """By kind, each by line."""


def see(tree: ast.Module, trace: ProjectTrace) -> Sight:
    """Walks through a module whose trace knows what its names hold."""
    sight = Sight(nodes={kind: [] for kind in KEPT})
    first_lines: dict[str, int] = {}  # of identifiers as they are written
    names: list[ast.Name] = []
    texts: list[ast.Constant] = []
    shown: set[int] = set()
    top_level = set(map(id, tree.body))
    waiting: list[Any] = [tree]
    while waiting:
        node = waiting.pop()
        kind: type[ast.AST] = type(node)
        if kind is ast.Expr and type(node.value) is ast.Constant:
            continue  # a docstring
        if kind in _WORDS:
            _note_word(getattr(node, _WORDS[kind]), node.lineno, first_lines)
        if kind in KEPT:
            sight.nodes[kind].append(node)
        if kind in _BINDING:
            _note_constants(node, trace if id(node) in top_level else None, sight)
        elif kind in _SHOWING and _is_shown(node) and id(node) not in shown:
            shown.update(map(id, walk(node)))
        elif kind in _IMPORTING:
            _note_imports(node, sight)
            continue
        for part in _FIELDS[kind]:
            value = getattr(node, part)
            # The last one first: what lies on top of the stack comes next.
            for child in reversed(value) if type(value) is list else (value,):
                if type(child) is ast.Name:
                    names.append(child)
                elif type(child) is ast.Constant:
                    if type(child.value) is str and len(child.value) <= _LONGEST_TEXT:
                        texts.append(child)
                elif isinstance(child, ast.AST):
                    waiting.append(child)
    for name in names:
        if name.lineno < first_lines.get(name.id, name.lineno + 1):
            first_lines[name.id] = name.lineno
    for word, line in first_lines.items():
        _note_word(spaced(word), line, sight.words)
    texts.sort(key=lambda text: (text.lineno, text.col_offset))
    sight.texts += [Found(text.value, text.lineno) for text in texts if id(text) not in shown]
    for nodes in sight.nodes.values():
        nodes.sort(key=lambda node: node.lineno)
    return sight


def _note_word(word: str | None, line: int, first_lines: dict[str, int]) -> None:
    if word and line < first_lines.get(word, line + 1):
        first_lines[word] = line


def _is_shown(node: ast.Call | ast.keyword) -> bool:
    if isinstance(node, ast.keyword):
        return node.arg in ("label", "title")
    return _SHOWS.fullmatch(called_name(node)) is not None


def called_name(node: ast.Call) -> str:
    """The last name of what is called: "fit" of `model.fit(...)`; "" of a call of anything else."""
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _note_imports(node: ast.Import | ast.ImportFrom, sight: Sight) -> None:
    names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
    for name in names:
        sight.imports.setdefault(name.partition(".")[0], node.lineno)


def _note_constants(node: ast.AST, trace: ProjectTrace | None, sight: Sight) -> None:
    """Notes what an assignment, a parameter's default or a key of a dict holds; of a module's name, its last value."""
    if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            if isinstance(target, ast.Name):
                known = None if trace is None else trace.names.get(target.id)
                _note_named(target.id, node.value, known, sight)
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        parameters = [*node.args.posonlyargs, *node.args.args]
        for parameter, default in zip(reversed(parameters), reversed(node.args.defaults), strict=False):
            _note_named(parameter.arg, default, None, sight)
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                _note_named(key.value, value, None, sight)


def _note_named(name: str, node: ast.expr, known: object, sight: Sight) -> None:
    value = known
    if not is_plain(value):
        value = _literal(node)
    if is_plain(value):
        sight.named.append(Found(value, node.lineno, name))


def is_plain(value: object) -> bool:
    """Whether it is a constant that has a value and is neither bytes nor a dict."""
    return value is not None and not isinstance(value, bytes | dict) and is_constant(value)


def _literal(node: ast.expr) -> object:
    """The value of a constant, with its sign, or of a short flat sequence of constants; None for all else."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
        value = node.operand.value
        return -value if isinstance(value, int | float) else None
    if isinstance(node, ast.Tuple | ast.List):
        items = [element.value for element in node.elts if isinstance(element, ast.Constant)]
        if len(items) == len(node.elts):
            return items
    return None
