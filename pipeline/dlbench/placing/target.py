"""Which definition a task means, and where its text stands in its file."""

from __future__ import annotations

import ast
import difflib
import re
from dataclasses import dataclass

from pipeline.analysis.parsing import parsed
from pipeline.dlbench.task import Trap, TrapKind
from pipeline.errors import StageFailure

NOT_PLACED = "not_placed"
"""The kind of failure of a candidate, or a task, whose place cannot be found."""

Definition = ast.FunctionDef | ast.AsyncFunctionDef

_CLOSE = 0.84
"""How alike a name must be to be a misspelling: of eight letters one may differ, or two exchanged."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """A definition in a file."""

    qualified_name: str
    """As `Class.method` or `outer.inner`."""

    node: Definition

    first_line: int
    """Of its `def`, decorators not included; from 1."""

    last_line: int
    """Its last one, included."""

    indent: str
    """What stands before its `def`."""

    text: str
    """From the `def` to the end, as it stands in the file, without decorators."""

    in_class: bool
    """Whether it stands in a class: its first argument is then the object, unless it is a static method."""

    outermost_line: int
    """Where the statement of the module begins that holds it, decorators included."""

    traps: tuple[Trap, ...] = ()
    """What was wrong with the name as written."""


@dataclass(frozen=True, slots=True)
class _Found:
    name: str
    node: Definition
    in_class: bool
    nested: bool
    outermost: ast.stmt


def find_target(source: str, class_name: str, function: str, line: int = 0) -> Target:
    """The target of that name. Raises StageFailure (`not_placed`) where there is none or nothing tells which."""
    tree = parsed(source)
    if tree is None:
        raise StageFailure(NOT_PLACED, "the target's file is no Python program")
    definitions = _definitions(tree)
    wanted = f"{class_name}.{function}" if class_name else function
    matching = [found for found in definitions if found.name == wanted]
    traps: list[Trap] = []
    if not matching:
        # The name alone, or with a class further out.
        matching = [found for found in definitions if found.name.endswith(f".{wanted}")]
    if not matching and class_name:
        matching = [found for found in definitions if found.name.rpartition(".")[2] == function]
        if len({found.name for found in matching}) > 1:
            matching = []
    if not matching:
        matching = _misspelt(definitions, wanted, traps)
    if not matching:
        raise StageFailure(NOT_PLACED, f"there is no {wanted} in the target's file")
    chosen = _choose(matching, wanted, line, traps)
    if chosen.nested:
        traps.append(Trap(kind=TrapKind.NESTED, message=chosen.name))
    elif chosen.in_class and not class_name:
        traps.append(Trap(kind=TrapKind.WITHOUT_CLASS, message=chosen.name))
    return _target(source, chosen, traps)


def names_in(source: str) -> set[str]:
    """The qualified names of all functions of a file; none of what is no program."""
    tree = parsed(source)
    return set() if tree is None else {found.name for found in _definitions(tree)}


def _definitions(tree: ast.Module) -> list[_Found]:
    """All functions in the order of the file. A chain of `elif` is as deep as it is long, so nothing calls itself."""
    found: list[_Found] = []
    waiting: list[tuple[ast.AST, str, bool, bool, ast.stmt | None]] = [(tree, "", False, False, None)]
    while waiting:
        node, prefix, in_class, nested, outermost = waiting.pop()
        if outermost is None and isinstance(node, ast.stmt):
            outermost = node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert outermost is not None
            found.append(_Found(prefix + node.name, node, in_class, nested, outermost))
            prefix, in_class, nested = f"{prefix}{node.name}.", False, True
        elif isinstance(node, ast.ClassDef):
            prefix, in_class = f"{prefix}{node.name}.", True
        inner = [child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.expr)]
        waiting += [(child, prefix, in_class, nested, outermost) for child in reversed(inner)]
    return found


def _misspelt(definitions: list[_Found], wanted: str, traps: list[Trap]) -> list[_Found]:
    """The one definition that is called nearly so."""

    def plain(name: str) -> str:
        return re.sub(r"[^a-z0-9.]", "", name.lower())

    by_plain: dict[str, list[_Found]] = {}
    for found in definitions:
        by_plain.setdefault(plain(found.name), []).append(found)
        by_plain.setdefault(plain(found.name.rpartition(".")[2]), []).append(found)
    close = difflib.get_close_matches(plain(wanted), by_plain, n=3, cutoff=_CLOSE)
    candidates: list[_Found] = []
    for name in close:
        candidates += [found for found in by_plain[name] if found not in candidates]
    exact = by_plain.get(plain(wanted), [])
    candidates = exact or candidates
    if not candidates or len({found.name for found in candidates}) > 1:
        return []
    traps.append(Trap(kind=TrapKind.MISSPELT, message=f"{wanted}, taken for {candidates[0].name}"))
    return candidates


def _choose(matching: list[_Found], wanted: str, line: int, traps: list[Trap]) -> _Found:
    """One of several: signatures for type checkers are none; then a plain function before a method; then what stands at
    the line; a property's getter before its setter; and of what replaces one another the last."""
    real = [found for found in matching if not _decorated(found.node, "overload")] or matching
    outer = [found for found in real if not found.nested] or real
    at_module = [found for found in outer if not found.in_class] or outer
    names = {found.name for found in at_module}
    if line:
        there = [found for found in real if first_decorated_line(found.node) <= line <= (found.node.end_lineno or 0)]
        if there:
            return max(there, key=lambda found: found.node.lineno)
    if len(names) > 1:
        raise StageFailure(NOT_PLACED, f"{wanted} may be {', '.join(sorted(names))}: the task names no class")
    if len(at_module) > 1:
        getters = [found for found in at_module if _decorated(found.node, "property", "cached_property")]
        if getters:
            return getters[0]
        without = [found for found in at_module if not _decorated(found.node, "setter", "deleter", "register")]
        if without and len(without) < len(at_module):
            return without[-1]
        lines = ", ".join(str(found.node.lineno) for found in at_module)
        if line:
            return min(at_module, key=lambda found: abs(found.node.lineno - line))
        traps.append(Trap(kind=TrapKind.AMBIGUOUS, message=f"lines {lines}; the last one is taken"))
    return at_module[-1]


def _decorated(node: Definition, *names: str) -> bool:
    for decorator in node.decorator_list:
        expression = decorator.func if isinstance(decorator, ast.Call) else decorator
        last = expression.attr if isinstance(expression, ast.Attribute) else getattr(expression, "id", "")
        if last in names:
            return True
    return False


def first_decorated_line(node: ast.stmt) -> int:
    """The line that a statement begins in, its decorators included."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _target(source: str, found: _Found, traps: list[Trap]) -> Target:
    lines = lines_of(source)
    node = found.node
    end = node.end_lineno or node.lineno
    first = lines[node.lineno - 1]
    return Target(
        qualified_name=found.name,
        node=node,
        first_line=node.lineno,
        last_line=end,
        indent=first[: len(first) - len(first.lstrip(" \t\f"))],
        text="".join(lines[node.lineno - 1 : end]),
        in_class=found.in_class,
        outermost_line=first_decorated_line(found.outermost),
        traps=tuple(traps),
    )


def lines_of(source: str) -> list[str]:
    """The lines with their ends, as Python counts them: a form feed or a separator of Unicode ends none."""
    return re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z", source)
