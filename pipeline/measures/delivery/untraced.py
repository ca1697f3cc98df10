"""Calls that no trace came by: in loops over what is empty as far as reading tells, and in branches not taken."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from pipeline.analysis.call_text import call_text
from pipeline.analysis.calls import ProjectTrace
from pipeline.analysis.keras_names import is_layer
from pipeline.analysis.values import Call, LayerUse, Reference, Unknown, is_constant

_LONGEST_PATH = 12  # names in `a.b.c(...)`


def untraced_calls(nodes: Iterable[ast.Call], traces: Iterable[ProjectTrace]) -> Iterator[Call]:
    """The calls of imported names and of methods whose line no trace has under that name. Arguments are known where
    they are constants or names of the module."""
    names: dict[str, object] = {}
    traced: set[tuple[int | None, str]] = set()
    for trace in traces:
        names |= trace.names
        traced |= {(call.line, call.name) for call in trace.calls}
    for node in nodes:
        path = _path(node.func, names)
        if not path or (node.lineno, path.rpartition(".")[2]) in traced:
            continue
        args = tuple(_value(arg, names) for arg in node.args)
        keywords = {keyword.arg: _value(keyword.value, names) for keyword in node.keywords if keyword.arg is not None}
        layer: LayerUse | None = None
        if is_layer(path):
            name = path.rpartition(".")[2]
            layer = LayerUse(name, call_text(name, args, keywords), node.lineno)
        yield Call(path, args, keywords, layer, line=node.lineno)


def _path(node: ast.expr, names: dict[str, object]) -> str:
    """The full path of an imported name; of a method its name; "" for what the project or Python itself defines."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute) and len(parts) < _LONGEST_PATH:
        parts.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name):
        value = names.get(node.id)
        if isinstance(value, Reference):
            return ".".join([value.path, *reversed(parts)])
    return parts[0] if parts else ""


def _value(node: ast.expr, names: dict[str, object]) -> object:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        value = names.get(node.id)
        return value if value is not None and is_constant(value) else Unknown.ANY
    if isinstance(node, ast.Tuple | ast.List):
        items = [_value(element, names) for element in node.elts if isinstance(element, ast.Constant | ast.Name)]
        return items if len(items) == len(node.elts) else Unknown.ANY
    return Unknown.ANY
