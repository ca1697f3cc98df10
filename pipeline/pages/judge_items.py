"""The items that a judge's page opens: the task, every project, and what the judge said of each and of each pair."""

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
            scores = [value for aspect in ASPECTS if (value := getattr(row, aspect)) is not None]
            by_method.setdefault(MethodName.of(row).label, []).extend(scores)
        return [fmean(scores) for scores in by_method.values() if scores]

    @property
    def failed(self) -> int:
        """Answers of the judge that could not be had or read."""
        of_projects = sum(bool(row.failure) for row in self.judgements)
        of_pairs = sum(bool(row.failure) for row in self.preferences)
        return of_projects + of_pairs

    @property
    def unsteady(self) -> bool:
        """Whether a pair was answered otherwise in the other order."""
        answers: dict[tuple[str, int, str], set[float]] = {}
        for row in self.preferences:
            for aspect in ASPECTS:
                value = getattr(row, aspect)
                if value is not None:
                    answers.setdefault((MethodName.of(row).label, row.sample, aspect), set()).add(value)
        return any(len(values) > 1 for values in answers.values())


def judged_item_json(item: JudgedItem) -> str:
    """What the page's script builds the opened item from; as `score_items.score_item_json`, but with `judgements` and
    `preferences`."""
    documents = Documents()
    numbers = [add_code(documents, name, code) for name, code in item.codes.items()]
    projects = [number for number in numbers if number is not None]
    for other in projects[1:4]:  # a page with all pairs of many methods would be too large
        documents.compare(projects[0], other)
    said = {"judgements": list(_judgements(item)), "preferences": list(_preferences(item))}
    return script_json(item_view(item.task, documents) | said | {"contaminatedBy": item.contaminated_by})


def _judgements(item: JudgedItem) -> Iterator[list[object]]:
    """Method, sample, a score an aspect, and the reason or what went wrong."""
    for row in item.judgements:
        reason = f"not asked: {row.unasked}" if row.unasked else row.reason
        cut = " (only the project's start was judged)" if row.cut else ""
        yield [
            clip(MethodName.of(row).label, 90),
            row.sample + 1,
            *(getattr(row, aspect) for aspect in ASPECTS),
            clip(row.failure or reason, 2_000) + cut,
        ]


def _preferences(item: JudgedItem) -> Iterator[list[object]]:
    """The project shown first (A), the one shown second (B), sample, the better one by aspect, and the reason."""
    for row in item.preferences:
        method_first = row.first == row.method
        first, second = (row.method, row.against) if method_first else (row.against, row.method)
        chosen = [_chosen(getattr(row, aspect), method_first) for aspect in ASPECTS]
        reason = clip(row.failure or row.reason, 2_000)
        yield [clip(first, 90), clip(second, 90), row.sample + 1, *chosen, reason]


def _chosen(value: float | None, method_first: bool) -> str | None:
    """The better project by the letter that it was shown under, from the value that the method has."""
    if value is None:
        return None
    if value == 0.5:
        return "tie"
    method_won = value == 1.0
    return "A" if method_won == method_first else "B"
