"""The items that a judge's page opens: the task, every project, and what the judge
said of each and of each pair."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from pipeline.comparison.judge_rows import Judgement, Preference
from pipeline.measures.judge import ASPECTS
from pipeline.measures.outputs import MethodName
from pipeline.pages.report_items import Documents, script_json
from pipeline.pages.report_text import clip
from pipeline.pages.score_items import ScoreItem, add_code, item_view


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgedItem:
    """A task with the projects of all methods, and what a judge said of them."""

    task: ScoreItem
    codes: Mapping[str, str]
    """The project of each method, by its label."""
    judgements: Sequence[Judgement]
    preferences: Sequence[Preference]
    contaminated_by: str = ""

    @property
    def points(self) -> list[float]:
        """Each method's mean over aspects and samples."""
        by_method: dict[str, list[float]] = {}
        for row in self.judgements:
            scores = by_method.setdefault(MethodName.of(row).label, [])
            for aspect in ASPECTS:
                value = getattr(row, aspect)
                if value is not None:
                    scores.append(value)
        return [fmean(scores) for scores in by_method.values() if scores]

    @property
    def failed(self) -> int:
        """Answers of the judge that could not be had or read."""
        answers: list[Judgement | Preference] = [*self.judgements, *self.preferences]
        return sum(bool(answer.failure) for answer in answers)

    @property
    def unsteady(self) -> bool:
        """Whether a pair was answered otherwise in the other order."""
        answers: dict[tuple[str, int, str], set[float]] = {}
        for row in self.preferences:
            for aspect in ASPECTS:
                value = getattr(row, aspect)
                if value is not None:
                    pair = (MethodName.of(row).label, row.sample, aspect)  # the same in both orders
                    answers.setdefault(pair, set()).add(value)
        return any(len(values) > 1 for values in answers.values())


def judged_item_json(item: JudgedItem) -> str:
    """What the page's script builds the opened item from; as `score_items.score_item_json`, but
    with `judgements` and `preferences`."""
    documents = Documents()
    projects = []
    for name, code in item.codes.items():
        number = add_code(documents, name, code)
        if number is not None:
            projects.append(number)
    for other in projects[1:4]:  # a page with all pairs of many methods would be too large
        documents.compare(projects[0], other)
    said = {"judgements": list(_judgements(item)), "preferences": list(_preferences(item))}
    return script_json(item_view(item.task, documents) | said | {"contaminatedBy": item.contaminated_by})


def _judgements(item: JudgedItem) -> Iterator[list[object]]:
    """Method, sample, a score an aspect, and the reason or what went wrong."""
    for row in item.judgements:
        reason = row.reason
        if row.unasked:
            reason = f"not asked: {row.unasked}"
        note = clip(row.failure or reason, 2_000)
        if row.cut:
            note += " (only the project's start was judged)"
        scores = [getattr(row, aspect) for aspect in ASPECTS]
        yield [clip(MethodName.of(row).label, 90), row.sample + 1, *scores, note]


def _preferences(item: JudgedItem) -> Iterator[list[object]]:
    """The project shown first (A), the one shown second (B), sample, the better one
    by aspect, and the reason."""
    for row in item.preferences:
        method_first = row.first == row.method
        first, second = row.method, row.against
        if not method_first:
            first, second = second, first
        chosen = [_chosen(getattr(row, aspect), method_first) for aspect in ASPECTS]
        reason = clip(row.failure or row.reason, 2_000)
        yield [clip(first, 90), clip(second, 90), row.sample + 1, *chosen, reason]


def _chosen(value: float | None, method_first: bool) -> str | None:
    """The better project by the letter that it was shown under, from the value that
    the method has."""
    if value is None:
        return None
    if value == 0.5:
        return "tie"
    method_won = value == 1.0
    return "A" if method_won == method_first else "B"
