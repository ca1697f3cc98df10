"""A prompt's parts that say what is asked for, the same in every call about a row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipeline.plan.change import FieldOrigin
from pipeline.records import Planned, Requirement
from pipeline.request.constraints import Constraint
from pipeline.request.wording import constraint_words

_MOST_ASKED = 40
"""Lines of what was read in a request: more than any request of ours has."""


def row_parts(record: Requirement, constraints: Sequence[Constraint]) -> dict[str, str]:
    """Requirement, what is said of the data, and what was read in both, a line each."""
    return {
        "requirement": record.requirement.strip(),
        "attributes": record.attributes.strip(),
        "asked": "\n".join(_asked_lines(constraints)),
    }


def planned_parts(record: Planned, constraints: Sequence[Constraint]) -> dict[str, str]:
    """The same with the plan, and who says what in it; a record without a plan has none to show."""
    plan = "" if record.plan is None else record.plan.to_json()
    return row_parts(record, constraints) | {"plan": plan, "plan_origin": origin_words(record.plan_origins)}


def origin_words(origins: Iterable[FieldOrigin]) -> str:
    """Who says what in a plan, in one line."""
    stated: list[str] = []
    ruled: list[str] = []
    guessed: dict[str, None] = {}
    for origin in origins:
        if origin.source == "stated":
            stated.append(origin.field)
        elif origin.source == "rule":
            ruled.append(origin.field)
        else:
            guessed.setdefault(origin.by)
    parts: list[str] = []
    if stated:
        parts.append(f"the request states {', '.join(stated)}")
    if ruled:
        parts.append(f"rules made {', '.join(ruled)} fit")
    parts.append(f"the rest is guessed from {' and '.join(guessed)}" if guessed else "the rest is guessed")
    return "; ".join(parts)


def _asked_lines(constraints: Iterable[Constraint]) -> list[str]:
    """What stands in the words. What the user's own data hold stands in their description already."""
    lines = [f"- {constraint_words(one)}" for one in constraints if one.source != "data"]
    return list(dict.fromkeys(lines))[:_MOST_ASKED]
