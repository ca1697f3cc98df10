"""PyTorch projects measured against plans in either framework's words."""

from __future__ import annotations

import pytest

from pipeline.measures.project_scores import read_code
from pipeline.plan.reading import read_plan
from pipeline.plan.solution_plan import SolutionPlan
from tests.pipeline.analysis import torch_programs

SETTINGS = {
    "optimizer": "Adadelta", "loss function": "crossentropy", "learning rate": 1.0, "batch size": 64, "epochs": 14,
}  # fmt: skip
KERAS = ["Conv2D(32, 3, activation='relu')", "Conv2D(64, 3, activation='relu')", "MaxPooling2D(2)", "Dropout(0.25)",
         "Flatten()", "Dense(128, activation='relu')", "Dense(10, activation='softmax')"]  # fmt: skip
TORCH = ["Conv2d(1, 32, 3)", "ReLU()", "Conv2d(32, 64, 3)", "ReLU()", "MaxPool2d(2)", "Dropout(0.25)", "Flatten()",
         "Linear(9216, 128)", "ReLU()", "Linear(128, 10)"]  # fmt: skip


def plan(layers: list[str], **changed: object) -> SolutionPlan:
    hyperparameters = SETTINGS | changed
    return read_plan({"Model Architecture": {"Layers": layers, "Hyperparameters": hyperparameters}})


@pytest.mark.parametrize("layers", [KERAS, TORCH])
def test_a_plan_that_is_kept_in_pytorch(layers: list[str]) -> None:
    scores = read_code(torch_programs.MNIST, plan(layers))
    assert (scores.conformance, scores.deviations) == (1.0, ())


def test_what_deviates_is_named() -> None:
    scores = read_code(torch_programs.MNIST, plan([*KERAS[:-1], "Dense(7)"], epochs=3))
    assert scores.deviations == ("epochs 14, the plan says 3", "units of the last layer 10, the plan says 7")


def test_calls_that_pytorch_has_not_are_listed() -> None:
    scores = read_code("from torch import nn\na = nn.Dense(3)\nb = nn.Linear(4)", None)
    assert [problem.split(": ")[1] for problem in scores.invalid_calls] == [
        "torch.nn.Dense does not exist in PyTorch", "nn.Linear lacks the argument 'out_features'",
    ]  # fmt: skip
