"""Judges asked about runs: each project by itself, and pairs in both orders, many questions under way at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from jobs.cluster.progress import RowProgress
from jobs.scoring.run_outputs import Run, output_of
from pipeline.comparison.comparisons import Comparison
from pipeline.comparison.judge_rows import MACHINERY_FAILED, NO_CODE, JudgedRow, Judgement, Preference, PreferenceRow
from pipeline.errors import StageFailure
from pipeline.llm.protocol import LLM, Sampling
from pipeline.measures.contamination import contamination_of, contamination_sources
from pipeline.measures.judge import LONGEST, JudgedTask, judged, own_family, preferred
from pipeline.measures.outputs import is_machinery
from pipeline.measures.project_scores import main_source
from pipeline.records import Scored
from pipeline.retrieval.sample_pool import load_samples


@dataclass(frozen=True, kw_only=True, slots=True)
class Questions:
    """How a judge is asked: its name, how each question is sampled and how often, whether pairs are compared, and how
    many questions are under way."""

    judge: str
    sampling: Sampling
    samples: int
    pairs: bool
    at_once: int
    quiet: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Judging:
    """What judging came to, written to `out`: the tables, the single `judgements` and `answers` to pairs, and the
    contaminated items with what they are contaminated by. `warnings`: what a reader has to know about the judge."""

    judge: str
    rows: tuple[JudgedRow, ...]
    comparisons: tuple[Comparison, ...]
    preferences: tuple[PreferenceRow, ...]
    failures: int
    warnings: tuple[str, ...]
    judgements: tuple[Judgement, ...]
    answers: tuple[Preference, ...]
    contaminated: Mapping[str, str]
    out: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Side:
    """One run's answers to the items that are judged, by id."""

    run: Run
    records: Mapping[str, Scored]


def sides_of(runs: Sequence[Run], items: int | None) -> list[Side]:
    """The runs' answers to `items` items, evenly spaced over the first run; to all for None."""
    ids = [record.id for record in runs[0].records()]
    chosen = set(ids if items is None else ids[:: -(-len(ids) // items)])
    return [
        Side(run=run, records={record.id: record for record in run.records() if record.id in chosen}) for run in runs
    ]


async def ask_judge(
    llm: LLM, questions: Questions, sides: Sequence[Side], ours: Side
) -> tuple[list[Judgement], list[Preference]]:
    """Every side's projects judged, and compared with those of `ours` where both have code. A method that gave no code
    has 0 points without a question; where the machinery failed there is nothing to judge."""
    unasked = [
        _not_asked(questions, side.run, record)
        for side in sides
        for record in side.records.values()
        if not main_source(record).strip()
    ]
    scores = [
        _judgement(llm, questions, side.run, record, sample)
        for side in sides
        for record in side.records.values()
        if main_source(record).strip()
        for sample in range(questions.samples)
    ]
    pairs = [
        _preference(llm, questions, (side.run, ours.run), (record, ours.records[item]), sample, ours_first)
        for side in sides
        if questions.pairs and side is not ours
        for item, record in side.records.items()
        if item in ours.records and main_source(record).strip() and main_source(ours.records[item]).strip()
        for sample in range(questions.samples)
        for ours_first in (True, False)
    ]
    with RowProgress("judge", len(scores) + len(pairs), quiet=questions.quiet) as progress:
        gate = asyncio.Semaphore(questions.at_once)
        judgements = await asyncio.gather(*(_gated(gate, progress, work) for work in scores))
        preferences = await asyncio.gather(*(_gated(gate, progress, work) for work in pairs))
    return [*judgements, *unasked], list(preferences)


_T = TypeVar("_T")


async def _gated(gate: asyncio.Semaphore, progress: RowProgress, work: Callable[[], Awaitable[_T]]) -> _T:
    async with gate:
        done = await work()
    progress.advance(1, 0)
    return done


def _judgement(
    llm: LLM, questions: Questions, run: Run, record: Scored, sample: int
) -> Callable[[], Awaitable[Judgement]]:
    async def ask() -> Judgement:
        code = main_source(record)
        values: dict[str, Any] = {}
        try:
            values = (await judged(llm, _task(record), code, questions.sampling, sample)).model_dump()
        except StageFailure as error:
            values = {"failure": f"{error.kind}: {error}"}
        return Judgement(
            **run.name._asdict(),
            item=record.id,
            sample=sample,
            judge=questions.judge,
            own_family=own_family(questions.judge, run.name.model),
            cut=len(code) > LONGEST,
            **values,
        )

    return ask


def _not_asked(questions: Questions, run: Run, record: Scored) -> Judgement:
    machinery = record.failure is not None and is_machinery(record.failure)
    judgement = Judgement(
        **run.name._asdict(),
        item=record.id,
        sample=0,
        judge=questions.judge,
        own_family=own_family(questions.judge, run.name.model),
        unasked=MACHINERY_FAILED if machinery else NO_CODE,
    )
    return judgement if machinery else replace(judgement, compliance=0.0, usefulness=0.0, idiomaticity=0.0)


def _preference(
    llm: LLM,
    questions: Questions,
    runs: tuple[Run, Run],
    records: tuple[Scored, Scored],
    sample: int,
    method_first: bool,
) -> Callable[[], Awaitable[Preference]]:
    async def ask() -> Preference:
        written, other = (main_source(record) for record in records)
        values: Mapping[str, Any]
        try:
            values = await preferred(
                llm, _task(records[0]), written, other, questions.sampling, sample, ours_first=method_first
            )
        except StageFailure as error:
            values = {"failure": f"{error.kind}: {error}"}
        return Preference(
            **runs[0].name._asdict(),
            against=runs[1].name.method,
            item=records[0].id,
            sample=sample,
            first=runs[0 if method_first else 1].name.method,
            judge=questions.judge,
            own_family=" and ".join(run.name.method for run in runs if own_family(questions.judge, run.name.model)),
            **values,
        )

    return ask


def _task(record: Scored) -> JudgedTask:
    return JudgedTask(requirement=record.requirement, attributes=record.attributes)


def contaminated_by(sides: Sequence[Side]) -> dict[str, str]:
    """The contaminated items, with what they are contaminated by in any of the runs."""
    found: dict[str, list[str]] = {}
    for side in sides:
        samples = {sample.id: sample.code for sample in load_samples(side.run.pool)}
        for item, record in side.records.items():
            known = contamination_sources(contamination_of(output_of(record, samples), side.run.pool, side.run.plans))
            found.setdefault(item, []).extend(known)
    return {item: ", ".join(dict.fromkeys(names)) for item, names in found.items() if names}
