"""Conventions that a program does not keep are told to the comparison."""

from __future__ import annotations

import pytest

from pipeline.config import PipelineSettings
from pipeline.generate.llm.conventions import left_out
from pipeline.inputs import read_requirements
from pipeline.llm.protocol import ChatRequest
from pipeline.llm.scripted import ScriptedLLM
from pipeline.methods import generation_stages
from pipeline.stage import run_local
from pipeline.starter import STARTER
from tests.pipeline.by_hand.replies_by_hand import by_hand
from tests.pipeline.generate.llm.scripts import competent, role_of

KEPT = """import os
import numpy as np
from matplotlib import pyplot as plt
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from tensorflow import keras
keras.utils.set_random_seed(1)
DATA_DIR = os.environ.get("DATA_DIR", "data")
x = np.load(os.path.join(DATA_DIR, "x.npy"))
train, test = train_test_split(x)
scaler = StandardScaler()
train = scaler.fit_transform(train)
model = keras.Sequential([keras.layers.Dense(1)])
print("MAE 0.2, of the median 0.4")
plt.savefig("results.png")
model.save("model.keras")
"""


def test_a_program_that_keeps_them_has_nothing_left_out() -> None:
    assert left_out(KEPT) == ()


@pytest.mark.parametrize(
    ("line", "instead", "said"),
    [
        ("keras.utils.set_random_seed(1)\n", "", "no seed is set"),
        ('model.save("model.keras")\n', "", "the trained model is not saved"),
        (", of the median 0.4", "", "no baseline is printed beside the result"),
        ("results.png", "plot.png", "no figure is saved to results.png"),
        ('os.environ.get("DATA_DIR", "data")', '"data"', "the folder that DATA_DIR names is not read"),
        (
            "train, test = train_test_split(x)\n",
            "x = StandardScaler().fit_transform(x)\ntrain, test = train_test_split(x)\n",
            "scaling is fitted on line 10, before the data are split on line 11",
        ),
    ],
)
def test_what_is_left_out_is_named(line: str, instead: str, said: str) -> None:
    assert left_out(KEPT.replace(line, instead)) == (said,)


def test_what_is_no_python_is_found_elsewhere() -> None:
    assert left_out("x = (") == ()


def test_programs_that_were_written_by_the_conventions_keep_them() -> None:
    for requirement, written in by_hand().items():
        code = "\n\n".join(written.parts[name] for name in written.programs["after", "compare"])
        assert left_out(code) == (), requirement


def test_the_comparison_is_told_what_each_draft_leaves_out() -> None:
    compared: list[str] = []

    def script(request: ChatRequest) -> str:
        if role_of(request) == "compare":
            compared.append(request.messages[-1].content)
        return competent(request)

    rows = [row for row in read_requirements(STARTER) if row.row == 0]
    settings = PipelineSettings(method="dlcodegen", llm="scripted")
    list(run_local(generation_stages(settings, lambda: ScriptedLLM(script)), rows))
    (prompt,) = compared
    assert "Draft 1: no seed is set" in prompt
    assert "Draft 2: the trained model is not saved" in prompt
