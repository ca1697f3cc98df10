"""What a client asks for, and the record that its project begins with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from pipeline.foreign_text import storable
from pipeline.inputs import as_sentence, read_requirements
from pipeline.plan.change import FieldOrigin, PlanChange
from pipeline.plan.fields import FIELDS
from pipeline.plan.reading import UnreadablePlanError, read_plan, read_text
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.records import Planned, Requirement, Understood
from pipeline.request.constraints import Constraint
from pipeline.understanding import asked_in
from serving.api.errors import ApiError
from serving.settings import ServeConfig

EDITED = "you edited the plan"
"""Why a plan says otherwise than its planner did."""


class NewProject(BaseModel):
    """A project that a client wants."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    requirement: str | None = None
    """What is needed, in plain words. Left out where `from` names a project: its own."""

    attributes: str = ""
    """What is known about the data, in plain words."""

    from_project: str | None = Field(None, alias="from")
    """An earlier project to go on from, with what the next three change."""

    without: list[int] = Field(default_factory=list, max_length=500)
    """Things understood in it that were not meant: their places in its list, from 0."""

    also: str = ""
    """What is to be understood besides, in plain words."""

    plan: dict[str, Any] | None = None
    """Its plan as somebody edited it: written by that."""

    method: str | None = None
    """The method that the service writes by; another one is an error, so that nobody takes it for another's work."""

    seed: int | None = None
    """Likewise."""

    @field_validator("requirement", "attributes", "also")
    @classmethod
    def _storable(cls, text: str | None) -> str | None:
        return None if text is None else storable(text)


def first_record(
    asked: NewProject, config: ServeConfig, stages: Sequence[str], parent: Requirement | None
) -> tuple[Requirement, int]:
    """The record that the project begins with, and the place of the stage that takes it. `stages` are the names of the
    method's, `parent` the row to go on from, as far as it is. Raises ApiError."""
    _check_method(asked, config)
    longest = config.serve.requirement_characters
    for name in ("requirement", "attributes", "also"):
        text = getattr(asked, name) or ""
        if len(text) > longest:
            message = f"{name}: {len(text):,} characters are too many; up to {longest:,} are read"
            raise ApiError(400, "too_long", message, param=name)
    if asked.from_project is not None:
        return _going_on(asked, config, stages, parent)
    if asked.plan is not None or asked.without or asked.also:
        message = "plan, without and also change an earlier project; name it with from"
        raise ApiError(400, "missing_from", message, param="from")
    return new_request(asked.requirement or "", asked.attributes), 0


def new_request(requirement: str, attributes: str = "") -> Requirement:
    """The record of a requirement, the same as `dlcodegen new` makes. Raises ApiError for one without words."""
    requirement, attributes = storable(requirement), storable(attributes)  # a plan's request comes here unread
    if not requirement.strip():
        raise ApiError(400, "missing_requirement", "say what you need, in plain words", param="requirement")
    record = next(iter(read_requirements(as_sentence(requirement))))
    if record.failure is not None:
        raise ApiError(400, "unreadable_requirement", record.failure.message, param="requirement")
    return replace(record, attributes=attributes)


def _check_method(asked: NewProject, config: ServeConfig) -> None:
    writing = config.writing
    for name, wanted, own in (("method", asked.method, writing.method), ("seed", asked.seed, writing.seed)):
        if wanted is not None and wanted != own:
            raise ApiError(400, "unsupported", f"this service writes with {name}={own}", param=name)


def _going_on(
    asked: NewProject, config: ServeConfig, stages: Sequence[str], parent: Requirement | None
) -> tuple[Requirement, int]:
    if not isinstance(parent, Understood):
        raise ApiError(409, "not_far_enough", "the project to go on from was not understood yet", param="from")
    understood = _understood(parent, asked)
    if asked.plan is None:
        return understood, stages.index("understand") + 1
    if "plan" not in stages:
        raise ApiError(400, "unsupported", f"method={config.writing.method} has no plan", param="plan")
    if not isinstance(parent, Planned) or parent.plan is None:
        raise ApiError(409, "not_far_enough", "the project to go on from has no plan", param="from")
    return _planned(parent, parent.plan, understood, asked.plan), stages.index("plan") + 1


def _understood(parent: Understood, asked: NewProject) -> Understood:
    """What was understood of the earlier project, without what was not meant, and with what was added."""
    for place in asked.without:
        if not 0 <= place < len(parent.constraints):
            message = f"without: there is no {place} among the things understood"
            raise ApiError(400, "invalid_value", message, param="without")
    kept = [one for place, one in enumerate(parent.constraints) if place not in asked.without]
    values = {name: getattr(parent, name) for name in Understood.__dataclass_fields__}
    begun = Understood(**values | {"constraints": tuple(kept), "failure": None, "calls": ()})
    return _with_words(begun, asked.also.strip())


def _with_words(record: Understood, more: str) -> Understood:
    """The record with further words about it, which are read as all others, and count where earlier ones say
    otherwise."""
    if not more:
        return record
    attributes, data_line = record.attributes, ""
    if record.data is not None:  # the description of the row's data is the last line, and stays it
        attributes, _, data_line = record.attributes.rpartition("\n")
    before = len(attributes) + 1 if attributes else 0
    added = asked_in("", more)
    things = {_thing(one) for one in added}
    kept = [one for one in record.constraints if _thing(one) not in things]
    kept += [replace(one, start=one.start + before, end=one.end + before) for one in added]
    lines = [line for line in (attributes, more, data_line) if line]
    return replace(record, constraints=tuple(kept), attributes="\n".join(lines))


def _thing(one: Constraint) -> tuple[str, str, str]:
    return one.aspect, one.name, one.subject


def _planned(parent: Planned, before: SolutionPlan, understood: Understood, edited: dict[str, Any]) -> Planned:
    """The earlier project's plan as it was edited. What was asked and is edited otherwise is no longer asked, and the
    settings that were edited are: no later step takes them for something that it may choose."""
    try:
        plan = read_plan(edited)
    except UnreadablePlanError as error:
        raise ApiError(400, "unreadable_plan", f"plan: {error}", param="plan") from error
    changes = list(parent.plan_changes)
    words = []
    edited_fields: list[str] = []
    for field in FIELDS:
        old, new = field.of(before), field.of(plan)
        if old == new:
            continue
        changes.append(PlanChange(field=field.name, before=read_text(old), after=read_text(new), because=EDITED))
        edited_fields.append(field.name)
        kept = tuple(one for one in understood.constraints if not _states(one, field.name))
        understood = replace(understood, constraints=kept)
        if field.part == "hyperparameters" and new:
            words.append(f"{field.name.replace('_', ' ')} {read_text(new)}")
    understood = _with_words(understood, ", ".join(words))
    values = {name: getattr(understood, name) for name in Understood.__dataclass_fields__}
    plan = _with_framework(plan, edited, before)
    origins = [origin for origin in parent.plan_origins if origin.field not in edited_fields]
    origins += [FieldOrigin(field=name, source="stated", by=EDITED) for name in edited_fields]
    return Planned(
        **values,
        plan=plan,
        plan_sources=parent.plan_sources,
        plan_changes=tuple(changes),
        plan_origins=tuple(origins),
    )


def _with_framework(plan: SolutionPlan, edited: dict[str, Any], before: SolutionPlan) -> SolutionPlan:
    named = any(name.lower() == "framework" for name in edited)
    return plan if named else plan.model_copy(update={"framework": before.framework})


def _states(constraint: Constraint, field: str) -> bool:
    return constraint.name == field or (field == "metric" and constraint.aspect == "metric")
