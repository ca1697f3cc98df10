"""By what and how often the learning rate falls: arguments of schedules, and functions of the project that set it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from pipeline.measures.delivery.code import Check, Code
from pipeline.measures.delivery.findings import Finding, Found, is_known, missing, one_of
from pipeline.request.constraints import Constraint

_FACTORS = {
    "StepLR": (2, "gamma", 0.1),
    "MultiStepLR": (2, "gamma", 0.1),
    "ExponentialLR": (1, "gamma", None),
    "ReduceLROnPlateau": (None, "factor", 0.1),
    "ExponentialDecay": (2, "decay_rate", None),
    "InverseTimeDecay": (2, "decay_rate", None),
}
"""By a schedule's name: where its factor stands, under which keyword, and what it is by default."""

_NAMES_RATE = re.compile(r"decay|schedule|(^|_)(lr|rate)(_|$)")
"""In the names of functions that set the rate."""


def _in_own_functions(code: Code, operator: type[ast.operator]) -> Iterator[Found]:
    """Constants that an operator joins in functions that set the rate: the 0.5 of `rate * 0.5`, the 10 of `epoch % 10`."""
    for function in code.nodes_of(ast.FunctionDef):
        if not _NAMES_RATE.search(function.name):
            continue
        for node in ast.walk(function):
            if not isinstance(node, ast.BinOp) or not isinstance(node.op, operator):
                continue
            for side in (node.left, node.right):
                if isinstance(side, ast.Constant) and is_known(side.value):
                    yield Found(side.value, node.lineno)


def _factor(constraint: Constraint, code: Code) -> Finding:
    values: list[Found] = []
    for call in code.calls_named("|".join(_FACTORS)):
        place, keyword, default = _FACTORS[call.name]
        given = call.keywords.get(keyword)
        if given is None and place is not None and len(call.args) > place:
            given = call.args[place]
        values.append(Found(default if given is None else given, call.line))
    values += _in_own_functions(code, ast.Mult)
    values += code.values("(lr_|rate_)?decay(_factor|_rate)?|lr_(factor|gamma)")
    return one_of([item for item in values if is_known(item.value)], constraint.value, missing("no factor set"))


def _every(constraint: Constraint, code: Code) -> Finding:
    values = [Found(call.argument(1, "step_size"), call.line) for call in code.calls_named("StepLR")]
    values += _in_own_functions(code, ast.Mod)
    values += _in_own_functions(code, ast.FloorDiv)
    values += code.values("(lr_|rate_)?(decay|drop|step)_(every|epochs|size)|epochs_drop")
    return one_of([item for item in values if is_known(item.value)], constraint.value, missing("no such rhythm"))


CHECKS: dict[str, Check] = {"decay_factor": _factor, "decay_every": _every}
