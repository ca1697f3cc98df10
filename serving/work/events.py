"""What a row's way through the stages looks like from outside: an event after each stage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pipeline.measures.call_totals import CallTotals
from pipeline.records import (
    Delivered,
    Drafted,
    Generated,
    Planned,
    Requirement,
    Retrieved,
    Scored,
    Templated,
    Understood,
)
from pipeline.request.constraints import Constraint, Source
from pipeline.request.delivery import Delivery
from pipeline.request.wording import assumption_words, constraint_words
from pipeline.stage import Stage
from pipeline.understanding import texts_read
from serving.store.quotas import Used

CREATED = "project.created"
COMPLETED, FAILED, CANCELLED = "project.completed", "project.failed", "project.cancelled"

LAST = (COMPLETED, FAILED, CANCELLED)
"""After one of these there are no further events."""

EventData = tuple[str, dict[str, Any]]


@dataclass(frozen=True, kw_only=True, slots=True)
class StageOutline:
    """What the gateway knows of a stage: it builds none."""

    name: str
    returns: type[Requirement]
    waits: bool


def outline(stages: Sequence[Stage]) -> tuple[StageOutline, ...]:
    """The outlines of a method's stages, in order."""
    return tuple(StageOutline(name=stage.name, returns=stage.returns, waits=stage.waits) for stage in stages)


def events_of(stage: StageOutline, record: Requirement) -> Iterator[EventData]:
    """The event that a row becomes after a stage. A row that failed in it has what was understood before, and nothing
    else: the last event says why it failed."""
    if stage.returns is Understood:
        assert isinstance(record, Understood)
        yield "request.read", understood_view(record)
    elif record.failure is not None:
        return
    elif stage.returns is Planned:
        assert isinstance(record, Planned)
        yield "plan.completed", plan_view(record)
    elif stage.returns is Retrieved:
        assert isinstance(record, Retrieved)
        yield "samples.retrieved", samples_view(record)
    elif stage.returns is Templated:
        assert isinstance(record, Templated)
        yield "template.completed", {"template": record.template}
    elif stage.returns is Drafted:
        assert isinstance(record, Drafted)
        yield "draft.completed", {"code_draft": record.code_draft, "template_draft": record.template_draft}
    elif stage.returns is Generated:
        assert isinstance(record, Generated)
        name = "comparison.completed" if stage.name == "compare" else "draft.completed"
        yield name, written_view(record)
    elif stage.returns is Delivered:
        assert isinstance(record, Delivered)
        yield "delivery.checked", delivery_view(record) or {}


def last_event(record: Scored) -> EventData:
    """How a row ended that went through all stages."""
    if record.failure is not None:
        return FAILED, asdict(record.failure)
    files = [{"path": file.path, "bytes": len(file.text.encode())} for file in record.files]
    return COMPLETED, {"files": files, "scores": None if record.scores is None else asdict(record.scores)}


def understood_view(record: Understood) -> dict[str, Any]:
    """What was understood, a constraint an entry, with the words that ask for it."""
    texts = texts_read(record)
    return {"language": record.language, "asked": [constraint_view(one, texts) for one in record.constraints]}


def constraint_view(constraint: Constraint, texts: dict[Source, str]) -> dict[str, Any]:
    """A constraint with the words that ask for it."""
    text = constraint.words(texts[constraint.source])
    return {**asdict(constraint), "words": constraint_words(constraint), "text": text}


def plan_view(record: Planned) -> dict[str, Any]:
    """A plan in the paper's form, what it was drawn from, and what was changed in it."""
    plan = None if record.plan is None else record.plan.model_dump(by_alias=True, mode="json")
    return {
        "plan": plan,
        "sources": list(record.plan_sources),
        "changes": [asdict(change) for change in record.plan_changes],
    }


def written_view(record: Generated) -> dict[str, Any]:
    """Where the sections came from, what was corrected in the plan, and what a model says it decided."""
    return {
        "choices": [asdict(choice) for choice in record.choices],
        "corrections": [asdict(one) for one in record.corrections],
        "decisions": None if record.decisions is None else asdict(record.decisions),
    }


def samples_view(record: Retrieved) -> dict[str, Any]:
    """The samples that were found, and those that were kept out."""
    return {
        "samples": [asdict(sample) for sample in record.samples],
        "excluded": [asdict(sample) for sample in record.excluded],
    }


def delivery_view(record: Delivered) -> dict[str, Any] | None:
    """Asked, assumed, and what is not done."""
    delivery: Delivery | None = record.delivery
    if delivery is None:
        return None
    texts = texts_read(record)
    checks = []
    for check in delivery.checks:
        about = {"outcome": check.outcome, "line": check.line, "evidence": check.evidence}
        checks.append(constraint_view(check.constraint, texts) | about)
    assumed = [{**asdict(one), "words": assumption_words(one)} for one in delivery.assumptions]
    return {"met": delivery.met, "checkable": delivery.checkable, "checks": checks, "assumed": assumed}


def used_by(record: Requirement, *, projects: int = 1) -> Used:
    """What a row has used. A reply from the response cache costs nothing."""
    totals = CallTotals.paid(record.calls)
    return Used(projects=projects, prompt_tokens=totals.prompt_tokens, completion_tokens=totals.completion_tokens)
