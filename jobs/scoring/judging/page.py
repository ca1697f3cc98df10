"""Judgements as a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from jobs.scoring.judging.asking import Side
from jobs.scoring.judging.results import Judging
from jobs.scoring.reproduction.published import load_published
from pipeline.measures.project_scores import measured_source
from pipeline.pages.judge_items import JudgedItem
from pipeline.pages.judge_report import JudgePage
from pipeline.pages.report_summary import category
from pipeline.pages.score_items import ScoreItem


def judge_page(
    judging: Judging, sides: Sequence[Side], ours: Side, settings: Mapping[str, object], items: int
) -> JudgePage:
    """The page of judged runs. `items`: how many it opens, evenly spaced."""
    names = [side.run.name for side in sides]
    labels = [name.label for name in names]
    count = len(sides[0].records)
    lede = f"{count} items by {', '.join(labels)}"
    if len(sides) > 1:
        lede += f"; differences and pairs are against {ours.run.name.label}"
    table_iii = load_published().judged
    published: dict[str, dict[str, float]] = {}
    for name in names:
        values = table_iii.of(name.method)
        if values:
            published[name.label] = values
    return JudgePage(
        judge=judging.judge,
        lede=f"{lede}.",
        warnings=judging.warnings,
        rows=judging.rows,
        comparisons=judging.comparisons,
        preferences=judging.preferences,
        items=tuple(_opened_items(judging, sides, ours, items)),
        asked=count,
        published=published,
        settings=settings,
    )


def _opened_items(judging: Judging, sides: Sequence[Side], ours: Side, limit: int) -> Iterator[JudgedItem]:
    """At most `limit` items, evenly spaced, with the projects of all sides, `ours` first."""
    if not limit:
        return
    step = max(1, -(-len(ours.records) // limit))  # rounded up, so that no more than `limit` are opened
    others = [side for side in sides if side is not ours]
    for item, record in islice(ours.records.items(), 0, None, step):
        codes: dict[str, str] = {}
        for side in (ours, *others):
            if item in side.records:
                codes[side.run.name.label] = measured_source(side.records[item])
        yield JudgedItem(
            task=ScoreItem(
                number=record.row,
                id=item,
                requirement=record.requirement,
                attributes=record.attributes,
                category=category(record),
                plan=record.plan,
                plan_title=f"Plan of {ours.run.name.method}",
            ),
            codes=codes,
            judgements=[row for row in judging.judgements if row.item == item],
            preferences=[row for row in judging.answers if row.item == item],
            contaminated_by=judging.contaminated.get(item, ""),
        )
