"""A call as one line of source, with constants in the place of the names that hold them."""

from __future__ import annotations

import ast

from pipeline.analysis.values import LONGEST, Call, Function, Reference, is_constant


def call_text(name: str, args: tuple[object, ...], keywords: dict[str, object], node: ast.Call | None = None) -> str:
    """The call of `name`; what is not known is written as in `node`, or as "..." where that does not show it.

    `Conv2D(filters, (SIZE, SIZE), padding="same")` -> "Conv2D(16, (3, 3), padding='same')"
    """
    named: dict[str | None, ast.expr] = {}
    if node is not None:
        named = {keyword.arg: keyword.value for keyword in node.keywords}
    parts: list[str] = []
    for value, source in zip(args, _sources(args, node), strict=True):
        parts.append(_text(value, source))
    for key, value in keywords.items():
        parts.append(f"{key}={_text(value, named.get(key))}")
    text = f"{name}({', '.join(parts)})"
    if len(text) > LONGEST:
        return f"{name}(...)"
    return text


def _sources(args: tuple[object, ...], node: ast.Call | None) -> list[ast.expr | None]:
    """The expression that each positional argument stands as in `node`, None where that does not show it.

    The last ones belong together: `partial` puts further arguments before those of the call.
    """
    if node is None or not args or any(isinstance(arg, ast.Starred) for arg in node.args):
        return [None] * len(args)
    hidden = [None] * (len(args) - len(node.args))
    return [*hidden, *node.args][-len(args) :]


def _text(value: object, source: ast.expr | None) -> str:
    """The value as source. Goes no deeper than `source`: values share parts, and may be far larger than the code."""
    if is_constant(value):
        try:
            return repr(value)
        except ValueError:  # an integer of thousands of digits, which only hexadecimal source can hold
            return "..."
    if isinstance(value, Call):
        if value.layer is not None:
            return value.layer.text
        if isinstance(source, ast.Call):
            return call_text(_short(value.path), value.args, value.keywords, source)
        if isinstance(source, ast.Name | ast.Attribute):  # the call itself stands elsewhere
            return call_text(_short(value.path), value.args, value.keywords)
    if isinstance(value, Reference):
        return _short(value.path)
    if isinstance(value, Function) and not isinstance(value.node, ast.Lambda):
        return value.node.name
    if isinstance(value, tuple | list) and isinstance(source, ast.Tuple | ast.List) and len(value) == len(source.elts):
        parts = [_text(item, element) for item, element in zip(value, source.elts, strict=True)]
        if isinstance(value, tuple) and len(value) == 1:
            return f"({parts[0]},)"
        text = ", ".join(parts)
        return f"[{text}]" if isinstance(value, list) else f"({text})"
    if source is None:
        return "..."
    return ast.unparse(source)


def _short(path: str) -> str:
    """The path as notebooks write it: "tensorflow.keras.regularizers.L2" -> "keras.regularizers.L2"."""
    if path.startswith("tensorflow.keras."):
        return path.removeprefix("tensorflow.")
    if path.startswith("tensorflow."):
        return "tf." + path.removeprefix("tensorflow.")
    return path
