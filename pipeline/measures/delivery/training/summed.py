"""Losses that are trained on as a sum with others."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from pipeline.analysis.values import Call
from pipeline.measures.delivery.code import Code
from pipeline.measures.delivery.findings import Finding, missing, spaced
from pipeline.syntax import walk

_LOSSES = {
    "cross-entropy": r"cross_?entropy|(^|_)bce|(^|_)ce(_|$)|(^|_)nll",
    "dice": "dice",
    "focal": "focal",
    "jaccard": r"jaccard|tversky|(^|_)iou_loss",
    "mse": r"(^|_)mse(_|$|loss)|mean_squared_error|squared_difference",
    "mae": r"(^|_)mae(_|$)|mean_absolute_error|(^|_)l1_?loss",
    "huber": r"huber|smooth_?l1",
    "ssim": "ssim",
}
"""By a loss's name, what identifiers of it look like in snake case."""

_ASKS_FOR_SUM = re.compile(r"combin|hybrid|mixed|mixture|weighted|\bsum\b|plus|\+|together", re.I)


def is_summed(loss: str, words: str, code: Code) -> Finding | None:
    """The line where the loss is added to another one; None where it stands alone, or the request's words around it
    ask for a sum. Generator and discriminator have sums of their own."""
    wanted = "cross-entropy" if "crossentropy" in loss else loss
    if wanted not in _LOSSES or _ASKS_FOR_SUM.search(words):
        return None
    if code.word("discriminator|critic") is not None or code.outputs > 1:
        return None
    for node in code.nodes_of(ast.BinOp):
        if not isinstance(node.op, ast.Add | ast.Sub):
            continue
        terms = [_kinds(term, code) for term in _terms(node)]
        others = [kinds - {wanted} for kinds in terms if kinds and wanted not in kinds]
        if others and any(wanted in kinds for kinds in terms):
            return missing(f"a sum with {min(others[0])}", node.lineno)
    return None


def _terms(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        yield from _terms(node.left)
        yield from _terms(node.right)
    else:
        yield node


def _kinds(term: ast.expr, code: Code) -> set[str]:
    """The losses that a term names, by itself or by what its names hold."""
    names: list[str] = []
    for part in walk(term):
        if isinstance(part, ast.Name):
            names.append(part.id)
            held = code.trace.names.get(part.id)
            if isinstance(held, Call):
                names.append(held.name)
        elif isinstance(part, ast.Attribute):
            names.append(part.attr)
    text = [spaced(name) for name in names]
    return {loss for loss, pattern in _LOSSES.items() if any(re.search(pattern, name) for name in text)}
