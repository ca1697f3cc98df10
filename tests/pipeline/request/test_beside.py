"""A second input beside a picture, as everyday words have it."""

from __future__ import annotations

import pytest

from pipeline.request.reading.reader import read_constraints


@pytest.mark.parametrize(
    ("requirement", "kinds"),
    [
        ("estimate the price of a bicycle from a photo and a few facts about it", {"image", "table"}),
        (
            "predict the rent from a couple of facts (size, rooms, district) and a photo of the kitchen",
            {"image", "table"},
        ),
        ("tell whether a mole is dangerous from a skin photo plus the patient's age and sex", {"image", "table"}),
        ("classify products by their photos together with a short description text", {"image", "text"}),
        ("from a picture of a meal and its recipe predict the cuisine", {"image", "text"}),
        ("tell age and sex from photos", {"image"}),
        ("classify pictures with a height and width of 128", {"image"}),
        ("classify photos of flowers and give the plot a title", {"image"}),
        ("caption photos with short descriptions", {"image"}),
    ],
)
def test_kinds(requirement: str, kinds: set[str]) -> None:
    assert {one.value for one in read_constraints(requirement) if one.name == "kind"} == kinds


@pytest.mark.parametrize(
    ("requirement", "kind"),
    [
        ("predict the hourly electricity consumption from temperature, loaves and weekday with an MLP", "table"),
        ("predict daily sales from price, holiday and weather by a feed-forward network", "table"),
        ("forecast the hourly electricity consumption with an MLP on the last 24 hours", "series"),
        ("predict the hourly electricity consumption with an LSTM", "series"),
    ],
)
def test_dense_layers_tell_rows(requirement: str, kind: str) -> None:
    assert {one.value for one in read_constraints(requirement) if one.name == "kind"} == {kind}
