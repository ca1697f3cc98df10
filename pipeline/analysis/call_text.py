"""A call as one line of source, with constants in the place of the names that hold them."""

from __future__ import annotations

import ast

from pipeline.analysis.values import Call, Function, Reference, is_constant


def call_text(name: str, args: tuple[object, ...], keywords: dict[str, object], node: ast.Call | None = None) -> str:
    """The call of `name`; what is not known is written as in `node`, or as "..." where that does not show it.

    `Conv2D(filters, (SIZE, SIZE), padding="same")` -> "Conv2D(16, (3, 3), padding='same')"
    """
    shown = node.args if node is not None and not any(isinstance(arg, ast.Starred) for arg in node.args) else []
    positional: list[ast.expr | None] = [*([None] * (len(args) - len(shown))), *shown][-len(args) :] if args else []
    named = {keyword.arg: keyword.value for keyword in node.keywords} if node is not None else {}
    parts = [_text(value, source) for value, source in zip(args, positional, strict=True)]
    parts += [f"{key}={_text(value, named.get(key))}" for key, value in keywords.items()]
    return f"{name}({', '.join(parts)})"


def _text(value: object, source: ast.expr | None) -> str:
    if is_constant(value):
        return repr(value)
    if isinstance(value, Call):
        return (
            value.layer.text if value.layer is not None else call_text(_short(value.path), value.args, value.keywords)
        )
    if isinstance(value, Reference):
        return _short(value.path)
    if isinstance(value, Function) and not isinstance(value.node, ast.Lambda):
        return value.node.name
    if isinstance(value, tuple | list):
        sources = source.elts if isinstance(source, ast.Tuple | ast.List) else []
        aligned: list[ast.expr | None] = [*sources] if len(sources) == len(value) else [None] * len(value)
        inner = ", ".join(_text(item, element) for item, element in zip(value, aligned, strict=True))
        return f"[{inner}]" if isinstance(value, list) else f"({inner},)" if len(value) == 1 else f"({inner})"
    return "..." if source is None else ast.unparse(source)


def _short(path: str) -> str:
    """The path as notebooks write it: "tensorflow.keras.regularizers.L2" -> "keras.regularizers.L2"."""
    if path.startswith("tensorflow."):
        path = path.removeprefix("tensorflow.")
        return path if path.startswith("keras.") else f"tf.{path}"
    return path
