"""The training of a PyTorch script: its optimizer, its step, its loop over epochs, and the history that it keeps."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.generate.parts.script import Script, name_of
from pipeline.syntax import walk

_LOWER_IS_BETTER = re.compile(r"loss|error|mae|mse|rmse|distance|perplexity")


@dataclass(frozen=True, slots=True)
class Step:
    """The statements in which one batch is learned from."""

    body: Sequence[ast.stmt]
    """Those around, of the loop over batches."""
    forward: int
    """Where in the body the network is called first."""
    loss_at: int
    """Where the loss is computed, at last."""
    backward: int
    """Where gradients are computed, of `loss.backward()`."""
    update: int
    """Where the optimizer takes its step."""
    loss: str
    """The name of the loss that gradients are computed of."""
    batches: str
    """Code for what the loop over batches goes through; "" where no such loop is around."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A value that the history has for each epoch."""

    values: str
    """Code for the list: `history["val_loss"]`."""
    is_loss: bool
    """Whether less is better."""


def optimizer_of(script: Script) -> tuple[ast.Assign, ast.Call] | None:
    """The statement that makes the only optimizer, outside of functions, and its call."""
    found: list[tuple[ast.Assign, ast.Call]] = []
    for statement in script.tree.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call):
            call = statement.value
            if re.search(r"\boptim\.[A-Z]\w+$", ast.unparse(call.func)):
                found.append((statement, call))
    return found[0] if len(found) == 1 and isinstance(found[0][0].targets[0], ast.Name) else None


def schedule_of(script: Script) -> tuple[ast.Assign, ast.Call] | None:
    """The statement that makes the schedule of the learning rate, outside of functions, and its call."""
    for statement in script.tree.body:
        value = statement.value if isinstance(statement, ast.Assign) else None
        if isinstance(statement, ast.Assign) and isinstance(value, ast.Call) and "lr_scheduler." in ast.unparse(value):
            return statement, value
    return None


def assigned_name(statement: ast.Assign) -> str:
    """The name that a statement gives a value to; "" for anything else."""
    target = statement.targets[0]
    return target.id if isinstance(target, ast.Name) else ""


def training_step(script: Script) -> Step | None:
    """The only step of the script; None for none, or for several, as of a GAN."""
    steps = list(_steps(script.tree))
    return steps[0] if len(steps) == 1 else None


def _steps(tree: ast.AST) -> Iterator[Step]:
    for node in walk(tree):
        for body in (getattr(node, "body", None), getattr(node, "orelse", None)):
            if isinstance(body, list) and (step := _step_of(body, _batches(node))) is not None:
                yield step


def _batches(node: ast.AST) -> str:
    return ast.unparse(node.iter).replace("'", '"') if isinstance(node, ast.For) else ""


def _step_of(body: Sequence[ast.stmt], batches: str) -> Step | None:
    loss, backward, update = "", -1, -1
    for number, statement in enumerate(body):
        call = _method(statement)
        if call is None:
            continue
        if call.attr == "backward" and isinstance(call.value, ast.Name):
            loss, backward = call.value.id, number
        elif call.attr == "step" and backward >= 0 and update < 0:
            update = number
    if backward < 0 or update < 0:
        return None
    given = [number for number, statement in enumerate(body[:backward]) if loss in _names_given(statement)]
    for number, statement in enumerate(body[:backward]):
        if given and any(isinstance(node, ast.Call) and name_of(node) == "model" for node in walk(statement)):
            return Step(body, number, given[-1], backward, update, loss, batches)
    return None


def _names_given(statement: ast.stmt) -> set[str]:
    """The names that a statement gives values to."""
    return {node.id for node in walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def _method(statement: ast.stmt) -> ast.Attribute | None:
    """`loss.backward` of the statement `loss.backward()`."""
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        function = statement.value.func
        return function if isinstance(function, ast.Attribute) else None
    return None


def epoch_loop(script: Script) -> ast.For | None:
    """The loop over EPOCHS, outside of functions."""
    for statement in script.tree.body:
        if isinstance(statement, ast.For) and "EPOCHS" in ast.unparse(statement.iter):
            return statement
    return None


def training_call(script: Script, loop: ast.For) -> tuple[ast.stmt, ast.Call] | None:
    """The statement of the loop that goes once through the training data, and its call."""
    for statement in loop.body:
        for node in walk(statement):
            if isinstance(node, ast.Call) and re.search(r"train", name_of(node)):
                return statement, node
    return None


def last_of_history(loop: ast.For) -> ast.stmt | None:
    """The last statement of the loop's body that adds to the history."""
    adding = [statement for statement in loop.body if re.search(r"\bhistory\b.*append\(", ast.unparse(statement))]
    return adding[-1] if adding else None


def watched(script: Script) -> Watched | None:
    """What tells whether an epoch was better: the loss on what is held out, another value of it, or the loss."""
    history = script.assigned("history")
    if not isinstance(history, ast.Dict):
        return None
    names = [str(key.value) for key in history.keys if isinstance(key, ast.Constant)]
    held_out = [name for name in names if name.startswith("val")]
    ordered = sorted(held_out, key=lambda name: "loss" not in name) or [name for name in names if "loss" in name]
    if not ordered:
        return None
    return Watched(f'history["{ordered[0]}"]', _LOWER_IS_BETTER.search(ordered[0]) is not None)
