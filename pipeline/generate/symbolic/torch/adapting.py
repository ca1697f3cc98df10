"""Notebooks in PyTorch: which they are, and their optimizer and loss set to a target's.

Constants are set as in any other notebook. Network and loop are the sample's own: a list of Keras layers says nothing
about a `forward`, so no layer is exchanged, and the loss only where the output stays what it is.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pipeline.generate.symbolic.constants import constant_edits
from pipeline.generate.symbolic.notebook import Notebook
from pipeline.generate.symbolic.statement import Edit, Statement
from pipeline.generate.symbolic.target import Target
from pipeline.syntax import walk
from pipeline.torch.facts import imports_torch, signature

_OPTIMIZERS = {"Nadam": "NAdam"}
"""Optimizers that PyTorch spells otherwise than `plan.vocabulary`."""

_NUMBER_LOSSES = {
    "mean_squared_error": "MSELoss",
    "mean_absolute_error": "L1Loss",
    "huber": "HuberLoss",
}
"""Losses of numbers, which fit any output that one of them fits."""

_OF_NUMBERS = frozenset({*_NUMBER_LOSSES.values(), "SmoothL1Loss"})

_SHARED_ARGUMENTS = ("weight_decay", "momentum", "betas", "eps", "nesterov")


def is_torch(notebook: Notebook) -> bool:
    """Whether a notebook imports PyTorch."""
    return any(imports_torch(statement.source) for statement in notebook.section("imports"))


def torch_edits(statement: Statement, target: Target, names: frozenset[str]) -> Iterator[Edit]:
    """What changes in a statement of a PyTorch notebook: constants, the optimizer's class, a loss of numbers. `names`
    are all constants of the project."""
    node = statement.node
    if isinstance(node, ast.Assign):
        yield from constant_edits(node, target, names)
    for call in walk(node):
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute | ast.Name):
            continue
        name = call.func.attr if isinstance(call.func, ast.Attribute) else call.func.id
        if signature(f"torch.optim.{name}") is not None and _takes_parameters(call):
            yield from _optimizer_edits(call, name, target)
        elif name in _OF_NUMBERS and isinstance(call.func, ast.Attribute) and not call.args:
            loss = _NUMBER_LOSSES.get(target.loss, name)
            if loss != name:
                yield call.func, f"{ast.unparse(call.func.value)}.{loss}"


def optimizer_class(name: str) -> str:
    """The class of `torch.optim` for an optimizer of `plan.vocabulary`; "" where PyTorch has none."""
    name = _OPTIMIZERS.get(name, name)
    return name if signature(f"torch.optim.{name}") is not None else ""


def _takes_parameters(call: ast.Call) -> bool:
    """Whether it is an optimizer of weights: a schedule is given one."""
    return (bool(call.args) and "param" in ast.unparse(call.args[0])) or any(one.arg == "lr" for one in call.keywords)


def _optimizer_edits(call: ast.Call, name: str, target: Target) -> Iterator[Edit]:
    """Another class, with those of its arguments that it has too; a rate in numbers becomes the target's."""
    wanted = optimizer_class(target.optimizer)
    rate = next((one.value for one in call.keywords if one.arg == "lr"), None)
    if isinstance(rate, ast.Constant) and target.learning_rate and rate.value != target.learning_rate:
        rate_text = repr(target.learning_rate)
    else:
        rate_text = "" if rate is None else ast.unparse(rate)
    if wanted and wanted != name and isinstance(call.func, ast.Attribute) and len(call.args) == 1:
        known = signature(f"torch.optim.{wanted}")
        arguments = [ast.unparse(call.args[0])]
        if rate_text:
            arguments.append(f"lr={rate_text}")
        for keyword in call.keywords:
            if keyword.arg in _SHARED_ARGUMENTS and known is not None and known.accepts(keyword.arg):
                arguments.append(f"{keyword.arg}={ast.unparse(keyword.value)}")
        yield call, f"{ast.unparse(call.func.value)}.{wanted}({', '.join(arguments)})"
    elif rate is not None and rate_text != ast.unparse(rate):
        yield rate, rate_text
