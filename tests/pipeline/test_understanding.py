"""What a row asks for, and which rows are refused before anything else is written in their place."""

from __future__ import annotations

import pytest

from pipeline.config import PipelineSettings
from pipeline.methods import generation_stages
from pipeline.records import Delivered, Requirement, Understood
from pipeline.request.data_contract import DataContract
from pipeline.retrieval.cell import problems_of
from pipeline.retrieval.coverage import Coverage
from pipeline.retrieval.sample_pool import load_samples
from pipeline.stage import run_local
from pipeline.starter import STARTER, STARTER40
from pipeline.understanding import understand_stage


def understood(requirement: str, pool: str | None = STARTER40, attributes: str = "") -> Understood:
    row = Requirement(id="a", row=0, requirement=requirement, attributes=attributes)
    (record,) = run_local([understand_stage(pool)], [row])
    assert isinstance(record, Understood)
    return record


def kind_of_failure(requirement: str) -> str | None:
    record = understood(requirement)
    return record.failure.kind if record.failure else None


def test_the_starter_pool_solves_what_its_samples_do() -> None:
    coverage = Coverage.of(load_samples(STARTER))
    problems = {problem for cell in coverage.cells for problem in cell.problems}
    assert "tensorflow" in {cell.framework for cell in coverage.cells}
    assert {"classification", "regression", "forecasting", "segmentation", "captioning"} <= problems
    assert "clustering" not in problems


@pytest.mark.parametrize(
    ("category", "problems"),
    [
        ("Audio Classification", ("classification",)),
        ("Time Series Forecasting", ("forecasting",)),
        ("Machine Translation", ("translation", "summarization")),
        ("Image denoising", ("reconstruction",)),
    ],
)
def test_a_category_is_about_problems(category: str, problems: tuple[str, ...]) -> None:
    assert problems_of(category) == problems


@pytest.mark.parametrize(
    ("requirement", "kind"),
    [
        ("Write it in PyTorch: classify photos of leaves.", "unserved_framework"),
        ("A Flax model for the wine table, please, to classify wines.", "unserved_framework"),
        ("Named entity recognition for court rulings with a BiLSTM.", "unserved_task"),
        ("Cluster our customers with a deep embedded clustering network.", "unserved_task"),
        ("Multi-label classification of news texts, several topics at once.", "unserved_task"),
        ("Necesito un programa para mis cosas.", "unread_language"),
        ("Classify photos of leaves with Keras.", None),
        ("Translate pairs of sentences from French into English.", None),
        ("Not in PyTorch please: classify photos of leaves.", None),
    ],
)
def test_what_no_sample_can_become_is_refused(requirement: str, kind: str | None) -> None:
    assert kind_of_failure(requirement) == kind


def test_a_refused_row_keeps_what_was_understood() -> None:
    record = understood("In PyTorch: classify 64x64 photos, batch size 12.")
    assert record.failure is not None
    assert "PyTorch is asked for" in record.failure.message
    assert ("batch_size", "12") in {(one.name, one.value) for one in record.constraints}


def test_a_language_model_is_asked_for_anything() -> None:
    assert understood("Write it in JAX: reinforcement learning for chess.", pool=None).failure is None


def test_own_data_say_what_the_task_is() -> None:
    row = Requirement(id="a", row=0, requirement="Tag the entities.", data=DataContract(inputs=()))
    (record,) = run_local([understand_stage(STARTER)], [row])
    assert record.failure is None


def test_the_requirement_says_what_is_done_and_the_attributes_what_is_there() -> None:
    record = understood("Resize to 64x64 and classify.", attributes="RGB photos of 1024x768 pixels in 7 classes.")
    sizes = {(one.name, one.value, one.source) for one in record.constraints if one.aspect in ("size", "classes")}
    assert ("height", "64", "requirement") in sizes
    assert ("count", "7", "attributes") in sizes
    assert not any(name in ("height", "width") and source == "attributes" for name, _, source in sizes)


def test_substitutes_are_written_where_they_are_allowed_and_say_what_they_are_not() -> None:
    settings = PipelineSettings(allow_substitutes=True)
    row = Requirement(id="a", row=0, requirement="Write a JAX CNN for photos of leaves in 6 classes.")
    (record,) = run_local(generation_stages(settings), [row])
    assert isinstance(record, Delivered)
    assert record.files
    assert record.delivery is not None
    assert [check.constraint.name for check in record.delivery.not_met] == ["framework"]
    assert settings.digest() != PipelineSettings().digest()
