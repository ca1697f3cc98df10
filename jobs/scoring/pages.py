"""The HTML page of a scoring: what it says, and which items it opens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice

from jobs.scoring.code_tables import CodeTables
from jobs.scoring.run_outputs import Run
from pipeline.comparison.method_costs import method_costs
from pipeline.measures.call_totals import CallTotals
from pipeline.measures.outputs import Measured, MethodName, Output, Shown
from pipeline.measures.project_scores import main_source
from pipeline.pages.findings import findings
from pipeline.pages.report_summary import category
from pipeline.pages.score_items import Answer, ScoreItem
from pipeline.pages.score_report import ScorePage
from pipeline.records import Scored
from pipeline.retrieval.sample_pool import load_samples


def runs_page(tables: CodeTables, runs: Sequence[Run], against: str, items: int) -> ScorePage:
    """The page of scored runs. `items`: how many it opens, evenly spaced over the first run."""
    names = ", ".join([run.name.method for run in runs])
    title = f"Scores of {names}"
    if len(names) >= 80:  # does not fit a line
        title = f"Scores of {len(runs)} runs"
    rows = runs[0].rows
    seeds = frozenset(chain.from_iterable(tables.seed_groups.values()))
    without_seeds = [row for row in tables.rows if MethodName.of(row) not in seeds]
    lede = f"{rows} items."
    if len(runs) > 1:
        lede = f"{rows} items of the first of {len(runs)} runs; differences are from {against}."
    return ScorePage(
        title=title,
        lede=lede,
        findings=tuple(findings(tables.methods, without_seeds, tables.comparisons)),
        methods=tables.methods,
        rows=tables.rows,
        comparisons=tables.comparisons,
        items=tuple(_opened_items(tables, runs, items)),
        asked=rows,
        costs=method_costs(tables.methods, tables.executions, {run.name: CallTotals.of(run.calls()) for run in runs}),
        seeds=seeds,
        settings={run.name.label: dict(run.settings) for run in runs},
    )


def artifact_items(tables: CodeTables, outputs: Mapping[MethodName, Sequence[Output]]) -> Iterator[ScoreItem]:
    """Every item of the artifact with all released answers."""
    for number, same_item in enumerate(zip(*outputs.values(), strict=True)):
        answers = []
        for name, output in zip(outputs, same_item, strict=True):
            measured = tables.measured[name][number]
            answers.append(Answer(method=name.label, measured=measured, code=output.code))
        first = same_item[0]
        yield ScoreItem(
            number=number,
            id=first.item,
            requirement=first.requirement,
            category=first.category,
            reference=first.reference or "",
            plan=first.plan,
            plan_title="Known plan",
            answers=answers,
        )


def _opened_items(tables: CodeTables, runs: Sequence[Run], limit: int) -> Iterator[ScoreItem]:
    """At most `limit` items, evenly spaced over the first run, with what every run answered."""
    if not limit:
        return
    step = max(1, -(-runs[0].rows // limit))  # rounded up, so that no more than `limit` are opened
    chosen = {record.id for record in islice(runs[0].records(), 0, None, step)}
    records: dict[MethodName, dict[str, Scored]] = {}
    measured: dict[MethodName, dict[str, Measured]] = {}
    for run in runs:
        records[run.name] = {record.id: record for record in run.records() if record.id in chosen}
        measured[run.name] = {item.item: item for item in tables.measured[run.name] if item.item in chosen}
    codes = {sample.id: sample.code for sample in load_samples(runs[0].pool)}
    for record in records[runs[0].name].values():
        in_pool = [sample for sample in record.samples if sample.id in codes]
        yield ScoreItem(
            number=record.row,
            id=record.id,
            requirement=record.requirement,
            attributes=record.attributes,
            category=category(record),
            reference=record.reference or "",
            plan=record.plan,
            samples=record.samples,
            shown=[Shown(id=sample.id, code=codes[sample.id]) for sample in in_pool],
            answers=list(_answers(record.id, runs, records, measured)),
        )


def _answers(
    item: str,
    runs: Sequence[Run],
    records: Mapping[MethodName, Mapping[str, Scored]],
    measured: Mapping[MethodName, Mapping[str, Measured]],
) -> Iterator[Answer]:
    """What each run answered to the item; a run that did not come to it answers nothing."""
    for run in runs:
        record = records[run.name].get(item)
        if record is not None:
            drafts = {"Draft 1": record.code_draft, "Draft 2": record.template_draft, "Template": record.template}
            yield Answer(
                method=run.name.label,
                measured=measured[run.name][item],
                code=main_source(record),
                drafts={name: text for name, text in drafts.items() if text},
            )
