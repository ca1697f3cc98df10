"""What the report shows of what was asked and decided: of one row, and what is missed most over all rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby

from pipeline.foreign_text import visible
from pipeline.measures.delivery.check import Satisfaction, satisfaction_of_row
from pipeline.pages.report_text import TEXT_LIMIT, clip
from pipeline.plan.change import Decisions
from pipeline.records import Scored
from pipeline.request.delivery import Outcome
from pipeline.request.wording import OUTCOME_WORDS, assumption_words, constraint_words

_ENTRIES = 100
"""Things asked, and assumptions, shown of a row."""

NAMES = 200
"""Kinds of constraints counted by themselves."""

_LONGEST_DECIDED = 2_000
"""Characters of each thing that a model says it decided."""


@dataclass(slots=True)
class Missed:
    """How often one kind of thing was asked, as far as reading can decide it, and missed."""

    asked: int = 0
    missed: int = 0


@dataclass(slots=True)
class AskedSummary:
    """What was asked over all rows."""

    satisfaction: Satisfaction = field(default_factory=Satisfaction)
    by_kind: dict[str, Missed] = field(default_factory=dict)
    """By aspect and name: "size: height"."""

    def add(self, record: Scored) -> None:
        self.satisfaction += satisfaction_of_row(record.constraints, record.delivery)
        if record.delivery is None:
            return
        for check in record.delivery.checks:
            if check.outcome == "not_checkable":
                continue
            kind = f"{check.constraint.aspect}: {check.constraint.name.replace('_', ' ')}"
            if kind not in self.by_kind and len(self.by_kind) >= NAMES:
                continue
            counts = self.by_kind.setdefault(clip(kind, 80), Missed())
            counts.asked += 1
            counts.missed += check.outcome == "not_met"

    @property
    def most_missed(self) -> list[tuple[str, Missed]]:
        """Kinds that were missed at least once, those missed most often first."""
        missed = [(kind, counts) for kind, counts in self.by_kind.items() if counts.missed]
        return sorted(missed, key=lambda entry: (-entry[1].missed, entry[0]))


def asked_view(record: Scored) -> dict[str, object]:
    """What the page shows of a row: each thing asked with its outcome, and what was assumed."""
    checks: list[list[object]] = []
    assumed: list[list[str]] = []
    if record.delivery is not None:
        for check in record.delivery.checks[:_ENTRIES]:
            words = clip(constraint_words(check.constraint), 200)
            checks.append([words, check.outcome, OUTCOME_WORDS[check.outcome], check.line, clip(check.evidence, 300)])
        for one in record.delivery.assumptions[:_ENTRIES]:
            name = one.name.replace("_", " ")
            assumed.append([clip(name, 80), clip(one.value, 200), clip(assumption_words(one), 300)])
    return {"checks": checks, "assumed": assumed}


RequestPart = tuple[str, str]
"""A piece of the request, and the outcome of what it asks for; "" where it asks for nothing that was read."""

_WORST_FIRST: tuple[Outcome, ...] = ("not_met", "not_checkable", "met")


def request_parts(record: Scored) -> tuple[RequestPart, ...]:
    """The requirement cut where words begin and end that ask for something. Of those that ask for several things the
    worst outcome counts. Nothing for a requirement that is shown cut, or of which nothing was read."""
    text = record.requirement
    if record.delivery is None or len(text) > TEXT_LIMIT // 2:
        return ()
    outcomes: list[Outcome | None] = [None] * len(text)
    for outcome in reversed(_WORST_FIRST):
        for check in record.delivery.checks:
            asked = check.constraint
            if check.outcome == outcome and asked.source == "requirement":
                for place in range(max(asked.start, 0), min(asked.end, len(text))):
                    outcomes[place] = outcome
    parts: list[RequestPart] = []
    for outcome_here, places in groupby(range(len(text)), key=lambda place: outcomes[place]):
        within = list(places)
        parts.append((visible(text[within[0] : within[-1] + 1]), outcome_here or ""))
    return tuple(parts)


def decided_text(record: Scored) -> str:
    """Who says what in the plan, what was corrected in it, what the model says, and where its calls can be read; ""
    where there is none of it."""
    return "\n\n".join("\n".join(paragraph) for paragraph in _paragraphs(record) if len(paragraph) > 1)


def _paragraphs(record: Scored) -> Iterator[list[str]]:
    yield [
        "Who says what in the plan",
        *(f"- {one.field}: {one.source}, {_shown(one.by)}" for one in record.plan_origins),
    ]
    corrections = [f"- {one.field}: {_shown(one.was)} -> {_shown(one.now)}" for one in record.corrections]
    reasons = [f"  because {_shown(one.because)}" for one in record.corrections]
    lines = [line for pair in zip(corrections, reasons, strict=True) for line in pair]
    yield ["Corrected in the plan", *lines]
    decisions = record.decisions
    if decisions is not None:
        yield ["The model says", *(f"- {line}" for line in decision_lines(decisions))]
    keys = [f"- {call.prompt}: {call.key[:16]}" for call in record.calls if call.key]
    yield [f"Its calls in the response cache (dlcodegen show {visible(record.id)} --what calls)", *keys]


def decision_lines(decisions: Decisions) -> Iterator[str]:
    """What a model says beside a project, a line each."""
    if decisions.base:
        yield f"base: {_shown(decisions.base)}"
    for text in decisions.from_other:
        yield f"from the other draft: {_shown(text)}"
    for text in decisions.assumptions:
        yield f"assumed: {_shown(text)}"
    if decisions.notes:
        yield _shown(decisions.notes)


def _shown(text: str) -> str:
    return clip(" ".join(text.split()), _LONGEST_DECIDED)
