"""Judges asked about runs: each project by itself, and pairs in both orders, many questions under way at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from jobs.cluster.progress import RowProgress
from jobs.scoring.run_outputs import Run, output_of
from pipeline.comparison.judge_rows import MACHINERY_FAILED, NO_CODE, Judgement, Preference
from pipeline.errors import StageFailure
from pipeline.llm.protocol import LLM, Sampling
from pipeline.measures.contamination import contamination_of, contamination_sources
from pipeline.measures.judge import LONGEST, JudgedTask, judged, own_family, preferred
from pipeline.measures.outputs import is_machinery
from pipeline.measures.project_scores import measured_source
from pipeline.records import Scored
from pipeline.retrieval.sample_pool import load_samples


@dataclass(frozen=True, kw_only=True, slots=True)
class Questions:
    """Who is asked, and how."""

    judge: str
    """The model's name."""
    sampling: Sampling
    samples: int
    """How often each question is asked, each time with another seed."""
    pairs: bool
    """Whether projects are compared side by side as well."""
    at_once: int
    """Questions under way."""
    quiet: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Side:
    """One run's answers to the items that are judged, by id."""

    run: Run
    records: Mapping[str, Scored]


def sides_of(runs: Sequence[Run], items: int | None) -> list[Side]:
    """The runs' answers to `items` items, evenly spaced over the first run; to all for None."""
    ids = [record.id for record in runs[0].records()]
    if items is not None:
        step = -(-len(ids) // items)
        ids = ids[::step]
    chosen = set(ids)
    sides = []
    for run in runs:
        records = {record.id: record for record in run.records() if record.id in chosen}
        sides.append(Side(run=run, records=records))
    return sides


_T = TypeVar("_T")
_Question = Callable[[], Awaitable[_T]]
"""Asks when it is called, so that no more questions are under way than the semaphore admits."""


async def ask_judge(
    llm: LLM, questions: Questions, sides: Sequence[Side], ours: Side
) -> tuple[list[Judgement], list[Preference]]:
    """Every side's projects judged, and compared with those of `ours` where both have code.

    A method that gave no code has 0 points without a question; where the machinery failed there is nothing to
    judge.
    """
    not_asked: list[Judgement] = []
    scores: list[_Question[Judgement]] = []
    pairs: list[_Question[Preference]] = []
    for side in sides:
        for record in side.records.values():
            if not _has_code(record):
                not_asked.append(_not_asked(questions, side.run, record))
                continue
            for sample in range(questions.samples):
                scores.append(partial(_judgement, llm, questions, side.run, record, sample))
        if questions.pairs and side is not ours:
            pairs += _pair_questions(llm, questions, side, ours)
    with RowProgress("judge", len(scores) + len(pairs), quiet=questions.quiet) as progress:
        gate = asyncio.Semaphore(questions.at_once)
        # `gather` gives the answers in the order of the questions, whichever comes first.
        judgements = await asyncio.gather(*[_gated(gate, progress, question) for question in scores])
        preferences = await asyncio.gather(*[_gated(gate, progress, question) for question in pairs])
    return [*judgements, *not_asked], list(preferences)


def _pair_questions(llm: LLM, questions: Questions, side: Side, ours: Side) -> Iterator[_Question[Preference]]:
    """Each pair of projects in both orders, `samples` times."""
    runs = side.run, ours.run
    for item, record in side.records.items():
        other = ours.records.get(item)
        if other is None or not _has_code(record) or not _has_code(other):
            continue
        for sample in range(questions.samples):
            # Both orders: a judge may prefer what it reads first.
            for method_first in (True, False):
                yield partial(_preference, llm, questions, runs, (record, other), sample, method_first)


async def _gated(gate: asyncio.Semaphore, progress: RowProgress, question: _Question[_T]) -> _T:
    async with gate:
        answer = await question()
    progress.advance(1, 0)
    return answer


async def _judgement(llm: LLM, questions: Questions, run: Run, record: Scored, sample: int) -> Judgement:
    code = measured_source(record)
    values: dict[str, Any]
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


def _not_asked(questions: Questions, run: Run, record: Scored) -> Judgement:
    """The judgement of a record without code."""
    judgement = Judgement(
        **run.name._asdict(),
        item=record.id,
        sample=0,
        judge=questions.judge,
        own_family=own_family(questions.judge, run.name.model),
    )
    if record.failure is not None and is_machinery(record.failure):
        return replace(judgement, unasked=MACHINERY_FAILED)
    return replace(judgement, unasked=NO_CODE, compliance=0.0, usefulness=0.0, idiomaticity=0.0)


async def _preference(
    llm: LLM,
    questions: Questions,
    runs: tuple[Run, Run],
    records: tuple[Scored, Scored],
    sample: int,
    method_first: bool,
) -> Preference:
    """`runs` and `records`: the method's, and those of the method it is compared with."""
    project, other_project = map(measured_source, records)
    task, sampling = _task(records[0]), questions.sampling
    values: Mapping[str, Any]
    try:
        values = await preferred(llm, task, project, other_project, sampling, sample, ours_first=method_first)
    except StageFailure as error:
        values = {"failure": f"{error.kind}: {error}"}
    first = runs[0] if method_first else runs[1]
    of_own_family = [run.name.method for run in runs if own_family(questions.judge, run.name.model)]
    return Preference(
        **runs[0].name._asdict(),
        against=runs[1].name.method,
        item=records[0].id,
        sample=sample,
        first=first.name.method,
        judge=questions.judge,
        own_family=" and ".join(of_own_family),
        **values,
    )


def _has_code(record: Scored) -> bool:
    return bool(measured_source(record).strip())


def _task(record: Scored) -> JudgedTask:
    return JudgedTask(requirement=record.requirement, attributes=record.attributes)


def contaminated_by(sides: Sequence[Side]) -> dict[str, str]:
    """The contaminated items, with what they are contaminated by in any of the runs."""
    sources: dict[str, list[str]] = {}
    for side in sides:
        codes = {sample.id: sample.code for sample in load_samples(side.run.pool)}
        for item, record in side.records.items():
            contamination = contamination_of(output_of(record, codes), side.run.pool, side.run.plans)
            sources.setdefault(item, []).extend(contamination_sources(contamination))
    return {item: ", ".join(dict.fromkeys(names)) for item, names in sources.items() if names}
