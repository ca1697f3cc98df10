"""The stage `read`: a request read by a language model, beside the rules; in any language.

The reply is bound to a schema where the engine can do that. What does not stand in the request, letter by letter, and
what has a name that nobody could check, is not taken.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from pipeline.errors import StageFailure
from pipeline.generate.llm.sources import Sources
from pipeline.llm.asking.asker import Asking
from pipeline.llm.asking.replies import ReplyError, clean_text
from pipeline.llm.build import AskerBuilder
from pipeline.measures.delivery.check import CHECKS
from pipeline.records import Understood
from pipeline.request.constraints import Constraint
from pipeline.request.terms.table import table
from pipeline.stage import Fields, Step
from pipeline.understanding import with_new

_MOST = 80
"""Constraints of one request."""

_MOST_VALUES = 40
"""Values of a name that a prompt lists."""

_UNREADABLE = "unreadable_reading"


def read_step(build_asker: AskerBuilder, _sources: Sources) -> Step:
    """The model's reading comes first, then what the rules have read besides. Where no reply can be read, the rules'
    stays alone."""
    asker = build_asker()

    async def step(record: Understood) -> Fields:
        async def work(ask: Asking) -> tuple[Constraint, ...]:
            return await _asked(ask, record.requirement)

        try:
            (read,), calls = await asker.ask("read", record, work)
        except StageFailure as failure:
            if failure.kind != _UNREADABLE:
                raise
            return failure.added
        return {"constraints": with_new(read, record.constraints), "calls": calls}

    return step


async def _asked(ask: Asking, requirement: str) -> tuple[Constraint, ...]:
    def read(reply: str) -> tuple[Constraint, ...]:
        return tuple(constraints_in(reply, requirement))

    schema = json.dumps(reading_schema())
    return await ask.answer("read_request", read, schema=schema, vocabulary=_vocabulary(), requirement=requirement)


def constraints_in(reply: str, requirement: str) -> Iterator[Constraint]:
    """The constraints of a reply whose words stand in the requirement. Raises ReplyError for another form."""
    text = clean_text(reply)
    try:
        items = json.loads(text[text.index("{") : text.rindex("}") + 1])["constraints"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ReplyError(_UNREADABLE, 'the answer is no JSON object {"constraints": [...]}') from error
    if not isinstance(items, list):
        raise ReplyError(_UNREADABLE, '"constraints" is no list')
    for item in items[:_MOST]:
        constraint = _constraint(item, requirement)
        if constraint is not None:
            yield constraint


def _constraint(item: Any, requirement: str) -> Constraint | None:
    if not isinstance(item, dict):
        return None
    aspect, name, words = (str(item.get(key, "")) for key in ("aspect", "name", "words"))
    value = str(item.get("value", "")).strip()
    start = requirement.find(words)
    if not words.strip() or not value or start < 0 or name not in CHECKS.get(aspect, {}):
        return None
    if aspect != "files":
        value = value.lower().replace(" ", "_")
    known = _known_values().get((aspect, name))
    if known and value not in known and name in _CLOSED:
        return None
    return Constraint(
        aspect=aspect,  # type: ignore[arg-type]  # a key of CHECKS
        name=name,
        value=value,
        start=start,
        end=start + len(words),
        negated=item.get("negated") is True,
    )


_CLOSED = frozenset({"framework", "problem", "variant", "kind"})
"""Names whose values the rest of the pipeline decides by."""


def reading_schema() -> dict[str, Any]:
    """The schema of a reply: every text and list has an end."""
    text = {"type": "string", "minLength": 1, "maxLength": 120}
    names = sorted({name for checks in CHECKS.values() for name in checks})
    item = {
        "type": "object",
        "properties": {
            "aspect": {"type": "string", "enum": list(CHECKS)},
            "name": {"type": "string", "enum": names},
            "value": text,
            "words": text,
            "negated": {"type": "boolean"},
        },
        "required": ["aspect", "name", "value", "words", "negated"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {"constraints": {"type": "array", "items": item, "maxItems": _MOST}},
        "required": ["constraints"],
        "additionalProperties": False,
    }


@cache
def _vocabulary() -> str:
    """Aspects with their names, a line each, and the values that the rules know for them."""
    lines: list[str] = []
    for aspect, checks in CHECKS.items():
        lines.append(f"{aspect}:")
        for name in checks:
            values = sorted(_known_values().get((aspect, name), set()) - {"true"})
            listed = ", ".join(values[:_MOST_VALUES])
            lines.append(f"- {name}: {listed}" if listed else f"- {name}")
    return "\n".join(lines)


@cache
def _known_values() -> dict[tuple[str, str], set[str]]:
    values: dict[tuple[str, str], set[str]] = {}
    for terms in table().terms.values():
        for term in terms:
            if term.role == "is":
                values.setdefault((term.aspect, term.name), set()).add(term.value)
    return values
