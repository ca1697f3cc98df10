"""What a notebook is for, read from its texts."""

from __future__ import annotations

import pytest

from corpus_build.extract.requirement.requirement_text import read_purpose
from corpus_build.read.notebook import Cell, ParsedNotebook

TASK = "In this notebook we will classify handwritten digits with a small convolutional network."
ASKED = "Classify handwritten digits with a small convolutional network."


def _notebook(*texts: str, code: str = "") -> ParsedNotebook:
    cells = [Cell(kind="markdown", source=text) for text in texts]
    return ParsedNotebook(language="python", cells=(*cells, Cell(kind="code", source=code)))


def test_heading_purpose_and_data_make_the_requirement() -> None:
    code = "train = pd.read_csv('../input/digit-recognizer/train.csv')"
    purpose = read_purpose(_notebook("# Digits by a small network", TASK, code=code), "", [])
    assert purpose.requirement == f"Digits by a small network. {ASKED} The data set is digit recognizer."
    assert purpose.requirement_confidence == pytest.approx(0.9)


@pytest.mark.parametrize(
    "sentence",
    [
        "This is a companion notebook for the book; I recommend reading it side by side to build your own models.",
        "This notebook was generated for TensorFlow 2.6 and will build all models anew.",
        "This notebook contains the code samples found in Chapter 3 about how to train a model.",
        "Please upvote if this helps you to build and train your own network for images.",
    ],
)
def test_what_a_notebook_says_of_itself_is_no_requirement(sentence: str) -> None:
    purpose = read_purpose(_notebook("# Digits by a small network", sentence, TASK), "", [])
    assert purpose.requirement == f"Digits by a small network. {ASKED}"
    assert "notebook was" not in purpose.attributes


def test_a_short_sentence_of_what_is_done_is_kept_and_other_short_ones_are_not() -> None:
    purpose = read_purpose(
        _notebook("# Classify mask photos into 9 kinds", "We train a network.\n\nTrain and test it."), "", []
    )
    assert purpose.requirement == "Classify mask photos into 9 kinds. We train a network."


def test_the_title_of_meta_kaggle_comes_first() -> None:
    purpose = read_purpose(_notebook("# Something else entirely", TASK), "Digit classifier", [])
    assert purpose.requirement.startswith("Digit classifier. ")


def test_a_notebook_without_texts_or_data_has_no_requirement() -> None:
    purpose = read_purpose(_notebook(code="model.fit(x, y)"), "", [])
    assert (purpose.requirement, purpose.requirement_confidence) == ("", 0.0)


@pytest.mark.parametrize(
    ("title", "kept"),
    [
        ("Digit Recognizer: CNN for MNIST (99.3%)", "Digit Recognizer: CNN for MNIST"),
        ("House prices [LB 0.12]", "House prices"),
        ("Titanic survival - EDA + Keras", "Titanic survival"),
        ("EDA", "EDA"),
        ("Speech (commands) to words", "Speech (commands) to words"),
    ],
)
def test_scores_are_no_part_of_a_title(title: str, kept: str) -> None:
    assert read_purpose(_notebook(TASK), title, []).requirement.startswith(f"{kept}. ")


def test_the_first_sentence_stands_in_where_none_tells_a_purpose() -> None:
    purpose = read_purpose(_notebook("# Hello", "Reviews of hotels are negative, mixed or positive."), "", [])
    assert purpose.requirement == "Reviews of hotels are negative, mixed or positive."
    assert purpose.requirement_confidence == pytest.approx(0.3)


def test_a_sentence_stands_in_the_requirement_or_in_the_attributes() -> None:
    texts = "We want to classify 900 photos of bees.", "The images have 64 by 64 pixels and three labels."
    purpose = read_purpose(_notebook("# Bees by photo", *texts), "", [])
    assert "Classify 900 photos of bees." in purpose.requirement
    assert purpose.attributes == texts[1]


def test_names_that_the_code_puts_together_are_no_names() -> None:
    purpose = read_purpose(_notebook(TASK, code="pd.read_csv(f'{path}{competition}train.csv')"), "", [])
    assert "{" not in purpose.requirement + purpose.attributes
