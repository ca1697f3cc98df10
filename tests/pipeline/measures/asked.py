"""Constraints written short, for tests: "training.epochs=25", "not training.dropout=true"."""

from __future__ import annotations

from typing import get_args

from pipeline.measures.delivery.check import check_delivery
from pipeline.request.constraints import Aspect, Constraint
from pipeline.request.delivery import ConstraintCheck

OUTCOMES = {"+": "met", "-": "not_met", "?": "not_checkable"}


def asked(text: str) -> Constraint:
    text, _, subject = text.partition(" of ")
    negated = text.startswith("not ")
    aspect, _, rest = text.removeprefix("not ").partition(".")
    name, _, value = rest.partition("=")
    for known in get_args(Aspect):
        if known == aspect:
            return Constraint(aspect=known, name=name, value=value, start=0, end=0, subject=subject, negated=negated)
    raise ValueError(f"no aspect {aspect}")


def checked(text: str, source: str) -> ConstraintCheck:
    return check_delivery([asked(text)], source).checks[0]


def wrong(verdicts: str, source: str) -> list[str]:
    """Of lines like "+ training.epochs=25" those that the checker sees otherwise, with what it says."""
    lines = [line.strip() for line in verdicts.strip().splitlines()]
    delivery = check_delivery([asked(line[2:].strip()) for line in lines], source)
    different: list[str] = []
    for line, check in zip(lines, delivery.checks, strict=True):
        if check.outcome != OUTCOMES[line[0]]:
            different.append(f"{line}: {check.outcome}, line {check.line}, {check.evidence}")
    return different
