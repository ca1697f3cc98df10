"""The HTML page of a scoring: what it says, and which items it opens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from jobs.scoring.code_tables import CodeTables
from jobs.scoring.run_outputs import Run
from pipeline.measures.outputs import Measured, MethodName, Output, Shown
from pipeline.measures.project_scores import main_source
from pipeline.pages.findings import findings
from pipeline.pages.report_summary import category
from pipeline.pages.score_items import Answer, ScoreItem
from pipeline.pages.score_report import ScorePage
from pipeline.records import Scored
from pipeline.retrieval.sample_pool import load_samples


def runs_page(found: CodeTables, runs: Sequence[Run], against: str, items: int) -> ScorePage:
    """The page of scored runs. `items`: how many it opens, evenly spaced over the first run."""
    names = ", ".join(run.name.method for run in runs)
    rows = runs[0].rows
    seeds = frozenset(run for group in found.seed_groups.values() for run in group)
    summed_up = [row for row in found.rows if MethodName.of(row) not in seeds]
    asked = f"{rows} items" if len(runs) == 1 else f"{rows} items of the first of {len(runs)} runs"
    return ScorePage(
        title=f"Scores of {names}" if len(names) < 80 else f"Scores of {len(runs)} runs",
        lede=f"{asked}; differences are from {against}." if len(runs) > 1 else f"{asked}.",
        findings=tuple(findings(found.methods, summed_up, found.comparisons)),
        methods=found.methods,
        rows=found.rows,
        comparisons=found.comparisons,
        items=tuple(_opened(found, runs, items)),
        asked=rows,
        seeds=seeds,
        settings={run.name.label: dict(run.settings) for run in runs},
    )


def artifact_items(found: CodeTables, outputs: Mapping[MethodName, Sequence[Output]]) -> Iterator[ScoreItem]:
    """Every item of the artifact with all released answers."""
    for number, same_item in enumerate(zip(*outputs.values(), strict=True)):
        first = same_item[0]
        yield ScoreItem(
            number=number,
            id=first.item,
            requirement=first.requirement,
            category=first.category,
            reference=first.reference or "",
            plan=first.plan,
            plan_title="Known plan",
            answers=[
                Answer(method=name.label, measured=found.measured[name][number], code=output.code)
                for name, output in zip(outputs, same_item, strict=True)
            ],
        )


def _opened(found: CodeTables, runs: Sequence[Run], limit: int) -> Iterator[ScoreItem]:
    step = max(1, -(-runs[0].rows // limit)) if limit else 0
    chosen = {record.id for place, record in enumerate(runs[0].records()) if step and place % step == 0}
    records: dict[MethodName, dict[str, Scored]] = {
        run.name: {record.id: record for record in run.records() if record.id in chosen} for run in runs
    }
    measured = {run.name: {item.item: item for item in found.measured[run.name] if item.item in chosen} for run in runs}
    codes = {sample.id: sample.code for sample in load_samples(runs[0].pool)}
    for record in records[runs[0].name].values():
        yield ScoreItem(
            number=record.row,
            id=record.id,
            requirement=record.requirement,
            attributes=record.attributes,
            category=category(record),
            reference=record.reference or "",
            plan=record.plan,
            samples=record.samples,
            shown=[Shown(id=item.id, code=codes[item.id]) for item in record.samples if item.id in codes],
            answers=list(_answers(record.id, runs, records, measured)),
        )


def _answers(
    id: str,
    runs: Sequence[Run],
    records: Mapping[MethodName, Mapping[str, Scored]],
    measured: Mapping[MethodName, Mapping[str, Measured]],
) -> Iterator[Answer]:
    for run in runs:
        record = records[run.name].get(id)
        if record is not None:
            drafts = {"Draft 1": record.code_draft, "Draft 2": record.template_draft, "Template": record.template}
            yield Answer(
                method=run.name.label,
                measured=measured[run.name][id],
                code=main_source(record),
                drafts={name: text for name, text in drafts.items() if text},
            )
