"""Layers that were frozen and are trained after all."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from pipeline.measures.delivery.code import Code
from pipeline.measures.delivery.findings import Finding, Found, missing
from pipeline.measures.delivery.network.known import frozen_line

_HEADS = re.compile(
    r"(^|[._])(fc|head|heads|classifier|top|output|outputs|regressor|projection|decoder|linear)(_|\b|\d)"
)
"""New layers on top of a known network: they are to learn."""

_COUNTS = r"fine_?tuned?_layers|unfrozen_layers|(n|num)_(trainable|unfrozen)_layers"


def is_set_free(code: Code) -> Finding | None:
    """The line from which on frozen layers learn; None where none do, or none of them is set free by its number."""
    start = frozen_line(code)
    if start is None or any(item.value == 0 for item in code.values(_COUNTS)):
        return None
    for change in sorted(_changes(code), key=lambda item: item.line or 0):
        is_later = change.line is not None and change.line > start
        if is_later and change.value is not False and not _HEADS.search(change.name):
            return missing("frozen at first, then trained further", change.line)
    return None


def _changes(code: Code) -> Iterator[Found]:
    """What is set to learn or not to, named after whose it is: `backbone`, `model.fc.parameters()`."""
    for setting in code.settings:
        if setting.name in ("trainable", "requires_grad"):
            yield Found(setting.value, setting.line, _owner(setting.name, setting.line, code))
    for node in code.nodes_of(ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr == "requires_grad_":
            given = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else True
            yield Found(given, node.lineno, f"{ast.unparse(node.func.value)} {_looped(node.lineno, code)}")


def _owner(name: str, line: int, code: Code) -> str:
    for node in code.nodes_of(ast.Attribute):
        if node.attr == name and node.lineno == line and isinstance(node.ctx, ast.Store):
            return f"{ast.unparse(node.value)} {_looped(line, code)}"
    return ""


def _looped(line: int, code: Code) -> str:
    """What the loops around a line go through."""
    around = [loop.node for loop in code.loops if loop.node.lineno < line <= (loop.node.end_lineno or 0)]
    return " ".join(ast.unparse(node.iter) for node in around)
