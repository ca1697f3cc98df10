"""A language model judges runs: scores by a rubric (Table III), and pairs in both orders.

    python -m jobs.judge out/direct out/ours --out out/judged llm=openai model=... base_url=...

Answers come through the response cache, so the same command goes on after a kill without asking twice. Written to the
folder, each as CSV and Parquet: judged (a method's aspect a row), judged_comparisons, preferred, and the single
answers as judgements and preferences; with manifest.json.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import Field

from jobs.dataflow import start_ray
from jobs.language_model import language_model
from jobs.progress import RowProgress
from jobs.result_files import write_tables
from jobs.scoring.run_outputs import Run, open_runs, run_named
from jobs.versions import versions_of
from pipeline.config import LLMSettings, load_settings
from pipeline.errors import DLCodeGenError, StageFailure
from pipeline.llm.protocol import LLM, Sampling
from pipeline.records import Scored
from pipeline.score.comparisons import Comparison
from pipeline.score.judge import ASPECTS, LONGEST, Task, judged, model_family, own_family, preferred
from pipeline.score.judge_rows import (
    JudgedRow,
    Judgement,
    Preference,
    PreferenceRow,
    judged_comparisons,
    judged_rows,
    preference_rows,
)
from pipeline.score.score import main_source
from pipeline.storage import join, write_bytes


class JudgeConfig(LLMSettings):
    """`samples`: how often each question is asked, each time with another seed. `against`: the run that the others are
    compared with, by default the first; `pairs` compares projects side by side as well. `items`: how many are judged,
    evenly spaced over the first run; by default all. `at_once`: questions under way."""

    runs: tuple[str, ...] = Field(min_length=1)
    out: str
    against: str | None = None
    samples: int = Field(3, ge=1)
    temperature: float = Field(0.7, ge=0)
    max_tokens: int = Field(600, ge=50)
    seed: int = 0
    pairs: bool = True
    items: int | None = Field(None, ge=1)
    at_once: int = Field(32, ge=1)
    address: str | None = None
    quiet: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Judging:
    """What `main` wrote to `out`. `warnings`: what a reader has to know about the judge, in words."""

    judge: str
    rows: tuple[JudgedRow, ...]
    comparisons: tuple[Comparison, ...]
    preferences: tuple[PreferenceRow, ...]
    failures: int
    warnings: tuple[str, ...]
    out: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Side:
    """One run's answers to the items that are judged."""

    run: Run
    records: Mapping[str, Scored]


def main(config: JudgeConfig) -> Judging:
    """Judges the runs and writes the folder. Raises DLCodeGenError for settings without a model, and for no run."""
    if config.llm == "none":
        raise DLCodeGenError(
            "a judge is a language model; set llm=openai model=NAME base_url=URL, or llm=vllm model=NAME"
        )
    runs = open_runs([run.rstrip("/") for run in config.runs])
    against = run_named(runs, config.against)
    settings = config.model_copy(update={"cache": config.cache_for(config.out) or "off"})
    if config.llm == "vllm":
        start_ray(config.address, None)
    with language_model(settings) as build:
        assert build is not None
        judgements, preferences = asyncio.run(_ask(build(), config, runs, against))
    judging = Judging(
        judge=config.model,
        rows=tuple(judged_rows(judgements)),
        comparisons=tuple(judged_comparisons(judgements, against.name)),
        preferences=tuple(preference_rows(preferences)),
        failures=sum(bool(row.failure) for row in judgements) + sum(bool(row.failure) for row in preferences),
        warnings=tuple(_warnings(config.model, runs)),
        out=config.out,
    )
    _write(judging, config, judgements, preferences)
    return judging


async def _ask(
    llm: LLM, config: JudgeConfig, runs: Sequence[Run], against: Run
) -> tuple[list[Judgement], list[Preference]]:
    sides = list(_sides(runs, config.items))
    ours = next(side for side in sides if side.run is against)
    sampling = Sampling(temperature=config.temperature, max_tokens=config.max_tokens, seed=config.seed)
    scores = [
        _judgement(llm, config, side.run, record, sampling, sample)
        for side in sides
        for record in side.records.values()
        if main_source(record).strip()
        for sample in range(config.samples)
    ]
    pairs = [
        _preference(llm, config, (side.run, ours.run), (record, ours.records[item]), sampling, sample, ours_first)
        for side in sides
        if config.pairs and side is not ours
        for item, record in side.records.items()
        if item in ours.records and main_source(record).strip() and main_source(ours.records[item]).strip()
        for sample in range(config.samples)
        for ours_first in (True, False)
    ]
    with RowProgress("judge", len(scores) + len(pairs), quiet=config.quiet) as progress:
        gate = asyncio.Semaphore(config.at_once)
        judgements = await asyncio.gather(*(_gated(gate, progress, work) for work in scores))
        preferences = await asyncio.gather(*(_gated(gate, progress, work) for work in pairs))
    return list(judgements), list(preferences)


_T = TypeVar("_T")


async def _gated(gate: asyncio.Semaphore, progress: RowProgress, work: Callable[[], Awaitable[_T]]) -> _T:
    async with gate:
        done = await work()
    progress.advance(1, 0)
    return done


def _judgement(
    llm: LLM, config: JudgeConfig, run: Run, record: Scored, sampling: Sampling, sample: int
) -> Callable[[], Awaitable[Judgement]]:
    async def ask() -> Judgement:
        code = main_source(record)
        values: dict[str, Any] = {}
        try:
            found = await judged(llm, _task(record), code, sampling, sample)
            values = found.model_dump()
        except StageFailure as error:
            values = {"failure": f"{error.kind}: {error}"}
        return Judgement(
            **run.name._asdict(),
            item=record.id,
            sample=sample,
            judge=config.model,
            own_family=own_family(config.model, run.name.model),
            cut=len(code) > LONGEST,
            **values,
        )

    return ask


def _preference(
    llm: LLM,
    config: JudgeConfig,
    runs: tuple[Run, Run],
    records: tuple[Scored, Scored],
    sampling: Sampling,
    sample: int,
    method_first: bool,
) -> Callable[[], Awaitable[Preference]]:
    async def ask() -> Preference:
        ours, theirs = (main_source(record) for record in records)
        values: dict[str, Any] = {}
        try:
            values |= await preferred(llm, _task(records[0]), ours, theirs, sampling, sample, ours_first=method_first)
        except StageFailure as error:
            values = {"failure": f"{error.kind}: {error}"}
        return Preference(
            **runs[0].name._asdict(),
            against=runs[1].name.method,
            item=records[0].id,
            sample=sample,
            first=runs[0 if method_first else 1].name.method,
            judge=config.model,
            own_family=" and ".join(run.name.method for run in runs if own_family(config.model, run.name.model)),
            **values,
        )

    return ask


def _sides(runs: Sequence[Run], items: int | None) -> Iterator[_Side]:
    ids = [record.id for record in runs[0].records()]
    chosen = set(ids if items is None else ids[:: -(-len(ids) // items)])
    for run in runs:
        yield _Side(run=run, records={record.id: record for record in run.records() if record.id in chosen})


def _task(record: Scored) -> Task:
    return Task(requirement=record.requirement, attributes=record.attributes)


def _warnings(judge: str, runs: Sequence[Run]) -> Iterator[str]:
    own = [run.name.method for run in runs if own_family(judge, run.name.model)]
    if own:
        family = model_family(judge) or judge
        yield f"{judge} judges its own family ({family}) in {', '.join(own)}: models favour what their family writes"
    if not model_family(judge):
        yield f"the family of {judge} is not known from its name, so whether it judges its own was not checked"
    if any(run.name.model and not model_family(run.name.model) for run in runs):
        yield "the family of a writer is not known from its name, so whether it is the judge's was not checked"


def _write(
    judging: Judging, config: JudgeConfig, judgements: Sequence[Judgement], preferences: Sequence[Preference]
) -> None:
    write_tables(
        config.out,
        {
            "judged": (judging.rows, JudgedRow),
            "judged_comparisons": (judging.comparisons, Comparison),
            "preferred": (judging.preferences, PreferenceRow),
            "judgements": (judgements, Judgement),
            "preferences": (preferences, Preference),
        },
    )
    manifest = {
        "judge": config.model,
        "family": model_family(config.model),
        "warnings": list(judging.warnings),
        "aspects": list(ASPECTS),
        "settings": config.model_dump(mode="json", exclude={"api_key_env"}),
        "versions": versions_of(("dlcodegen-ray", "numpy")),
        "asked": len(judgements) + len(preferences),
        "failed": judging.failures,
    }
    write_bytes(join(config.out, "manifest.json"), json.dumps(manifest, indent=2).encode() + b"\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", metavar="run or key=value")
    parser.add_argument("--out", required=True, help="the folder to write to")
    arguments = parser.parse_args()
    given = [text for text in arguments.runs if "=" in text]
    folders = tuple(text for text in arguments.runs if "=" not in text)
    print(main(load_settings(JudgeConfig, None, given, runs=folders, out=arguments.out)))
