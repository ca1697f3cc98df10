"""The schedule of a Keras model's learning rate: a function of the project for each epoch, or a callback."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TypeGuard

from pipeline.generate.parts.script import Script, keyword_of
from pipeline.generate.parts.training import callback_list, monitored, with_callback, without_callback
from pipeline.request.constraints import Constraint

_RATES = {
    "step": (
        "step_decay",
        "The rate falls in steps, after so many epochs each time.",
        "LEARNING_RATE * DECAY_FACTOR ** (epoch // DECAY_EVERY)",
    ),
    "exponential": (
        "exponential_decay",
        "A little less with every epoch.",
        "LEARNING_RATE * DECAY_FACTOR**epoch",
    ),
    "cosine": (
        "cosine_decay",
        "From the full rate to nothing, along half a cosine.",
        "LEARNING_RATE * 0.5 * (1 + math.cos(math.pi * epoch / EPOCHS))",
    ),
    "polynomial": (
        "polynomial_decay",
        "From the full rate to nothing, in a straight line.",
        "LEARNING_RATE * (1 - epoch / EPOCHS)",
    ),
    "warmup": (
        "warmup_rate",
        "Up to the full rate over the first epochs.",
        "LEARNING_RATE * min(1.0, (epoch + 1) / WARMUP_EPOCHS)",
    ),
}
"""By a schedule's name: the function's name, what it does, and the rate as an expression."""

_CONSTANTS = {
    "step": "DECAY_FACTOR = 0.1\nDECAY_EVERY = 10  # epochs\n\n\n",
    "exponential": "DECAY_FACTOR = 0.95\n\n\n",
    "warmup": "WARMUP_EPOCHS = 5  # in which the rate grows\n\n\n",
}
"""What the rates are made of besides."""


def schedule(script: Script, constraint: Constraint) -> Script | None:
    """Another one that watches the rate goes."""
    settable = _with_settable_rate(script)
    if settable is None:
        return None
    script = settable
    if constraint.value == "reduce_on_plateau":
        return with_callback(script, f"keras.callbacks.ReduceLROnPlateau({monitored(script)}factor=0.5, patience=3)")
    if constraint.value not in _RATES:
        return None
    name, says, rate = _RATES[constraint.value]
    fit = script.model_call("fit")
    if fit is None or any(known in rate and script.assigned(known) is None for known in ("LEARNING_RATE", "EPOCHS")):
        return None
    constants = _CONSTANTS.get(constraint.value, "")
    there = _rate_function(script)
    if constraint.value == "warmup" and there is not None:
        return _with_warmup(script, there, constants)
    lines = f'{constants}def {name}(epoch, rate):\n    """{says}"""\n    return {rate}\n\n\n'
    # Before what names it: callbacks may stand in a list or in options above the call.
    callbacks = callback_list(script)
    place: ast.AST = fit if callbacks is None or callbacks.lineno > fit.lineno else callbacks
    changed = without_callback(script.with_lines_before(place, lines), "ReduceLROnPlateau")
    if "math." in rate:
        changed = changed.with_import("import math")
    return with_callback(changed, f"keras.callbacks.LearningRateScheduler({name})")


def _with_settable_rate(script: Script) -> Script | None:
    """With a number as the optimizer's rate: callbacks cannot set that of a schedule object, which goes."""
    optimizer = script.compiled("optimizer")
    rate = keyword_of(optimizer, "learning_rate") if isinstance(optimizer, ast.Call) else None
    made = script.assigned(rate.id) if isinstance(rate, ast.Name) else rate
    if made is None or "schedules." not in ast.unparse(made):
        return script
    statement = script.statement_of(made)
    if script.assigned_first("LEARNING_RATE") is None or rate is None or not isinstance(statement, ast.Assign):
        return None
    before = script.source.split("\n")[: statement.lineno - 1]
    script = script.replaced(rate, "LEARNING_RATE").without_lines(statement)
    comments = [line for line in before[-3:] if line.startswith("# The rate")]
    return Script(script.source.replace(f"{comments[0]}\n", "", 1)) if comments else script


def _rate_function(script: Script) -> ast.FunctionDef | None:
    """The function of the project that gives each epoch its rate."""
    named = [call.args[0].id for call in script.calls("LearningRateScheduler") if _is_name(call.args)]
    for node in script.tree.body:
        if isinstance(node, ast.FunctionDef) and node.name in named:
            return node
    return None


def _is_name(arguments: Sequence[ast.expr]) -> TypeGuard[Sequence[ast.Name]]:
    return bool(arguments) and isinstance(arguments[0], ast.Name)


def _with_warmup(script: Script, function: ast.FunctionDef, constant: str) -> Script | None:
    """The rate of a schedule that is there grows first: a second scheduler would undo the first one's."""
    returned = function.body[-1]
    if not isinstance(returned, ast.Return) or returned.value is None or script.binds("WARMUP_EPOCHS"):
        return None
    grown = f"{script.text(returned.value)} * min(1.0, (epoch + 1) / WARMUP_EPOCHS)"
    return script.replaced(returned.value, grown).with_lines_before(function, constant)


def schedule_setting(script: Script, constraint: Constraint) -> Script | None:
    """A number of the schedule that is there: how long the rate grows, by what and how often it falls."""
    if constraint.number is None:
        return None
    value = constraint.value if constraint.name == "decay_factor" else str(int(constraint.number))
    known = script.assigned(constraint.name.upper())
    if known is not None:
        return script.replaced(known, value)
    arguments = {"plateau_patience": "patience", "decay_factor": "factor"}
    plateaus = script.calls("ReduceLROnPlateau")
    if not plateaus or constraint.name not in arguments:
        return None
    return script.with_keyword(plateaus[0], arguments[constraint.name], value)
