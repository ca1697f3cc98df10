"""What a target is by the request, where the data leave it open: whole numbers may be classes, counts or marks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from pipeline.data_description.tables.table import target_words
from pipeline.own_data.roles import role_facts
from pipeline.request.constraints import Constraint
from pipeline.request.data_contract import DataContract, DataTarget, TargetKind

_OF_NUMBERS = frozenset({"mae", "mse", "rmse", "rmsle", "mape", "r2"})
"""Metrics of numbers; one of classes is any other."""

_ASKS_FOR_A_NUMBER = re.compile(r"\bregress(?:ion|or)\b|\bhow (?:many|much)\b|\bcount(?:s|ing)?\b", re.IGNORECASE)

_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?")

_OF_TARGET: dict[TargetKind, str] = {"class": "classification", "labels": "classification", "number": "regression"}
"""Of the problems below the one that a target is of."""

_TWO_PROBLEMS = frozenset({"classification", "regression", "clustering"})
"""Problems that "predict the grade" may be taken for, and that the target itself decides."""


def with_asked_kinds(contract: DataContract, constraints: Sequence[Constraint], requirement: str) -> DataContract:
    """The contract with a target of whole numbers taken for numbers where the request wants numbers: a regression, an
    error of numbers as its metric, ratings or purchases of users and items."""
    if not _wants_numbers(contract, constraints, requirement):
        return contract
    return replace(contract, targets=tuple(_as_number(target) for target in contract.targets))


def with_kinds_in_words(words: str, before: DataContract, after: DataContract) -> str:
    """The description's words with the targets' kinds as they are now."""
    for old, new in zip(before.targets, after.targets, strict=True):
        words = words.replace(target_words(old), target_words(new))
    return words


def without_contradicted(constraints: Sequence[Constraint], contract: DataContract) -> tuple[Constraint, ...]:
    """The constraints, of the problems those left out that the target shows to be misread: a credit grade A to D is no
    regression, whatever "predict the grade" was taken for."""
    problems = {_OF_TARGET[target.kind] for target in contract.targets if target.kind in _OF_TARGET}
    if len(problems) != 1 or len(problems) < len({target.kind in _OF_TARGET for target in contract.targets}):
        return tuple(constraints)
    kept: list[Constraint] = []
    for one in constraints:
        is_open = one.name == "problem" and one.value in _TWO_PROBLEMS and not one.negated
        if not is_open or one.value in problems:
            kept.append(one)
    return tuple(kept)


def rates_items(contract: DataContract) -> bool:
    """Whether the rows are users' ratings of items: nothing else is told of a row, and a number is to be predicted."""
    if len(contract.inputs) != 1 or [target.kind for target in contract.targets] != ["number"]:
        return False
    features = [column for column in contract.inputs[0].columns if column.role == "feature"]
    names = [column.name for column in features]
    roles = role_facts(names)
    return len(names) == 2 and {roles.get("user_column"), roles.get("item_column")} == set(names)


def _wants_numbers(contract: DataContract, constraints: Sequence[Constraint], requirement: str) -> bool:
    asked = {(one.name, one.value) for one in constraints if not one.negated and one.source == "requirement"}
    metrics = {value for name, value in asked if name == "metric"}
    if ("problem", "recommendation") in asked and all(target.classes == 2 for target in contract.targets):
        return True  # a purchase is a one, and what is wanted is how likely each is
    if metrics:
        return metrics <= _OF_NUMBERS
    return ("problem", "regression") in asked and _ASKS_FOR_A_NUMBER.search(requirement) is not None


def _as_number(target: DataTarget) -> DataTarget:
    are_numbers = bool(target.class_names) and all(_NUMBER.fullmatch(name) for name in target.class_names)
    if target.kind != "class" or not are_numbers:
        return target
    return replace(target, kind="number", classes=None, class_names=())
