"""What a notebook is for, read from its texts."""

from __future__ import annotations

import pytest

from corpus_build.notebook import Cell, Notebook
from corpus_build.requirement_text import read_purpose

TASK = "In this notebook we will classify handwritten digits with a small convolutional network."


def _notebook(*texts: str, code: str = "") -> Notebook:
    cells = [Cell(kind="markdown", source=text) for text in texts]
    return Notebook(language="python", cells=(*cells, Cell(kind="code", source=code)))


def test_heading_purpose_and_data_make_the_requirement() -> None:
    code = "train = pd.read_csv('../input/digit-recognizer/train.csv')"
    found = read_purpose(_notebook("# Digits by a small network", TASK, code=code), "", [])
    assert found.requirement == f"Digits by a small network. {TASK} The data is digit recognizer."
    assert found.requirement_confidence == pytest.approx(0.9)


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
    found = read_purpose(_notebook("# Digits by a small network", sentence, TASK), "", [])
    assert found.requirement == f"Digits by a small network. {TASK}"
    assert "notebook was" not in found.attributes


def test_the_title_of_meta_kaggle_comes_first() -> None:
    found = read_purpose(_notebook("# Something else entirely", TASK), "Digit classifier", [])
    assert found.requirement.startswith("Digit classifier. ")


def test_a_notebook_without_texts_or_data_has_no_requirement() -> None:
    found = read_purpose(_notebook(code="model.fit(x, y)"), "", [])
    assert (found.requirement, found.requirement_confidence) == ("", 0.0)
