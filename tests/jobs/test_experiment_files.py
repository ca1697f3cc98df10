"""The experiments that ship as files: each can be read, stands for the runs it says, and its runs work with a scripted
or the symbolic backend, by one changed setting."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from jobs.experiment_spec import ExperimentConfig, arms_of
from pipeline.config import PipelineSettings, load_settings
from pipeline.generate.llm.asking import Asker
from pipeline.generate.llm.chains import Categories, make_chains, save_chains
from pipeline.inputs import read_requirements
from pipeline.llm.scripted import ScriptedLLM
from pipeline.methods import generation_stages
from pipeline.records import Scored
from pipeline.retrieval.sample_pool import load_known_plans
from pipeline.score.score import main_source
from pipeline.stage import run_local
from tests.pipeline.generate.llm.scripts import competent

FOLDER = Path(__file__).parents[2] / "jobs/configs/experiments"
SCRIPTED = 'models=[{"name": "s", "llm": "scripted", "model": "tests.pipeline.generate.llm.scripts:competent"}]'
RUNS = {
    "rq1": 5 * 3 + 1,
    "rq2": 5,
    "rq3": 3,
    "rq4": 6 * 3,
    "rq5": 5 * 3,
    "prompt-isolation": 3 * 3,
    "template-abstraction": 2 * 3,
    "pool-swap": 2 + 4,
    "top-k": 4 + 4,
    "retrieval-relevance": 3 * 2 + 2,
}


@pytest.fixture(scope="module")
def chains(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = str(tmp_path_factory.mktemp("c-cot") / "chains.json")
    llm = ScriptedLLM(competent)
    made = asyncio.run(make_chains(Asker(llm, PipelineSettings()), Categories(load_known_plans("starter")), 3))
    save_chains(path, llm.model, made)
    return path


def test_all_files_are_known() -> None:
    assert {path.stem for path in FOLDER.glob("*.yaml")} == set(RUNS)


@pytest.mark.parametrize("name", sorted(RUNS))
def test_a_file_stands_for_its_runs(name: str) -> None:
    arms = arms_of(load_settings(ExperimentConfig, str(FOLDER / f"{name}.yaml")))
    assert len(arms) == RUNS[name]
    assert len({arm.config.out for arm in arms}) == len(arms)


@pytest.mark.parametrize("name", sorted(RUNS))
def test_its_runs_work_with_a_scripted_model(name: str, chains: str) -> None:
    arms = arms_of(
        load_settings(ExperimentConfig, str(FOLDER / f"{name}.yaml"), [SCRIPTED, "temperatures=[1.5]", "seeds=[0]"])
    )
    row = next(read_requirements("starter"))
    for arm in arms:
        if arm.config.planner.kind == "llm":
            continue  # the planner's own tests script its answers
        settings = PipelineSettings.model_validate(
            {field: getattr(arm.config, field) for field in PipelineSettings.model_fields}
            | {"c_cot": {"chains": chains}}
        )
        (done,) = run_local(generation_stages(settings, lambda: ScriptedLLM(competent)), [row])
        assert isinstance(done, Scored)
        assert done.failure is None, f"{arm.title}: {done.failure}"
        assert main_source(done).strip(), arm.title


def test_variants_reach_the_runs_and_their_names() -> None:
    arms = arms_of(load_settings(ExperimentConfig, str(FOLDER / "top-k.yaml"), [SCRIPTED]))
    tops = {arm.title: arm.config.retrieval.top for arm in arms}
    assert tops["symbolic, top 5, seed 0"] == 5
    assert tops["dlcodegen, top 1, s, temperature 1.5, seed 0"] == 1
    assert len({arm.group for arm in arms}) == len(arms)
