"""Every constraint of a request, looked up in the finished code; and the shares of what is met, over rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace

from pipeline.measures.delivery.assumptions import PlanOrigin, assumptions
from pipeline.measures.delivery.code import Check, Code, read_code
from pipeline.measures.delivery.data import classes, files, kinds, sizes
from pipeline.measures.delivery.findings import NO_PROGRAM, Finding, unknown
from pipeline.measures.delivery.layers import RECURRENT
from pipeline.measures.delivery.network import building, known, operations
from pipeline.measures.delivery.results import metrics, outputs, shown
from pipeline.measures.delivery.task import framework, problems, variants
from pipeline.measures.delivery.training import (
    decay,
    division,
    losses,
    named_settings,
    optimizers,
    preparation,
    settings,
)
from pipeline.measures.delivery.whole_request import WholeRequest, objection
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.request.constraints import Constraint
from pipeline.request.delivery import ConstraintCheck, Delivery

CHECKS: dict[str, dict[str, Check]] = {
    "framework": framework.FRAMEWORK,
    "task": problems.PROBLEMS | variants.VARIANTS,
    "data": kinds.DATA,
    "size": sizes.SIZES | named_settings.CHECKS,
    "classes": classes.CLASSES,
    "files": files.FILES,
    "architecture": building.CHECKS | operations.CHECKS | known.CHECKS | named_settings.CHECKS,
    "training": losses.CHECKS
    | optimizers.CHECKS
    | settings.CHECKS
    | preparation.CHECKS
    | decay.CHECKS
    | division.CHECKS
    | named_settings.CHECKS,
    "metric": metrics.METRICS | shown.OF_METRICS,
    "output": outputs.CHECKS | shown.CHECKS,
}
"""By aspect and name. What is not here cannot be checked, and is said to be so."""


def check_delivery(
    constraints: Iterable[Constraint],
    source: str,
    *,
    plan: SolutionPlan | None = None,
    origin: PlanOrigin | None = None,
    requirement: str = "",
) -> Delivery:
    """What of the request the script does, and what was decided that nobody asked for. With the text of the
    requirement, of "a ConvLSTM or a 3D CNN" one is enough.

    Nothing is run, and no code raises: of what is no Python program, every constraint is not checkable.
    """
    asked = tuple(constraints)
    request = WholeRequest(asked, requirement)
    code = read_code(source)
    checks: list[ConstraintCheck] = []
    for constraint in asked:
        if code is None:
            checks.append(_stated(constraint, unknown(NO_PROGRAM)))
        else:
            checks.append(_looked_up(constraint, code, request))
    checks = _with_alternatives(checks, requirement)
    assumed = assumptions(asked, plan, origin or PlanOrigin(), code)
    if code is not None:
        assumed = tuple(one for one in assumed if one.name != "problem" or _solves(one.value, code))
    return Delivery(checks=tuple(checks), assumptions=assumed)


def _solves(problem: str, code: Code) -> bool:
    """Whether the code does not show another problem than an assumed one."""
    constraint = Constraint(aspect="task", name="problem", value=problem, start=0, end=0)
    return problems.PROBLEMS["problem"](constraint, code).outcome != "not_met"


_OR = re.compile(r"\s*,?\s*(?:or|oder|ou|o|или)\s+(?:(?:an?|ein|eine|une?|un|una|plain|simple|maybe|even)\s+)*", re.I)


def _with_alternatives(checks: list[ConstraintCheck], requirement: str) -> list[ConstraintCheck]:
    """Of two things joined by "or", the one that is not done counts nowhere where the other is."""
    done = [check for check in checks if check.outcome == "met" and check.constraint.source == "requirement"]
    resolved: list[ConstraintCheck] = []
    for check in checks if requirement else ():
        for other in done if check.outcome == "not_met" else ():
            if _are_alternatives(check.constraint, other.constraint, requirement):
                check = replace(check, outcome="not_checkable", line=None, evidence=_chosen(other.constraint))
                break
        resolved.append(check)
    return resolved or checks


def _chosen(constraint: Constraint) -> str:
    return f"one of two, and {constraint.value.replace('_', ' ')} is there"


def _are_alternatives(one: Constraint, other: Constraint, requirement: str) -> bool:
    if (one.aspect, one.name, one.source) != (other.aspect, other.name, other.source) or one.negated or other.negated:
        return False
    first, second = sorted((one, other), key=lambda constraint: constraint.start)
    return _OR.fullmatch(requirement[first.end : second.start]) is not None


def _looked_up(constraint: Constraint, code: Code, request: WholeRequest) -> ConstraintCheck:
    check = CHECKS.get(constraint.aspect, {}).get(constraint.name)
    if check is None:
        return _stated(constraint, unknown("no check for it"))
    finding = check(constraint, code)
    if finding.outcome == "met":
        finding = objection(constraint, code, request) or finding
    counted = constraint.source == "data" or (constraint.name == "features" and _COUNTS_FEATURES.search(code.source))
    if finding.outcome == "not_met" and constraint.name in _COUNTED and counted:
        finding = unknown("counted in the data when the project runs")
    if finding.outcome == "not_met" and constraint.name == "length" and _takes_any_length(code):
        finding = unknown("counted in the data when the project runs")
    return _stated(constraint, finding)


def _takes_any_length(code: Code) -> bool:
    """Whether a network of PyTorch goes along steps in time that nothing in the code counts."""
    along_time = any(layer.kind in RECURRENT or layer.kind == "Conv1D" for layer in code.all_layers)
    return code.torch is not None and along_time and code.word("sequence_length|window|max_?len|seq_len") is None


_COUNTS_FEATURES = re.compile(
    r"^NUM_FEATURES = (?![\d_]+\s*(?:#|$))|\bselect_dtypes\(|\bis_numeric_dtype\(", re.MULTILINE
)

_COUNTED = ("features", "length")
"""Sizes of people's own data that a project counts itself: after encoding there are more features, and windows are
cut from a series."""


def _stated(constraint: Constraint, finding: Finding) -> ConstraintCheck:
    """The finding, turned round where the value is forbidden."""
    outcome = finding.outcome
    line, evidence = finding.line, finding.evidence
    if constraint.negated and outcome == "met":
        outcome = "not_met"
        evidence = (
            evidence or f"{constraint.value} is there" if constraint.value != "true" else evidence or "it is there"
        )
    elif constraint.negated and outcome == "not_met":
        outcome = "met"
    return ConstraintCheck(constraint=constraint, outcome=outcome, line=line, evidence=evidence)


@dataclass(frozen=True, kw_only=True, slots=True)
class Satisfaction:
    """How far rows do what was asked (CIFE, arXiv 2512.17387). Constraints that reading cannot decide count nowhere.

    Rows without a project, and code that is no Python program, are no denominator of the two shares. The strict ones
    count all that such rows were asked as not met: left out, what fails would look better than what falls short.
    """

    met: int = 0
    checkable: int = 0
    """Constraints of all rows that reading can decide: the denominator of CSR."""
    not_checkable: int = 0
    satisfied: int = 0
    """Rows with all their checkable constraints met."""
    rows: int = 0
    """Rows with a checkable constraint: the denominator of SSR."""
    lost: int = 0
    """Constraints of rows without a program."""
    lost_rows: int = 0
    """Rows without a program that ask for something."""

    @property
    def constraint_rate(self) -> float | None:
        """CSR: the share of the constraints that are met, in [0, 1]; None without any."""
        return _share(self.met, self.checkable)

    @property
    def row_rate(self) -> float | None:
        """SSR: the share of the rows with all constraints met, in [0, 1]; None without any."""
        return _share(self.satisfied, self.rows)

    @property
    def strict_constraint_rate(self) -> float | None:
        """CSR with what rows without a program were asked as not met."""
        return _share(self.met, self.checkable + self.lost)

    @property
    def strict_row_rate(self) -> float | None:
        """SSR with rows without a program as not satisfied."""
        return _share(self.satisfied, self.rows + self.lost_rows)

    def __add__(self, other: Satisfaction) -> Satisfaction:
        sums = {field.name: getattr(self, field.name) + getattr(other, field.name) for field in fields(self)}
        return Satisfaction(**sums)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def satisfaction(deliveries: Iterable[Delivery]) -> Satisfaction:
    """CSR and SSR over rows with a project, with what they are shares of."""
    total = Satisfaction()
    for delivery in deliveries:
        total += satisfaction_of_row([check.constraint for check in delivery.checks], delivery)
    return total


def satisfaction_of_row(constraints: Sequence[Constraint], delivery: Delivery | None) -> Satisfaction:
    """What one row adds to the shares; `delivery` is None for a row without a project."""
    if delivery is None or any(check.evidence == NO_PROGRAM for check in delivery.checks):
        return Satisfaction(lost=len(constraints), lost_rows=int(bool(constraints)))
    return Satisfaction(
        met=delivery.met,
        checkable=delivery.checkable,
        not_checkable=len(delivery.checks) - delivery.checkable,
        satisfied=int(delivery.satisfied is True),
        rows=int(delivery.checkable > 0),
    )
