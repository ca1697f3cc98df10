"""A project's constants: the names that mean something, and the values they have."""

from __future__ import annotations

import pytest

from pipeline.generate.symbolic.adapt import adapt
from pipeline.generate.symbolic.constants import whole_number_constants
from pipeline.generate.symbolic.notebook import read_notebook
from pipeline.plan.dataset_facts import DatasetFacts
from tests.pipeline.generate.symbolic.projects import target


def test_constants_computed_from_others_are_known() -> None:
    code = "RATE = 8000\nSTEP = 3\nFRAMES = 1 + RATE // STEP\nNAME = 'x'\nBAD = 1 // 0\nSHARE = RATE / STEP\nON = True"
    assert whole_number_constants(read_notebook(code)) == {"RATE": 8000, "STEP": 3, "FRAMES": 2667}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("bs = 8", "bs = 16"),
        ("num_epochs = 100", "num_epochs = 3"),
        ("LR = 0.1", "LR = 0.01"),
        ("IMG_SIZE = 32", "IMG_SIZE = 96"),
        ("IMG_SIZE = (32, 32)", "IMG_SIZE = (96, 80)"),
        ("INPUT_SHAPE = (32, 32, 3)", "INPUT_SHAPE = (96, 80, 1)"),
        ("n_classes = 10", "n_classes = 7"),
        ("look_back = 5", "look_back = 60"),
        ("max_words = 500", "max_words = 9000"),
    ],
)
def test_a_constants_name_says_which_value_it_takes(before: str, after: str) -> None:
    facts = DatasetFacts(height=96, width=80, channels=1, classes=7, sequence_length=60, vocabulary=9000)
    assert f"{after}\n" in adapt(read_notebook(before), target(facts=facts)).text()


@pytest.mark.parametrize(
    "code",
    [
        "depth = 8",
        "height_shift = 8",
        "width_multiplier = 2",
        "sizes = 9",
        "bs, lr = 8, 0.1",
        "EPOCHS = count()",
        "IMG_SIZE = (side, side)",
        "HORIZON = 7",
    ],
)
def test_other_names_computed_values_and_open_facts_stay(code: str) -> None:
    assert f"{code}\n" in adapt(read_notebook(code), target()).text()
