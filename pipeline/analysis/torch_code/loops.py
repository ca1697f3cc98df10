"""The loops of a training that is written by hand, of PyTorch, with a GradientTape or in a session: how often it goes
through the data, and what ends it early."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from pipeline.analysis.training.given import Unread
from pipeline.analysis.values import Call, Loop
from pipeline.syntax import walk

_EPOCH = re.compile(r"(^|_)(epochs?|ep)(_|$)|^e$")


_STEPS = frozenset({"apply_gradients", "backward", "train_on_batch"})
"""Methods that compute gradients or use them: of PyTorch, of a GradientTape's optimizer, of Keras."""
_TRAIN_OP = re.compile(r"train|optim|step|minimi", re.I)
"""What a session runs to train, by its name."""


def functions_in(tree: ast.Module) -> list[ast.AST]:
    """The functions and methods of a program."""
    return [node for node in walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def functions_that_train(functions: Iterable[ast.AST]) -> frozenset[str]:
    """Names of those of the functions in which, or in what they call, gradients are computed."""
    bodies: dict[str, list[ast.AST]] = {}
    for node in functions:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            bodies.setdefault(node.name, []).append(node)
    training: set[str] = set()
    grows = True
    while grows:
        more = {name for name, nodes in bodies.items() if any(trains(node, training) for node in nodes)}
        grows = more > training
        training |= more
    return frozenset(training)


def epoch_loops(loops: Iterable[Loop], training: frozenset[str]) -> list[Loop]:
    """The loops around a training that count, those over epochs by their name first."""
    around = [loop for loop in loops if rounds_of(loop) is not None and trains(loop.node, training)]
    named = [loop for loop in around if is_over_epochs(loop)]
    return named or around


def is_over_epochs(loop: Loop) -> bool:
    """Whether the name of what the loop counts says so."""
    return _EPOCH.search(_target(loop)) is not None


def rounds_of(loop: Loop) -> int | None:
    """How often the loop is gone through, `range` inside of tqdm too; None where that is not known."""
    items = loop.items
    if isinstance(items, Call) and items.args:
        items = items.args[0]
    return len(items) if isinstance(items, range) and len(items) else None


def ends_early(loop: ast.For | ast.AsyncFor) -> int | None:
    """The line of what ends the loop before its last round: a `break` of its own behind a condition."""
    for node in _own_statements(loop.body):
        if isinstance(node, ast.If) and any(isinstance(inner, ast.Break) for inner in _own_statements(node.body)):
            return node.lineno
    return None


def _own_statements(body: Iterable[ast.stmt]) -> Iterable[ast.stmt]:
    """The statements of a body and of the branches in it, those of inner loops and functions left out."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.If):
            yield from _own_statements([*statement.body, *statement.orelse])
        elif isinstance(statement, ast.With):
            yield from _own_statements(statement.body)


def _target(loop: Loop) -> str:
    names = [node.id for node in walk(loop.node.target) if isinstance(node, ast.Name)]
    return " ".join(names).lower()


def trains(node: ast.AST, training: Iterable[str]) -> bool:
    """Whether gradients are computed within the node, or in one of the functions that it calls."""
    names = frozenset(training)
    for inner in walk(node):
        if not isinstance(inner, ast.Call):
            continue
        function = inner.func
        if isinstance(function, ast.Attribute) and function.attr in _STEPS:
            return True
        if isinstance(function, ast.Attribute) and function.attr == "run" and _runs_train_op(inner):
            return True
        if isinstance(function, ast.Attribute):
            # `optimizer.step()` is not the project's function of that name.
            if function.attr in names and function.attr not in ("step", "forward", "__init__"):
                return True
        elif getattr(function, "id", "") in names:
            return True
    return False


def _runs_train_op(call: ast.Call) -> bool:
    """`session.run([train_op, loss], ...)`."""
    for node in walk(call.args[0]) if call.args else ():
        name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
        if _TRAIN_OP.search(name):
            return True
    return False


def training_loops(loops: Iterable[Loop], functions: Iterable[ast.AST]) -> list[Loop]:
    """Those of the loops around a step of the optimizer; `functions` are those of the program."""
    training = functions_that_train(functions)
    return [loop for loop in loops if trains(loop.node, training)]


def rounds(loops: Iterable[Loop]) -> int | Unread | None:
    """The epochs of training loops: of those over epochs by their name, or else of those around another one, the
    longest. None without any, as where each round takes one batch."""
    around = list(loops)
    over_epochs = [loop for loop in around if is_over_epochs(loop)]
    if not over_epochs:
        lines = [loop.node.lineno for loop in around]
        over_epochs = [loop for loop in around if any(_within(line, loop.node) for line in lines)]
    known = [count for loop in over_epochs if (count := rounds_of(loop)) is not None]
    if known:
        return max(known)
    if over_epochs:
        return Unread(
            "the epochs of the training loop are given, but only running would tell how many",
            over_epochs[0].node.lineno,
        )
    return None


def _within(line: int, loop: ast.stmt) -> bool:
    return loop.lineno < line <= (loop.end_lineno or 0)
