"""A plan corrected by what a model says of it."""

from __future__ import annotations

import pytest

from pipeline.plan.change import PlanCorrection
from pipeline.plan.correcting import corrected
from pipeline.plan.fields import FIELD, field_named, plan_of

PLAN = plan_of(
    {
        "task_category": "Tabular Regression",
        "input": "(batch_size, 3)",
        "layers": ("Embedding(20000, 48)", "Conv1D(64, 3)", "Dense(1)"),
        "loss": "mean_squared_error",
        "batch_size": 16,
    }
)


def wanted(field: str, now: str, was: str = "") -> PlanCorrection:
    return PlanCorrection(field=field, was=was, now=now, because="the data say so")


@pytest.mark.parametrize(
    ("field", "now", "name", "value"),
    [
        ("loss function", "huber", "loss", "huber"),
        ("Dataset.Input", "(batch_size, 512, 3)", "input", "(batch_size, 512, 3)"),
        ("Hyperparameters.batch size", "32", "batch_size", 32),
        ("learning_rate", "2e-3", "learning_rate", 0.002),
        ("Task Category", "Time Series Regression", "task_category", "Time Series Regression"),
        ("layers", "Conv1D(8, 3)\nDense(1)", "layers", ("Conv1D(8, 3)", "Dense(1)")),
        ("Layers", "Conv1D(8, 3), Dense(1)", "layers", ("Conv1D(8, 3)", "Dense(1)")),
    ],
)
def test_a_field_is_known_by_its_names_and_its_value_is_read_as_a_plan_s(
    field: str, now: str, name: str, value: object
) -> None:
    final, (made,) = corrected(PLAN, [wanted(field, now)])
    assert (made.field, made.because) == (name, "the data say so")
    assert FIELD[name].of(final) == value


def test_what_the_plan_said_is_taken_from_the_plan() -> None:
    _, (made,) = corrected(PLAN, [wanted("loss", "huber", was="something else")])
    assert (made.was, made.now) == ("mean_squared_error", "huber")


def test_a_single_layer_takes_the_place_of_the_one_it_replaces() -> None:
    final, _ = corrected(PLAN, [wanted("layers", "Dense(2)", was="Dense(1)")])
    assert final.layers == ("Embedding(20000, 48)", "Conv1D(64, 3)", "Dense(2)")
    final, _ = corrected(PLAN, [wanted("layers", "Normalization()", was="Embedding(20000, 48)")])
    assert final.layers == ("Normalization()", "Conv1D(64, 3)", "Dense(1)")


@pytest.mark.parametrize(
    "correction",
    [
        wanted("loss", "mse"),  # the same by another name
        wanted("loss", ""),
        wanted("batch size", "many"),
        wanted("number of workers", "4"),
        wanted("batch_size", "16"),
    ],
)
def test_what_corrects_nothing_is_no_correction(correction: PlanCorrection) -> None:
    assert corrected(PLAN, [correction]) == (PLAN, ())


def test_what_the_request_states_is_not_taken_back() -> None:
    final, made = corrected(PLAN, [wanted("batch_size", "64"), wanted("loss", "huber")], stated={"batch_size"})
    assert [one.field for one in made] == ["loss"]
    assert final.hyperparameters.batch_size == 16


def test_every_field_has_a_name() -> None:
    for field in FIELD.values():
        assert {field_named(name) for name in field.names} == {field}
        assert field_named(".".join(field.keys)) == field
