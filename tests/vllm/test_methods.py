"""Whole methods through the job, Ray Serve and vLLM: a model that knows one program, asked for every stage."""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path

import pyarrow.dataset
import pytest

pytest.importorskip("vllm", reason="needs the `cpu` extra")

from ray import serve

from jobs.experiment import main as experiment
from jobs.experiments.spec import ExperimentConfig
from jobs.generate import main as generate
from jobs.generation.settings import GenerateConfig
from jobs.runs.store import RunStore
from pipeline.errors import DLCodeGenError
from pipeline.plan.vocabulary import CATEGORIES
from pipeline.records import Scored
from pipeline.starter import requirement_rows
from serving.code_llm import APP
from tests.vllm import tiny_models
from tests.vllm.conftest import ENGINE

METHODS = ["dlcodegen", "ps", "direct"]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("input") / "requirements.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in list(requirement_rows())[:3]))
    return str(path)


@pytest.fixture(scope="module")
def out(source: str, port: int, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An experiment's folder: three methods on one engine, deployed by the job itself on the Ray of this folder."""
    serve.delete(APP)  # the engine tests' own
    folder = tmp_path_factory.mktemp("experiment")
    model = tiny_models.teach(tiny_models.llama(folder / "models" / "taught-llama"))
    spec = ExperimentConfig(
        input=source,
        out=str(folder / "out"),
        methods=METHODS,
        models=[{"name": "taught", "llm": "vllm", "model": str(model), "engine": ENGINE | {"context_length": 8192}}],
        temperatures=[0.0],  # what it was taught, without slips
        settings={"max_tokens": 2000},
        quiet=True,
    )
    done = experiment(spec)
    assert (done.runs, done.runs_begun, done.pending_rows, done.bugs) == (3, 3, 0, 0)
    return folder / "out"


def results(out: Path, method: str) -> list[Scored]:
    (run,) = [path for path in (out / "runs").iterdir() if path.name.startswith(method)]
    return list(RunStore(str(run)).results())


@pytest.mark.parametrize("method", METHODS)
def test_every_row_is_a_project_that_the_model_wrote(out: Path, method: str) -> None:
    rows = results(out, method)
    assert [row.failure for row in rows] == [None] * 3
    for row in rows:
        assert any("Sequential()" in file.text for file in row.files)
        assert all(call.completion_tokens > 0 and call.prompt_tokens > 0 for call in row.calls)


def test_dlcodegen_asks_for_plan_template_drafts_and_comparison(out: Path) -> None:
    for row in results(out, "dlcodegen"):
        stages = [call.stage for call in row.calls]
        assert [stage for stage, _ in groupby(stages)] == ["plan", "template", "draft", "compare"]
        assert stages.count("draft") >= 2, "a reply without code is asked for once more, which depends on the CPU"
        assert row.template
        assert row.code_draft
        assert row.template_draft


def test_prompts_that_begin_alike_share_the_engines_work(out: Path) -> None:
    (run,) = (out / "runs").glob("dlcodegen*")
    table = pyarrow.dataset.dataset(run / "calls").to_table()
    assert sum(table["cached_tokens"].to_pylist()) > 0


def test_the_plan_of_plan_and_solve_is_held_to_the_schema(out: Path) -> None:
    for row in results(out, "ps"):
        assert row.plan is not None
        assert row.plan.task_category in CATEGORIES, "a word that the model was never taught"
        assert row.plan.dataset.input


def test_a_model_that_is_not_there_is_named(source: str, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    for model, words in (("/no/such/folder", "no such folder"), (str(empty), "config.json")):
        out = str(tmp_path / f"out-{Path(model).name}")
        config = GenerateConfig(input=source, out=out, llm="vllm", model=model, method="direct", quiet=True)
        with pytest.raises(DLCodeGenError, match=words):
            generate(config)
