"""Constraints, outcomes and assumptions in words, as pages, projects and terminals show them."""

from __future__ import annotations

from pipeline.request.constraints import Constraint
from pipeline.request.delivery import Assumption, Outcome

OUTCOME_WORDS: dict[Outcome, str] = {"met": "met", "not_met": "not met", "not_checkable": "cannot be told"}

_ORIGIN_WORDS = {
    "rule": "a rule",
    "neighbour": "similar projects",
    "default": "a default",
    "data": "your data",
    "model": "the model",
}


def constraint_words(constraint: Constraint) -> str:
    """What is asked for: "learning rate 0.001", "early stopping", "no dropout"."""
    name = constraint.name.replace("_", " ")
    # Of several names within an aspect the aspect's own adds nothing: "framework tensorflow", "metric f1".
    words = name if constraint.value == "true" else f"{name} {constraint.value}"
    if constraint.aspect == "classes" and constraint.name in ("count", "name"):
        words = f"{constraint.value} classes" if constraint.name == "count" else f"class {constraint.value}"
    if constraint.subject:
        words = f"{constraint.subject}: {words}"
    return f"no {words}" if constraint.negated else words


def assumption_words(assumption: Assumption) -> str:
    """Where it came from: "a similar project: wine-03"."""
    origin = _ORIGIN_WORDS[assumption.origin]
    return f"{origin}: {assumption.because}" if assumption.because else origin
