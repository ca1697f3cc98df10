"""Small wrong changes to a target, by rule: what tests that look closely should notice.

Operators as in mutation testing: another comparison, another arithmetic, a constant off by one, a condition turned
round, a statement left out. Some mutants compute the same as the original: a share of killed ones is a
lower bound.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.dlbench.placing.edits import is_docstring, reindented
from pipeline.dlbench.placing.target import Target, lines_of

_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<=",
    ast.LtE: "<",
    ast.Gt: ">=",
    ast.GtE: ">",
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.In: "not in",
    ast.NotIn: "in",
}
_ARITHMETIC: dict[type[ast.operator], str] = {
    ast.Add: "-",
    ast.Sub: "+",
    ast.Mult: "/",
    ast.Div: "*",
    ast.FloorDiv: "*",
    ast.Pow: "*",
    ast.MatMult: "*",
}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One such change."""

    about: str
    """What was changed, with its line in the definition."""

    text: str
    """The whole definition, without decorators and indentation."""


def mutants_of(target: Target, count: int) -> list[Mutant]:
    """At most so many mutants, evenly spread over the definition."""
    text = reindented(target.text, target.indent, "")
    node = ast.parse(text).body[0]
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    made: list[Mutant] = []
    for first, replacement, about in _changes(node):
        changed = _with(text, first, replacement)
        try:
            compile(ast.parse(changed), "mutant", "exec", dont_inherit=True)
        except SyntaxError:
            continue
        made.append(Mutant(f"line {first.lineno}: {about}", changed))
    if len(made) <= count:
        return made
    return [made[(2 * place + 1) * len(made) // (2 * count)] for place in range(count)]


def _changes(definition: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[ast.expr | ast.stmt, str, str]]:
    body = definition.body[1:] if is_docstring(definition.body[0]) else definition.body
    for statement in body:
        for node in ast.walk(statement):
            yield from _of_node(node)


def _of_node(node: ast.AST) -> Iterator[tuple[ast.expr | ast.stmt, str, str]]:
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _COMPARISONS:
        sign = _COMPARISONS[type(node.ops[0])]
        yield node, f"({ast.unparse(node.left)} {sign} {ast.unparse(node.comparators[0])})", f"comparison by {sign}"
    elif isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC and not isinstance(node.left, ast.Constant):
        sign = _ARITHMETIC[type(node.op)]
        yield node, f"(({ast.unparse(node.left)}) {sign} ({ast.unparse(node.right)}))", f"computed by {sign}"
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield node, repr(not node.value), f"not {node.value}"
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield node, repr(node.value + 1), f"{node.value} + 1"
    elif isinstance(node, ast.If | ast.IfExp | ast.While):
        yield node.test, f"(not ({ast.unparse(node.test)}))", "condition turned round"
    elif isinstance(node, ast.Assign | ast.AugAssign | ast.Expr) and not is_docstring(node):
        yield node, "pass", "statement left out"
    elif isinstance(node, ast.Return) and node.value is not None:
        yield node, "return None", "returns None"


def _with(text: str, node: ast.expr | ast.stmt, replacement: str) -> str:
    """The text with a node's span replaced."""
    lines = [line.encode() for line in lines_of(text)]
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    before = b"".join(lines[: node.lineno - 1]) + lines[node.lineno - 1][: node.col_offset]
    after = lines[node.end_lineno - 1][node.end_col_offset :] + b"".join(lines[node.end_lineno :])
    return (before + replacement.encode() + after).decode()
