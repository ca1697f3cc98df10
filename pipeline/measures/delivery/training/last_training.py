"""What watches a training and does not watch its last part: `fit` is called twice, or there are two loops."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from pipeline.analysis.torch_code.loops import ends_early
from pipeline.analysis.values import Call, Loop, Unknown
from pipeline.measures.delivery.code import Code
from pipeline.measures.delivery.findings import Finding, missing
from pipeline.measures.delivery.sight import called_name
from pipeline.syntax import walk

_CALLBACKS = {
    "early_stopping": ("EarlyStopping",),
    "checkpoint": ("ModelCheckpoint", "BackupAndRestore"),
    "schedule": ("ReduceLROnPlateau",),
}
"""By a constraint's name, Keras' classes. A scheduler's rates are those of one training: fine-tuning has its own."""


def lacks_at_the_end(name: str, code: Code) -> Finding | None:
    """Not met where an earlier part of the training has it and the last one does not; None else, or where it cannot
    be told what a part is handed."""
    if code.torch is not None:
        return _in_loops(name, code.training_loops)
    parts = code.fits_of_main_model
    if len({fit.line for fit in parts}) < 2 or _is_given_callbacks(parts[-1], name) is not False:
        return None
    first = next((fit for fit in parts if _is_given_callbacks(fit, name)), None)
    if first is None or parts[-1].line in _open_fits(code):
        return None
    return missing(f"only in the fit of line {first.line}, not in the last one", parts[-1].line)


def _is_given_callbacks(fit: Call, name: str) -> bool | None:
    """None where nothing tells."""
    given = fit.keywords.get("callbacks")
    if given is None:
        return False
    if not isinstance(given, list | tuple):
        return None
    if any(isinstance(item, Call) and item.name in _CALLBACKS[name] for item in given):
        return True
    return None if any(item is Unknown.ANY for item in given) else False


def _open_fits(code: Code) -> set[int]:
    """Lines of calls of `fit` that are handed `**options` which may hold anything."""
    lines: set[int] = set()
    for node in code.nodes_of(ast.Call):
        if called_name(node) == "fit" and any(keyword.arg is None for keyword in node.keywords):
            lines.add(node.lineno)
    return lines


def _in_loops(name: str, loops: Sequence[Loop]) -> Finding | None:
    """Of loops over epochs that stand one after the other and step the same optimizer."""
    nodes = {loop.node.lineno: loop.node for loop in loops}
    ordered = [nodes[line] for line in sorted(nodes)]
    if len(ordered) < 2:
        return None
    last = ordered[-1]
    siblings = [node for node in ordered[:-1] if _is_before(node, last) and _stepped(node) & _stepped(last)]
    if not siblings or _has(name, last):
        return None
    first = next((node for node in siblings if _has(name, node)), None)
    if first is None:
        return None
    return missing(f"only in the loop of line {first.lineno}, not in the last one", last.lineno)


def _is_before(node: ast.For | ast.AsyncFor, last: ast.For | ast.AsyncFor) -> bool:
    return node.col_offset == last.col_offset and (node.end_lineno or 0) < last.lineno


def _stepped(node: ast.AST) -> set[str]:
    """The optimizers, by name, and the functions called: two loops that share one train the same network."""
    shared: set[str] = set()
    for part in walk(node):
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute) and part.func.attr == "step":
            owner = ast.unparse(part.func.value)
            if "sched" not in owner:
                shared.add(owner)
        elif isinstance(part, ast.Call) and isinstance(part.func, ast.Name) and "train" in part.func.id:
            shared.add(part.func.id)
    return shared


def _has(name: str, loop: ast.For | ast.AsyncFor) -> bool:
    if name == "early_stopping":
        return ends_early(loop) is not None
    for part in walk(loop):
        if not isinstance(part, ast.Call) or not isinstance(part.func, ast.Attribute):
            continue
        owner = ast.unparse(part.func.value)
        if name == "checkpoint" and part.func.attr == "save":
            return True
        if name == "schedule" and part.func.attr == "step" and "sched" in owner.lower():
            return True
    return False
