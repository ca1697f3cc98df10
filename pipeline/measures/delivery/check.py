"""Every constraint of a request, looked up in the finished code; and the shares of what is met, over rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.measures.delivery.assumptions import assumptions
from pipeline.measures.delivery.code import Check, Code, read_code
from pipeline.measures.delivery.data import classes, files, kinds, sizes
from pipeline.measures.delivery.findings import Finding, unknown
from pipeline.measures.delivery.network import building, known, operations
from pipeline.measures.delivery.results import metrics, outputs
from pipeline.measures.delivery.task import framework, problems, variants
from pipeline.measures.delivery.training import losses, optimizers, preparation, settings
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.request.constraints import Constraint
from pipeline.request.delivery import ConstraintCheck, Delivery

CHECKS: dict[str, dict[str, Check]] = {
    "framework": framework.FRAMEWORK,
    "task": problems.PROBLEMS | variants.VARIANTS,
    "data": kinds.DATA,
    "size": sizes.SIZES,
    "classes": classes.CLASSES,
    "files": files.FILES,
    "architecture": building.CHECKS | operations.CHECKS | known.CHECKS,
    "training": losses.CHECKS | optimizers.CHECKS | settings.CHECKS | preparation.CHECKS,
    "metric": metrics.METRICS,
    "output": outputs.CHECKS,
}
"""By aspect and name. What is not here cannot be checked, and is said to be so."""


def check_delivery(constraints: Iterable[Constraint], source: str, *, plan: SolutionPlan | None = None) -> Delivery:
    """What of the request the script does, and what its plan decides that nobody asked for.

    Nothing is run, and no code raises: of what is no Python program, every constraint is not checkable.
    """
    asked = tuple(constraints)
    code = read_code(source)
    checks: list[ConstraintCheck] = []
    for constraint in asked:
        if code is None:
            checks.append(_stated(constraint, unknown("the code is no Python program")))
        else:
            checks.append(_looked_up(constraint, code))
    return Delivery(checks=tuple(checks), assumptions=assumptions(asked, plan))


def _looked_up(constraint: Constraint, code: Code) -> ConstraintCheck:
    check = CHECKS.get(constraint.aspect, {}).get(constraint.name)
    if check is None:
        return _stated(constraint, unknown("no check for it"))
    finding = check(constraint, code)
    if finding.outcome == "not_met" and constraint.source == "data" and constraint.name in _COUNTED:
        finding = unknown("counted in the data when the project runs")
    return _stated(constraint, finding)


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
    """How far rows do what was asked (CIFE, arXiv 2512.17387). Constraints that reading cannot decide count nowhere."""

    met: int
    checkable: int
    """Constraints of all rows that reading can decide: the denominator of CSR."""
    not_checkable: int
    satisfied: int
    """Rows with all their checkable constraints met."""
    rows: int
    """Rows with a checkable constraint: the denominator of SSR."""

    @property
    def constraint_rate(self) -> float | None:
        """CSR: the share of the constraints that are met, in [0, 1]; None without any."""
        return self.met / self.checkable if self.checkable else None

    @property
    def row_rate(self) -> float | None:
        """SSR: the share of the rows with all constraints met, in [0, 1]; None without any."""
        return self.satisfied / self.rows if self.rows else None


def satisfaction(deliveries: Sequence[Delivery]) -> Satisfaction:
    """CSR and SSR over rows, with what they are shares of."""
    return Satisfaction(
        met=sum(delivery.met for delivery in deliveries),
        checkable=sum(delivery.checkable for delivery in deliveries),
        not_checkable=sum(len(delivery.checks) - delivery.checkable for delivery in deliveries),
        satisfied=sum(delivery.satisfied is True for delivery in deliveries),
        rows=sum(delivery.checkable > 0 for delivery in deliveries),
    )
