"""Texts as templates: what they took from their own requirement, and what a new one puts there."""

from __future__ import annotations

import pytest

from pipeline.planners.hybrid.text.templates import TextTemplate
from pipeline.planners.hybrid.text.tokens import RequestTokens, word_key, word_keys

FLOWERS = RequestTokens(
    "I want to classify images of flowers using a CNN.", "It holds images of flowers of four classes."
)
RARE = {"flower", "fruit", "dog", "plant", "disease"}


def test_words_are_compared_without_case_plural_and_spelling_of_numbers() -> None:
    assert word_keys("Four Classes, categories") == ["4", "classe", ",", "category"]
    assert word_key("glass") == "glass"


def test_a_word_taken_from_the_requirement_gives_way_to_the_new_ones_in_its_place() -> None:
    filled = TextTemplate("Images of flowers resized to 64x64", FLOWERS, RARE).fill(
        RequestTokens("I want to classify images of plant diseases using transfer learning.", "")
    )
    assert (filled.text, filled.changed, filled.unfilled) == ("Images of plant diseases resized to 64x64", True, 0)


def test_a_number_is_filled_with_a_number_and_written_as_it_was() -> None:
    new = RequestTokens("Sort leaves.", "It holds images of leaves of 15 classes.")
    digits = TextTemplate("Classification into 4 classes", FLOWERS, RARE).fill(new)
    word = TextTemplate("Classification into one of the four classes", FLOWERS, RARE).fill(new)
    assert digits.text == "Classification into 15 classes"
    assert word.text == "Classification into one of the fifteen classes"


def test_what_the_new_requirement_says_too_stays() -> None:
    filled = TextTemplate("Images of flowers", FLOWERS, RARE).fill(RequestTokens("Name flowers in photos.", ""))
    assert (filled.text, filled.changed, filled.unfilled) == ("Images of flowers", False, 0)


def test_a_slot_that_nothing_fits_keeps_its_words_and_is_counted() -> None:
    filled = TextTemplate("Images of flowers", FLOWERS, RARE).fill(RequestTokens("Forecast the demand for power.", ""))
    assert (filled.text, filled.changed, filled.unfilled) == ("Images of flowers", False, 1)


def test_common_words_are_no_slots() -> None:
    assert TextTemplate("Images using a CNN", FLOWERS, RARE).slots == []


@pytest.mark.parametrize("requirement", ["", "^ | $", "of of of", "images of", "images of."])
def test_any_requirement_can_be_filled_from(requirement: str) -> None:
    template = TextTemplate("Images of flowers, 4 of them", FLOWERS, RARE)
    assert template.fill(RequestTokens(requirement, requirement)).text
    assert TextTemplate("", RequestTokens(requirement, ""), RARE).fill(FLOWERS).text == ""
