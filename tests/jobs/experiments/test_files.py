"""The experiments that ship as files: each can be read, stands for the runs it says, and its runs and tables work with
a scripted model in the place of a real one, by one changed setting. What Ray adds is tested in tests/ray."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from itertools import islice
from pathlib import Path

import pytest

from jobs.experiments.runs import compared_with, named_arms, seeds_by_method
from jobs.experiments.spec import Arm, ExperimentConfig, arms_of
from jobs.experiments.table import table_rows
from jobs.experiments.terminal import experiment_tables
from jobs.runs.call_rows import call_rows
from jobs.scoring.code_tables import CodeTables, code_tables
from jobs.scoring.run_outputs import output_of
from pipeline.config import load_settings
from pipeline.generate.llm.chains import Categories, make_chains, save_chains
from pipeline.inputs import read_requirements
from pipeline.llm.asking.asker import Asker
from pipeline.llm.protocol import ChatRequest
from pipeline.llm.scripted import ScriptedLLM
from pipeline.measures.output_measures import measure_all
from pipeline.methods import generation_stages
from pipeline.records import Scored
from pipeline.retrieval.sample_pool import load_known_plans, load_samples
from pipeline.stage import run_local
from tests.pipeline.generate.llm.scripts import competent

FOLDER = Path(__file__).parents[3] / "jobs/configs/experiments"
SCRIPTED = 'models=[{"name": "s", "llm": "scripted", "model": "tests.pipeline.generate.llm.scripts:competent"}]'
RUNS = {
    "rq1": 5 * 3 + 1,
    "rq2": 6,
    "rq3": 3,
    "rq4": 6 * 3,
    "rq5": 5 * 3,
    "prompt-isolation": 3 * 3,
    "template-abstraction": 2 * 3,
    "pool-swap": 2 + 4,
    "top-k": 4 + 4,
    "retrieval-relevance": 3 * 2 + 2,
    "pytorch": 2 * 2,
    "conventions": 3 * 3,
}
ROWS = 2


@pytest.fixture(scope="module")
def chains(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = str(tmp_path_factory.mktemp("c-cot") / "chains.json")
    llm = ScriptedLLM(competent)
    made = asyncio.run(make_chains(Asker(llm), Categories(load_known_plans("starter")), 3))
    save_chains(path, llm.model, made)
    return path


def _arms(name: str, *settings: str) -> list[Arm]:
    """The runs with their `auto` locations settled, as the job does it."""
    arms = arms_of(load_settings(ExperimentConfig, str(FOLDER / f"{name}.yaml"), settings))
    return [replace(arm, config=arm.config.for_input(arm.config.run.input)) for arm in arms]


@cache
def _shared(request: ChatRequest) -> str:
    """Seeds and temperatures aside, runs ask much the same."""
    return competent(request)


def _run(arm: Arm, chains: str) -> list[Scored]:
    stages = generation_stages(arm.config, lambda: ScriptedLLM(_shared), chains)
    found = list(run_local(stages, islice(read_requirements(arm.config.run.input), 0, 20 * ROWS, 20)))
    return [record for record in found if isinstance(record, Scored)]


def _scored(arms: Sequence[Arm], runs: Sequence[list[Scored]]) -> CodeTables:
    names = named_arms(arms)
    measured = {
        name: measure_all(
            [
                output_of(record, {sample.id: sample.code for sample in load_samples(arm.config.retrieval.pool)})
                for record in records
            ],
            arm.config.retrieval.pool,
            (arm.config.planner.plans,),
        )
        for (name, arm), records in zip(names.items(), runs, strict=True)
    }
    against = {name: list(measured) for name in compared_with(names)}
    return code_tables(measured, against, seed_groups=seeds_by_method(names))


def test_all_files_are_known() -> None:
    assert {path.stem for path in FOLDER.glob("*.yaml")} == set(RUNS)


@pytest.mark.parametrize("name", sorted(RUNS))
def test_a_file_stands_for_its_runs(name: str) -> None:
    arms = _arms(name)
    assert len(arms) == RUNS[name]
    assert len({arm.config.run.out for arm in arms}) == len(arms)
    assert len(named_arms(arms)) == len(arms)


@pytest.mark.parametrize("name", sorted(RUNS))
def test_its_runs_end_in_its_table(name: str, chains: str) -> None:
    arms = _arms(name, SCRIPTED, "temperatures=[0.0, 1.5]" if name == "rq5" else "temperatures=[1.5]", "seeds=[0, 1]")
    # Two seeds of one method will do.
    arms = [arm for arm in arms if arm.seed == 0 or arm.config.writing.method == "dlcodegen"]
    runs = [_run(arm, chains) for arm in arms]
    assert [(arm.title, record.failure) for arm, run in zip(arms, runs, strict=True) for record in run] == [
        (arm.title, None) for arm in arms for _ in range(ROWS)
    ]
    found = _scored(arms, runs)
    calls = {arm_name: list(call_rows(run)) for arm_name, run in zip(named_arms(arms), runs, strict=True)}
    rows = [row for row in table_rows(named_arms(arms), found, calls) if row.subset == "all"]
    groups = list(dict.fromkeys(arm.group for arm in arms))
    assert [(row.method, row.model, row.temperature) for row in rows] == groups
    assert all(row.asked == row.generated == row.parsed == row.scored == ROWS * row.seeds for row in rows)
    assert all(row.codebleu_paper and row.codebleu_raw and row.length_ratio for row in rows)
    assert all((row.prompt_tokens or 0) > 0 for row in rows if row.model)
    compared = {(row.method, row.against) for row in found.comparisons}
    assert len(compared) == len(groups) - 1  # everything else with the first of DLCodeGen
    assert all(row.items == ROWS for row in found.comparisons if row.measure == "CodeBLEU" and row.subset == "all")
    assert sum(table.row_count for table in experiment_tables(rows)) == 2 * len(rows)


def test_variants_reach_the_runs_and_their_names() -> None:
    arms = _arms("top-k", SCRIPTED)
    tops = {arm.title: arm.config.retrieval.top for arm in arms}
    assert tops["symbolic, top 5, seed 0"] == 5
    assert tops["dlcodegen, top 1, s, temperature 1.5, seed 0"] == 1
    assert len({arm.group for arm in arms}) == len(arms)


def test_another_pool_is_one_option() -> None:
    arms = _arms("pool-swap", "variants.other.pool=out/corpus/samples.parquet#1/10")
    pools = {arm.config.retrieval.pool for arm in arms}
    assert pools == {"starter#1/2", "out/corpus/samples.parquet#1/10"}


def test_the_pools_of_a_swap_show_other_samples(chains: str) -> None:
    shown = [
        {sample.id for record in _run(arm, chains) for sample in record.samples}
        for arm in _arms("pool-swap", SCRIPTED)
        if arm.config.writing.method == "copy"
    ]
    assert shown[0]
    assert shown[1]
    assert not shown[0] & shown[1]
