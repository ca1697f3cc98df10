"""A call as one line of source, with constants in the place of the names that hold them."""

from __future__ import annotations

import ast

from pipeline.analysis.values import LONGEST, Call, Function, Reference, is_constant


def call_text(name: str, args: tuple[object, ...], keywords: dict[str, object], node: ast.Call | None = None) -> str:
    """The call of `name`; what is not known is written as in `node`, or as "..." where that does not show it.

    `Conv2D(filters, (SIZE, SIZE), padding="same")` -> "Conv2D(16, (3, 3), padding='same')"
    """
    named = {keyword.arg: keyword.value for keyword in node.keywords} if node is not None else {}
    parts = [_text(value, source) for value, source in zip(args, _sources(args, node), strict=True)]
    parts += [f"{key}={_text(value, named.get(key))}" for key, value in keywords.items()]
    text = f"{name}({', '.join(parts)})"
    return text if len(text) <= LONGEST else f"{name}(...)"


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
        if isinstance(source, ast.Call | ast.Name | ast.Attribute):
            inner = source if isinstance(source, ast.Call) else None
            return call_text(_short(value.path), value.args, value.keywords, inner)
    if isinstance(value, Reference):
        return _short(value.path)
    if isinstance(value, Function) and not isinstance(value.node, ast.Lambda):
        return value.node.name
    if isinstance(value, tuple | list) and isinstance(source, ast.Tuple | ast.List) and len(value) == len(source.elts):
        parts = ", ".join(_text(item, element) for item, element in zip(value, source.elts, strict=True))
        if isinstance(value, list):
            return f"[{parts}]"
        return f"({parts},)" if len(value) == 1 else f"({parts})"
    return "..." if source is None else ast.unparse(source)


def _short(path: str) -> str:
    """The path as notebooks write it: "tensorflow.keras.regularizers.L2" -> "keras.regularizers.L2"."""
    if path.startswith("tensorflow."):
        path = path.removeprefix("tensorflow.")
        return path if path.startswith("keras.") else f"tf.{path}"
    return path
