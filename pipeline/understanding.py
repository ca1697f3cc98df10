"""The first stage: what a row asks for, read into constraints."""

from __future__ import annotations

from pipeline.records import Requirement, Understood
from pipeline.request.constraints import Constraint
from pipeline.request.language import language_of
from pipeline.request.reading.reader import read_constraints
from pipeline.stage import Fields, Stage

_ONE_VALUE = frozenset({"framework", "problem", "count"})
"""Names outside of sizes and training of which a request states one value."""


def understand_stage() -> Stage:
    """Requirement -> Understood, without a language model."""
    return Stage(name="understand", accepts=Requirement, returns=Understood, build=lambda: understand)


def understand(record: Requirement) -> Fields:
    """The constraints of the requirement, and of the attributes what those do not say."""
    constraints = list(read_constraints(record.requirement))
    stated = {(one.aspect, one.name) for one in constraints}
    known = {_meaning(one) for one in constraints}
    for one in read_constraints(record.attributes, source="attributes"):
        # The words about the data describe it ("photos of 1024x768"); the requirement says what is done with it.
        has_one_value = one.aspect in ("size", "training") or one.name in _ONE_VALUE
        if _meaning(one) in known or (has_one_value and (one.aspect, one.name) in stated):
            continue
        constraints.append(one)
    return {"constraints": tuple(constraints), "language": language_of(record.requirement)}


def _meaning(one: Constraint) -> tuple[str, str, str, bool]:
    return one.aspect, one.name, one.value, one.negated
