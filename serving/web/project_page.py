"""What a project's page shows, made from its row: the views are those of a run's report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.foreign_text import visible
from pipeline.pages.report_asked import asked_view, decision_lines, request_parts
from pipeline.pages.report_text import Line, changes, clip_lines, plain_lines, python_lines
from pipeline.plan.fields import FIELD
from pipeline.plan.reading import read_text
from pipeline.records import Delivered, Drafted, Generated, Planned, Requirement, Retrieved, Scored, Understood
from pipeline.request.wording import constraint_words
from pipeline.understanding import texts_read
from serving.store.projects import Project
from serving.web.edits import LONG_FIELDS, PLAN_FIELDS

STEPS = ("understood", "planned", "samples found", "template made", "drafts written", "compared", "checked")

_CONTEXT = 3
"""Equal lines shown around a difference, as in `diff -u`."""

Part = tuple[str, str]
"""A piece of a line, and the letter of its colour; "" for none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeText:
    """A text with its coloured lines."""

    name: str
    path: str
    """Of the file; "" for what is none."""
    lines: list[list[Part]]


@dataclass(frozen=True, kw_only=True, slots=True)
class DiffLine:
    """A line of a comparison: from the left text, the right one, or both; `gap` where equal ones are left out."""

    kind: str
    number: int | None
    parts: list[Part]


@dataclass(frozen=True, kw_only=True, slots=True)
class ProjectPage:
    """What the template shows. A part that is not there yet is empty."""

    project: Project
    requirement: str
    attributes: str
    steps_done: int
    failure: str
    request: Sequence[Part]
    """The requirement cut where words ask for something, with the outcome of each."""
    understood: Sequence[tuple[str, str]]
    """What is asked, and in which words."""
    language: str
    plan: Sequence[tuple[str, str, str]]
    """Field, title, value."""
    changed: Sequence[Any]
    corrections: Sequence[Any]
    """What the writer has put in the place of what the plan says."""
    decided: Sequence[str]
    """What a model says beside the project, a line each."""
    samples: Sequence[Any]
    excluded: Sequence[Any]
    template: CodeText | None
    drafts: Sequence[CodeText]
    choices: Sequence[Any]
    diff: Sequence[DiffLine]
    files: Sequence[CodeText]
    checks: Sequence[Any]
    """Words, outcome, outcome in words, line, evidence."""
    assumed: Sequence[Any]
    not_done: int
    scores: Any
    rating: dict[str, Any]

    @property
    def under_way(self) -> bool:
        return self.project.status == "under_way"

    @property
    def long_fields(self) -> tuple[str, ...]:
        return LONG_FIELDS

    @property
    def steps(self) -> tuple[str, ...]:
        return STEPS


def project_page(project: Project, row: Requirement | None, rating: dict[str, Any] | None) -> ProjectPage:
    """The page of a project. `row` is as far as it is; None for one that was cancelled."""
    row = row or Requirement(id="", row=0, requirement=project.title)
    asked: dict[str, Any] = {"checks": [], "assumed": []}
    request: Sequence[Part] = ()
    if isinstance(row, Scored):
        asked, request = asked_view(row), request_parts(row)
    drafts = _drafts(row)
    decisions = getattr(row, "decisions", None)
    files = _files(row) if project.status == "completed" else []  # before that they cannot be had
    return ProjectPage(
        project=project,
        requirement=clip_lines(row.requirement),
        attributes=clip_lines(row.attributes),
        steps_done=_steps_done(row),
        failure="" if row.failure is None else visible(row.failure.message),
        request=request,
        understood=_understood(row),
        language=getattr(row, "language", ""),
        plan=_plan(row),
        changed=getattr(row, "plan_changes", ()),
        corrections=getattr(row, "corrections", ()),
        decided=list(decision_lines(decisions)) if decisions is not None else [],
        samples=getattr(row, "samples", ()),
        excluded=getattr(row, "excluded", ()),
        template=_code("Template", getattr(row, "template", "")),
        drafts=drafts,
        choices=getattr(row, "choices", ()),
        diff=_diff(row),
        files=files,
        checks=asked["checks"],
        assumed=asked["assumed"],
        not_done=sum(check[1] == "not_met" for check in asked["checks"]),
        scores=getattr(row, "scores", None),
        rating=rating or {},
    )


def _steps_done(row: Requirement) -> int:
    """How many of STEPS the row has behind it."""
    done = (
        isinstance(row, Understood) and (bool(row.constraints) or isinstance(row, Planned)),
        isinstance(row, Planned) and row.plan is not None,
        isinstance(row, Retrieved) and bool(row.samples),
        isinstance(row, Drafted) or bool(getattr(row, "template", "")),
        isinstance(row, Drafted) and bool(row.code_draft or row.template_draft),
        isinstance(row, Generated) and bool(row.files),
        isinstance(row, Delivered) and row.delivery is not None,
    )
    return next((place for place, reached in enumerate(done) if not reached), len(done))


def _understood(row: Requirement) -> list[tuple[str, str]]:
    if not isinstance(row, Understood):
        return []
    texts = texts_read(row)
    return [(constraint_words(one), one.words(texts[one.source])) for one in row.constraints]


def _plan(row: Requirement) -> list[tuple[str, str, str]]:
    if not isinstance(row, Planned) or row.plan is None:
        return []
    fields = []
    for name, title in PLAN_FIELDS:
        value = FIELD[name].of(row.plan)
        text = "\n".join(value) if name == "layers" else read_text(value)
        fields.append((name, title, text))
    return fields


def _drafts(row: Requirement) -> list[CodeText]:
    if not isinstance(row, Drafted):
        return []
    drafts = (_code("Draft 1: the nearest sample adapted", row.code_draft),
              _code("Draft 2: the template filled", row.template_draft))  # fmt: skip
    return [draft for draft in drafts if draft is not None]


def _files(row: Requirement) -> list[CodeText]:
    if not isinstance(row, Delivered) or row.failure is not None:
        return []
    return [_text(file.path, file.path, clip_lines(file.text)) for file in row.files]


def _code(name: str, text: str) -> CodeText | None:
    return _text(name, "", clip_lines(text), python=True) if text else None


def _text(name: str, path: str, text: str, *, python: bool = False) -> CodeText:
    lines = python_lines(text) if python or path.endswith(".py") else plain_lines(text)
    return CodeText(name=name, path=path, lines=[_parts(line) for line in lines])


def _parts(line: Line) -> list[Part]:
    """Plain and coloured parts take turns, plain first; a coloured part starts with its letter."""
    parts = [(part[1:], part[0]) if place % 2 else (part, "") for place, part in enumerate(line)]
    return [part for part in parts if part[0]]


def _diff(row: Requirement) -> list[DiffLine]:
    """Where the finished script differs from the first draft."""
    if not isinstance(row, Delivered) or not row.code_draft or not row.files:
        return []
    left, right = (python_lines(clip_lines(text)) for text in (row.code_draft, row.files[0].text))
    lines: list[DiffLine] = []
    shown = 0  # lines of the right text that are shown
    for i1, i2, j1, j2 in changes(left, right):
        begin = max(shown, j1 - _CONTEXT)
        if begin > shown or not lines:
            lines.append(DiffLine(kind="gap", number=None, parts=[]))
        lines += [DiffLine(kind="same", number=n + 1, parts=_parts(right[n])) for n in range(begin, j1)]
        lines += [DiffLine(kind="removed", number=None, parts=_parts(line)) for line in left[i1:i2]]
        lines += [DiffLine(kind="added", number=n + 1, parts=_parts(right[n])) for n in range(j1, j2)]
        shown = j2
    return lines
