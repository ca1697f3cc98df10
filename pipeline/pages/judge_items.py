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
    """A task with the projects of all methods (`codes`, by name), and what was asked about them."""

    task: ScoreItem
    codes: Mapping[str, str]
    judgements: Sequence[Judgement]
    preferences: Sequence[Preference]
    contaminated_by: str = ""

    @property
    def points(self) -> list[float]:
        """Each method's mean over aspects and samples."""
        found: dict[str, list[float]] = {}
        for row in self.judgements:
            scores = [value for aspect in ASPECTS if (value := getattr(row, aspect)) is not None]
            found.setdefault(_label(row), []).extend(scores)
        return [fmean(values) for values in found.values() if values]

    @property
    def failed(self) -> int:
        """Answers of the judge that could not be had or read."""
        return sum(bool(row.failure) for rows in (self.judgements, self.preferences) for row in rows)

    @property
    def unsteady(self) -> bool:
        """Whether a pair was answered otherwise in the other order."""
        answers: dict[tuple[str, int, str], set[float]] = {}
        for row in self.preferences:
            for aspect in ASPECTS:
                if (value := getattr(row, aspect)) is not None:
                    answers.setdefault((_label(row), row.sample, aspect), set()).add(value)
        return any(len(values) > 1 for values in answers.values())


def judged_item_json(item: JudgedItem) -> str:
    """What the page's script builds the opened item from; as `score_items.score_item_json`, but with `judgements` and
    `preferences`."""
    documents = Documents()
    places = [add_code(documents, name, code) for name, code in item.codes.items()]
    shown = [place for place in places if place is not None]
    for other in shown[1:4]:
        documents.compare(shown[0], other)
    said = {"judgements": list(_judgements(item)), "preferences": list(_preferences(item))}
    return script_json(item_view(item.task, documents) | said | {"contaminatedBy": item.contaminated_by})


def _judgements(item: JudgedItem) -> Iterator[list[object]]:
    """Method, sample, a score an aspect, and the reason or what went wrong."""
    for row in item.judgements:
        said = row.failure or (f"not asked: {row.unasked}" if row.unasked else row.reason)
        cut = " (only the project's start was judged)" if row.cut else ""
        yield [
            clip(_label(row), 90),
            row.sample + 1,
            *(getattr(row, aspect) for aspect in ASPECTS),
            clip(said, 2_000) + cut,
        ]


def _preferences(item: JudgedItem) -> Iterator[list[object]]:
    """The project shown first (A), the one shown second (B), sample, the better one by aspect, and the reason."""
    for row in item.preferences:
        first_is_method = row.first == row.method
        pair = [row.method, row.against] if first_is_method else [row.against, row.method]
        chosen = (_better(getattr(row, aspect), first_is_method) for aspect in ASPECTS)
        yield [*(clip(name, 90) for name in pair), row.sample + 1, *chosen, clip(row.failure or row.reason, 2_000)]


def _better(value: float | None, first_is_method: bool) -> str | None:
    if value is None:
        return None
    return "tie" if value == 0.5 else "A" if (value == 1.0) == first_is_method else "B"


def _label(row: Judgement | Preference) -> str:
    return MethodName.of(row).label
