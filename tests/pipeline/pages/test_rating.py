"""Ratings back from raters: what they are of, and files that do not fit."""

from __future__ import annotations

import json

import pytest

from pipeline.errors import DLCodeGenError
from pipeline.measures.outputs import MethodName
from pipeline.pages.rating import RatingKey, ratables, rating_key, read_ratings

ONE, TWO = MethodName("Runs", "", "one"), MethodName("Runs", "m", "two")
PROJECTS = ratables(
    [(ONE, "a", "Task a", "", "x = 1"), (TWO, "a", "Task a", "", "x = 1"), (ONE, "b", "Task b", "", "y = 2")], seed=3
)
KEY = rating_key(PROJECTS)


def saved(rater: str, ratings: object, study: str = KEY.study) -> str:
    return json.dumps({"study": study, "rater": rater, "ratings": ratings})


def test_equal_projects_are_rated_once_and_count_for_both() -> None:
    assert len(PROJECTS) == 2
    shared = next(project.key for project in PROJECTS if len(project.outputs) == 2)
    rows = list(read_ratings({"f": saved("Ada", {shared: {"compliance": 7, "comment": "good"}})}, KEY))
    assert [(row.method, row.item, row.compliance, row.usefulness) for row in rows] == [
        ("one", "a", 7.0, None),
        ("two", "a", 7.0, None),
    ]
    assert {row.reason for row in rows} == {"good"}


def test_a_key_survives_its_file() -> None:
    assert RatingKey.from_json(KEY.to_json()).outputs == {key: list(outputs) for key, outputs in KEY.outputs.items()}


def test_the_last_file_of_a_rater_counts_and_what_is_no_rating_is_none() -> None:
    key = PROJECTS[0].key
    files = {"1": saved("Ada", {key: {"compliance": 1}}), "2": saved("Ada", {key: {"compliance": 9, "usefulness": 99}})}
    rows = list(read_ratings(files, KEY))
    assert {(row.compliance, row.usefulness, row.sample) for row in rows} == {(9.0, None, 0)}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("not JSON", "no file of ratings"),
        ("[]", "no file of ratings"),
        (saved("Ada", {}, study="other"), "another page"),
        (saved("Ada", {"unknown": {}}), "not in the key file"),
        (saved(" ", {}), "without a name"),
    ],
)
def test_files_that_do_not_fit_are_named(text: str, reason: str) -> None:
    with pytest.raises(DLCodeGenError, match=f"ada.json: .*{reason}"):
        list(read_ratings({"ada.json": text}, KEY))
