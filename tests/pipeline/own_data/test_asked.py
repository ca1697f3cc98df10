"""What a request says of data that are not there yet, as facts for a sample's constants."""

from __future__ import annotations

import pytest

from pipeline.own_data.asked import facts_asked
from pipeline.own_data.roles import kind_of, role_facts
from pipeline.records import Understood
from pipeline.understanding import asked_in


def facts(requirement: str, **known: int) -> dict[str, object]:
    row = Understood(id="r", row=0, requirement=requirement, constraints=asked_in(requirement))
    return dict(facts_asked(row, **known))


def test_a_ratings_file_and_its_columns() -> None:
    asked = facts("Recommender: ratings.csv with userId, movieId, rating (0.5-5), predict the rating.")
    assert asked["file"] == "ratings.csv"
    assert (asked["user_column"], asked["item_column"], asked["target"]) == ("userId", "movieId", "rating")


def test_of_columns_some_of_which_are_said_to_be_categories_the_others_are_numbers() -> None:
    asked = facts("house.csv has columns sqft, garden, zipcode (categorical) and price. Predict price.")
    assert asked["number_columns"] == ["sqft", "garden"]
    assert asked["category_columns"] == ["zipcode"]


def test_a_range_of_numbered_columns_is_all_of_them() -> None:
    asked = facts("anomaly detection, 6 numeric columns (V1..V4, Amount, Time)")
    assert asked["number_columns"] == ["Amount", "Time", "V1", "V2", "V3", "V4"]


@pytest.mark.parametrize(
    "requirement",
    [
        "people.csv with columns foo, bar and baz; predict income.",
        "Table with 19 columns: gender, tenure, contract, ...; target churn.",
    ],
)
def test_columns_of_unknown_kinds_are_left_to_the_run(requirement: str) -> None:
    assert not {"number_columns", "category_columns"} & facts(requirement).keys()


def test_texts_dates_and_what_must_not_be_used() -> None:
    asked = facts("news.csv with columns title, text, date; do not use the column author. Predict the column label.")
    assert asked["text_columns"] == ["text", "title"]
    assert (asked["text_column"], asked["second_text_column"]) == ("text", "title")
    assert asked["time_column"] == "date"
    assert asked["unused_columns"] == ["author"]


def test_classes_by_name_or_as_many_as_are_stated() -> None:
    assert facts("Photos of two classes: cat and dog", classes=2)["class_names"] == ["cat", "dog"]
    assert facts("Photos of 4 kinds of birds", classes=4, own_names=3)["class_names"] == [
        "class 1", "class 2", "class 3", "class 4",
    ]  # fmt: skip
    assert "class_names" not in facts("Photos of 4 kinds of birds", classes=4, own_names=4)
    assert "class_names" not in facts("Photos of 4 kinds of birds", classes=4)  # a sample without names of its own
    assert "class_names" not in facts("Photos of 900 kinds of birds", classes=900, own_names=3)


def test_folders_of_images_and_masks_and_of_parts() -> None:
    asked = facts("Segment roads with a U-Net: images in images/ and masks in masks/.")
    assert (asked["pattern"], asked["target_file"]) == ("images/*", "masks/*")
    assert facts("Photos lie in train/ and test/, a folder per class.")["held_out"] == "test"


def test_names_say_roles_and_kinds() -> None:
    assert role_facts(["ts", "CustomerID", "product_name"]) == {
        "user_column": "CustomerID",
        "item_column": "product_name",
    }
    kinds = [kind_of(name) for name in ("MonthlyCharges", "V14", "contract_type", "zipcode", "blob")]
    assert kinds == ["number", "number", "category", "category", ""]


def test_the_target_is_the_one_column_that_the_goal_speaks_of() -> None:
    asked = facts("Forecast the electricity load of tomorrow. load.csv has timestamp, load_mw, temperature, humidity.")
    assert asked["target"] == "load_mw"
    assert "target" not in facts("Forecast demand from grid.csv with the columns timestamp, load_mw, temperature.")
    assert "target" not in facts("Classify rows of a.csv by colour and colour depth; columns colour_a, colour_b, x.")


def test_the_text_is_the_column_that_is_called_so() -> None:
    asked = facts("tickets.csv with columns subject, body, department. Pick the department from the body text.")
    assert asked["text_column"] == "body"
