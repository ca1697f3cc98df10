"""The three steps without a language model, on the bundled data."""

from __future__ import annotations

import ast
import json
from dataclasses import replace

import pytest

from pipeline.config import PipelineSettings
from pipeline.generate.deliver import deliver
from pipeline.inputs import read_requirements
from pipeline.methods import generation_stages
from pipeline.records import NOTEBOOK, README, REQUIREMENTS, SCRIPT, Requirement, Scored
from pipeline.retrieval.sample_pool import Sample, load_samples
from pipeline.stage import run_local
from pipeline.starter import STARTER, STARTER40


@pytest.fixture(scope="module")
def rows() -> list[Scored]:
    return list(run_local(generation_stages(PipelineSettings()), read_requirements(STARTER)))  # type: ignore[arg-type]


def _code(row: Scored) -> str:
    return next(file.text for file in row.files if file.path == SCRIPT)


def test_every_bundled_requirement_becomes_a_project(rows: list[Scored]) -> None:
    assert [row.failure for row in rows] == [None] * 100
    assert [row.row for row in rows] == list(range(100))
    for row in rows:
        assert [file.path for file in row.files] == [SCRIPT, NOTEBOOK, REQUIREMENTS, README]
        assert row.scores is not None
        assert row.scores.parses
        assert row.scores.undefined_names == ()
        assert row.scores.invalid_calls == ()


def test_projects_of_the_forty_keep_most_of_what_their_plans_say() -> None:
    """Samples of the matrix keep their own layers where the plan's would do no more of what is asked."""
    every_fifth = list(read_requirements(STARTER))[::5]
    rows = list(run_local(generation_stages(PipelineSettings(pool=STARTER40)), every_fifth))
    shares = [row.scores.conformance for row in rows if isinstance(row, Scored) and row.scores is not None]
    kept = [share for share in shares if share is not None]
    assert len(kept) == 20
    assert sum(kept) / 20 > 0.9


def test_no_project_is_made_from_its_own_sample(rows: list[Scored]) -> None:
    for row in rows:
        assert row.id not in [sample.id for sample in row.samples]
        assert row.id not in row.plan_sources


def test_projects_run_on_synthetic_data_and_then_on_the_users(rows: list[Scored]) -> None:
    for row in rows:
        assert 'os.environ.get("DATA_DIR"' in _code(row), row.id
        assert "SYNTHETIC = " in _code(row), row.id


def test_the_comparison_takes_from_both_drafts(rows: list[Scored]) -> None:
    chosen = [choice.chosen for row in rows for choice in row.choices]
    assert {"code draft", "template draft", "both"} <= set(chosen)


def test_drafts_read_back_from_their_text_give_the_same_project(rows: list[Scored]) -> None:
    from pipeline.generate.symbolic.writer import SymbolicWriter

    writer = SymbolicWriter(load_samples())  # it has written none of these drafts
    for row in rows[::9]:
        written = writer.compare(row)
        assert written["choices"] == row.choices
        assert deliver(replace(row, files=written["files"]))["files"] == row.files


def test_a_requirement_in_plain_words_shapes_the_project() -> None:
    requirement = Requirement(
        id="mushrooms",
        row=0,
        requirement="Classify mushroom photos into nine genera with SGD, batch size 8 and 12 epochs.",
        attributes="3,000 RGB photos of 80x80 pixels.",
    )
    (row,) = run_local(generation_stages(PipelineSettings()), [requirement])
    assert isinstance(row, Scored)
    code = _code(row)
    for line in ("IMAGE_HEIGHT = 80", '"class 9"', "BATCH_SIZE = 8", "EPOCHS = 12", "optimizers.SGD("):
        assert line in code
    assert '"class 10"' not in code
    assert "# Classify mushroom photos into nine genera" in code


def test_a_sample_of_another_task_keeps_its_labels_and_loss() -> None:
    """The forty have one image regression sample: its own requirement is answered from another category."""
    berries = [row for row in read_requirements(STARTER) if row.id == "image-regression-berry-count"]
    (row,) = run_local(generation_stages(PipelineSettings(pool=STARTER40)), berries)
    assert isinstance(row, Scored)
    assert row.plan is not None
    assert row.samples[0].task_category != row.plan.task_category
    sample = next(sample for sample in load_samples() if sample.id == row.samples[0].id)
    losses = [line for line in sample.code.splitlines() if line.strip().startswith("loss=")]
    assert losses
    assert all(line in _code(row) for line in losses)


def test_a_pool_sample_without_python_fails_its_rows_only() -> None:
    from pipeline.errors import StageFailure
    from pipeline.generate.symbolic.writer import SymbolicWriter
    from pipeline.plan.solution_plan import SolutionPlan
    from pipeline.records import Retrieved, RetrievedSample

    writer = SymbolicWriter(
        [Sample(id="r", requirement="", attributes="", plan=None, code="library(keras) %>% fit(x ~ y")]
    )
    sample = RetrievedSample(id="r", rank=1, score=1.0, task_category="Other", requirement="")
    with pytest.raises(StageFailure, match="no Python that parses"):
        writer.template(Retrieved(id="q", row=0, plan=SolutionPlan(), samples=(sample,)))


@pytest.mark.shared
def test_the_published_benchmark_runs_through_with_its_own_pool(artifact: str) -> None:
    settings = PipelineSettings(pool=artifact, plans=artifact)
    rows = list(run_local(generation_stages(settings), read_requirements(artifact)))
    assert len(rows) == 46
    for row in rows:
        assert isinstance(row, Scored)
        assert row.failure is None, row.failure
        ast.parse(_code(row))
        json.loads(next(file.text for file in row.files if file.path == NOTEBOOK))
    scored = [row.scores.codebleu for row in rows if isinstance(row, Scored) and row.scores and row.scores.codebleu]
    assert len(scored) >= 40


def test_text_projects_embed_their_tokens(rows: list[Scored]) -> None:
    for row in rows:
        if row.plan is not None and row.plan.task_category == row.samples[0].task_category == "Text Classification":
            assert "layers.Embedding(" in _code(row), row.id


def test_a_project_from_another_tasks_sample_says_so(rows: list[Scored]) -> None:
    declared = {sample.id for sample in load_samples() if sample.declared_cell is not None}
    for row in rows:
        other = row.plan is not None and row.samples[0].task_category != row.plan.task_category
        # One that declares its cell was chosen for what is asked, whatever the category of the plan.
        if row.samples[0].id not in declared:
            assert ("Adapted from a project of another task" in _code(row)) == other
