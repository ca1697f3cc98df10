"""Judgements as a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from jobs.scoring.judging.asking import Side
from jobs.scoring.judging.results import Judging
from jobs.scoring.reproduction.published import load_published
from pipeline.measures.project_scores import main_source
from pipeline.pages.judge_items import JudgedItem
from pipeline.pages.judge_report import JudgePage
from pipeline.pages.report_summary import category
from pipeline.pages.score_items import ScoreItem


def judge_page(
    found: Judging, sides: Sequence[Side], ours: Side, settings: Mapping[str, object], items: int
) -> JudgePage:
    """The page of judged runs. `items`: how many it opens, evenly spaced."""
    names = ", ".join(side.run.name.label for side in sides)
    asked = len(sides[0].records)
    table_iii = load_published().judged
    published = {side.run.name.label: printed for side in sides if (printed := table_iii.of(side.run.name.method))}
    return JudgePage(
        judge=found.judge,
        lede=f"{asked} items by {names}"
        + (f"; differences and pairs are against {ours.run.name.label}." if len(sides) > 1 else "."),
        warnings=found.warnings,
        rows=found.rows,
        comparisons=found.comparisons,
        preferences=found.preferences,
        items=tuple(_opened(found, sides, ours, items)),
        asked=asked,
        published=published,
        settings=settings,
    )


def _opened(found: Judging, sides: Sequence[Side], ours: Side, limit: int) -> Iterator[JudgedItem]:
    step = max(1, -(-len(ours.records) // limit)) if limit else 0
    in_order = [ours, *(side for side in sides if side is not ours)]
    for place, (item, record) in enumerate(ours.records.items()):
        if not step or place % step:
            continue
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
            codes={side.run.name.label: main_source(side.records[item]) for side in in_order if item in side.records},
            judgements=[row for row in found.judgements if row.item == item],
            preferences=[row for row in found.answers if row.item == item],
            contaminated_by=found.contaminated.get(item, ""),
        )
