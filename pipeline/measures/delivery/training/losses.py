"""The loss, by name in one spelling."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from pipeline.analysis.keras_names import is_loss
from pipeline.analysis.values import Call, Function, Reference, Unknown
from pipeline.measures.delivery.code import Check, Code
from pipeline.measures.delivery.findings import (
    AT_RUN_TIME,
    Finding,
    Found,
    listed,
    met,
    missing,
    spaced,
    unknown,
)
from pipeline.plan.vocabulary import canonical_loss
from pipeline.request.constraints import Constraint

# By a constraint's value, the names in `plan.vocabulary`.
_LOSSES = {
    "binary_crossentropy": ("binary_crossentropy",),
    # Both compare one class out of many; only the labels are written otherwise.
    "categorical_crossentropy": ("categorical_crossentropy", "sparse_categorical_crossentropy"),
    "sparse_categorical_crossentropy": ("sparse_categorical_crossentropy", "categorical_crossentropy"),
    "crossentropy": ("binary_crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy"),
    "mse": ("mean_squared_error",),
    "mae": ("mean_absolute_error",),
    "mape": ("mean_absolute_percentage_error",),
    "msle": ("mean_squared_logarithmic_error",),
    "focal": ("binary_focal_crossentropy", "categorical_focal_crossentropy"),
}

_FOREIGN_LOSSES = re.compile(
    r"torch\.nn\.(functional\.)?\w*(loss|Loss|entropy)\w*$|optax\.(\w+\.)*\w*(loss|cross_entropy|huber)\w*$"
)
_LOSS_WORDS = {
    "quantile": "quantile|pinball",
    "contrastive": "contrastive|nt_xent|info_nce",
    "wasserstein": "wasserstein",
    "dice": "dice",
    "focal": "focal",
    "kl_divergence": r"kl_(div|loss)|kl_divergence|(^|_)kl(_|$)",
    "mse": r"(^|_)mse(_|$)|mean_squared_error|squared_difference",
    "mae": r"(^|_)mae(_|$)|mean_absolute_error",
}


def _losses(code: Code) -> Iterator[Found]:
    """What compile is given, and all losses that are constructed or called; own functions by their names."""
    for call in code.calls:
        if call.name == "compile" and not call.path.startswith("re."):
            stated = call.argument(1, "loss", "loss_fn")
            if isinstance(stated, dict):
                stated = list(stated.values())
            for value in stated if isinstance(stated, list | tuple) else [stated]:
                yield Found(_named(value), call.line)
        elif is_loss(call.path) or _FOREIGN_LOSSES.match(call.path):
            yield Found(call.name, call.line)
    if code.facts.loss:
        yield Found(code.facts.loss, None)


def _named(value: object) -> object:
    """The name of what stands for a value; the value itself where it is a text, ANY where nothing is known."""
    if isinstance(value, Call | Reference):
        return value.name
    if isinstance(value, Function) and not isinstance(value.node, ast.Lambda):
        return value.node.name
    return value if isinstance(value, str) else Unknown.ANY


def _loss_name(name: str) -> str:
    """One spelling for each loss, where the vocabulary knows it."""
    torch = {"l1_loss": "mean_absolute_error", "nll_loss": "categorical_crossentropy", "smooth_l1_loss": "huber"}
    name = spaced(name)
    return torch.get(name) or canonical_loss(name) or name


def loss_names(code: Code) -> list[Found]:
    """The losses by their names in `plan.vocabulary`, those that are not known there by their own."""
    return [Found(_loss_name(item.value), item.line) for item in _losses(code) if isinstance(item.value, str)]


def _loss(constraint: Constraint, code: Code) -> Finding:
    value = constraint.value
    wanted = _LOSSES.get(value, (value,))
    there = loss_names(code)
    words = re.compile(_LOSS_WORDS.get(value, re.escape(value)))
    for item in there:
        if item.value in wanted or (item.value not in _VOCABULARY and words.search(str(item.value))):
            return met(item.line)
    own = code.word(
        rf"({words.pattern})\w*loss|loss\w*({words.pattern})|^{re.escape(value)}$|{re.escape(value)}_(loss|coef)"
    )
    if own is not None:
        return met(own)
    if there:
        unclear = [item for item in there if not canonical_loss(str(item.value))]
        if unclear and len(unclear) == len(there):
            return unknown(f"the project's own loss, {unclear[0].value}")
        return missing(listed(there), there[0].line)
    if any(True for _ in _losses(code)):
        return unknown(AT_RUN_TIME)
    return missing("no loss found")


_VOCABULARY = frozenset(
    {name for names in _LOSSES.values() for name in names} | {"huber", "hinge", "poisson", "log_cosh"}
)

CHECKS: dict[str, Check] = {"loss": _loss}
