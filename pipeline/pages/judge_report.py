"""The page of `dlcodegen judge`: scores, differences and preferences with their
uncertainty, and every answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.comparison.code_rows import ALL, BASELINES, CLEAN
from pipeline.comparison.comparisons import Comparison
from pipeline.comparison.judge_rows import JudgedRow, PreferenceRow
from pipeline.comparison.verdict import WITHIN_NOISE
from pipeline.measures.judge import ASPECTS
from pipeline.measures.outputs import MethodName
from pipeline.pages.judge_items import JudgedItem, judged_item_json
from pipeline.pages.report_page import Target, setting_rows, write_page
from pipeline.pages.score_report import span


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgePage:
    """Everything the page shows."""

    judge: str
    lede: str
    """The sentence under the title."""
    warnings: Sequence[str]
    """What a reader has to know about the judge."""
    rows: Sequence[JudgedRow]
    comparisons: Sequence[Comparison]
    preferences: Sequence[PreferenceRow]
    items: Sequence[JudgedItem]
    asked: int
    published: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """By method and aspect what the paper prints (Table III)."""
    settings: Mapping[str, object] = field(default_factory=dict)

    def methods(self, subset: str) -> dict[MethodName, dict[str, JudgedRow]]:
        """Each method's rows by aspect."""
        by_method: dict[MethodName, dict[str, JudgedRow]] = {}
        for row in self.rows:
            if row.subset == subset:
                by_method.setdefault(MethodName.of(row), {})[row.aspect] = row
        return by_method

    def compared(self, aspect: str, subset: str) -> list[Comparison]:
        return [row for row in self.comparisons if (row.measure, row.subset) == (aspect, subset)]

    def preferred(self, aspect: str, subset: str) -> list[PreferenceRow]:
        return [row for row in self.preferences if (row.aspect, row.subset) == (aspect, subset)]


def write_judge_report(page: JudgePage, out: Target) -> None:
    """Writes the page; equal input gives equal bytes."""
    # A generator: an item's JSON is made when it is written, not all of them held.
    data = ((item.task.number, judged_item_json(item)) for item in page.items)
    write_page(
        out,
        "judge_report.html.jinja",
        title=f"Judged by {page.judge}",
        data=data,
        styles=("report.css", "score_report.css"),
        page=page,
        items=page.items,
        settings=list(setting_rows(page.settings)),
        aspects=ASPECTS,
        subsets=[ALL, CLEAN],
        baselines=BASELINES,
        noise=WITHIN_NOISE,
        everything=ALL,
        clean=CLEAN,
        span=span,
    )
