"""What plans say about other people's data does not reach the row's plan."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.planners.repair.repair import repair_plan
from pipeline.request.reading.reader import read_constraints
from tests.pipeline.planners.repair.plans import PHOTOS, TABLE, plan


def _repaired(request: str, values: dict[str, Any], **changed: Any) -> Any:
    return repair_plan(plan(values, **changed), read_constraints(request), request)[0]


@pytest.mark.parametrize(
    ("preprocess", "left"),
    [
        (
            "Scale the columns, standardize per night, and encode the labels.",
            "Scale the columns, and encode the labels.",
        ),
        ("Remove adverts without a price. Standardize the columns.", "Standardize the columns."),
        (
            "Split the sleepers into training, validation and test parts, encode the labels.",
            "Encode the labels.",
        ),
        ("Drop nights of restless sleepers.", "Numeric columns are standardized and categories encoded."),
        ("Resize, rotate and normalize.", "Resize, rotate and normalize."),
    ],
)
def test_clauses_about_other_data_go(preprocess: str, left: str) -> None:
    assert _repaired("Tell three kinds of wine by 12 columns", TABLE, preprocess=preprocess).preprocess == left


def test_the_request_s_own_words_stay() -> None:
    text = "Standardize the readings per night, and keep whole nights together."
    assert _repaired("Stage sleep by 12 columns of readings, per night", TABLE, preprocess=text).preprocess == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (
            "Shape of the output data is (batch_size, 5): one probability per galaxy.",
            "Shape of the output data is (batch_size, 5).",
        ),
        ("Labels of galaxies, (batch_size, 5) at once.", "Shape of the output data is (batch_size, 5)."),
        ("Classification into 5 categories: healthy, rust, and scab", "Classification into 5 categories."),
        ("Binary classification (Cat or Dog)", "Binary classification"),
        ("5 classes of flowers", "5 classes of flowers"),
    ],
)
def test_outputs_say_what_the_request_is_about(text: str, left: str) -> None:
    assert _repaired("Classify flowers on photos", PHOTOS, output=text).dataset.output == left


def test_inputs_for_the_columns_of_another_table_go() -> None:
    layers = (
        "Input(shape=(12,), name='numeric')",
        "Input(shape=(), dtype='int32', name='country')",
        "Embedding(40, 8)",
        "Concatenate()",
        "Dense(64, activation='relu')",
        "Dense(3, activation='softmax')",
    )
    assert _repaired("Tell three kinds of wine by 12 columns", TABLE, layers=layers).layers == (layers[0], *layers[4:])


def test_without_the_user_s_words_no_prose_is_judged() -> None:
    before = plan(TABLE, preprocess="Drop nights of restless sleepers.")
    assert repair_plan(before, ()) == (before, ())
