"""What is wrong with a program that a model wrote, in words that it can act on. Nothing is run."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.measures.delivery.check import check_delivery
from pipeline.measures.project_scores import read_code
from pipeline.request.constraints import Constraint
from pipeline.request.wording import constraint_words


def unmet(constraints: Iterable[Constraint], code: str) -> tuple[str, ...]:
    """What was asked for and is not in the program, a line each: "epochs 20 (found: 10)". What reading cannot tell is
    left out."""
    lines: list[str] = []
    for check in check_delivery(constraints, code).checks:
        if check.outcome == "not_met":
            found = f" ({check.evidence})" if check.evidence else ""
            lines.append(f"{constraint_words(check.constraint)}{found}")
    return tuple(lines)


def findings(constraints: Iterable[Constraint], code: str) -> tuple[str, ...]:
    """Everything that is found in the program, a line each: what Python or the framework would refuse, then `unmet`."""
    scores = read_code(code, None)
    if not scores.parses:
        return ("Python cannot compile the program",)
    lines = [f"the name {name} is used and never defined" for name in scores.undefined_names]
    lines += scores.invalid_calls
    lines += [f"asked for and not done: {line}" for line in unmet(constraints, code)]
    return tuple(lines)
