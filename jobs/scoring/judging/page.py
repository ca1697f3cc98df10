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
    judging: Judging, sides: Sequence[Side], ours: Side, settings: Mapping[str, object], items: int
) -> JudgePage:
    """The page of judged runs. `items`: how many it opens, evenly spaced."""
    names = [side.run.name for side in sides]
    count = len(sides[0].records)
    lede = f"{count} items by {', '.join(name.label for name in names)}"
    if len(sides) > 1:
        lede += f"; differences and pairs are against {ours.run.name.label}"
    table_iii = load_published().judged
    printed = {name.label: table_iii.of(name.method) for name in names}
    return JudgePage(
        judge=judging.judge,
        lede=f"{lede}.",
        warnings=judging.warnings,
        rows=judging.rows,
        comparisons=judging.comparisons,
        preferences=judging.preferences,
        items=tuple(_opened_items(judging, sides, ours, items)),
        asked=count,
        published={label: values for label, values in printed.items() if values},
        settings=settings,
    )


def _opened_items(judging: Judging, sides: Sequence[Side], ours: Side, limit: int) -> Iterator[JudgedItem]:
    """At most `limit` items, evenly spaced, with the projects of all sides, `ours` first."""
    step = max(1, -(-len(ours.records) // limit)) if limit else 0
    in_order = [ours, *(side for side in sides if side is not ours)]
    for number, (item, record) in enumerate(ours.records.items()):
        if not step or number % step:
            continue
        with_item = [side for side in in_order if item in side.records]
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
            codes={side.run.name.label: main_source(side.records[item]) for side in with_item},
            judgements=[row for row in judging.judgements if row.item == item],
            preferences=[row for row in judging.answers if row.item == item],
            contaminated_by=judging.contaminated.get(item, ""),
        )
