"""How often a training goes through its data where a loop is written by hand: GradientTape, `train_on_batch`, sessions."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from pipeline.analysis.torch_code.loops import functions_that_train, is_over_epochs, rounds_of, trains
from pipeline.analysis.training.given import Unread
from pipeline.analysis.values import Loop


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
        return Unread("the epochs of the training loop are given, but only running would tell how many", over_epochs[0].node.lineno)
    return None


def _within(line: int, loop: ast.stmt) -> bool:
    return loop.lineno < line <= (loop.end_lineno or 0)
