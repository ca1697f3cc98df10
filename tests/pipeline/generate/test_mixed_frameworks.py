"""A project whose parts belong to two frameworks fails as such; PyTorch is written where it is asked for alone."""

from __future__ import annotations

import pytest

from pipeline.config import PipelineSettings
from pipeline.errors import StageFailure
from pipeline.generate.deliver import deliver
from pipeline.methods import generation_stages
from pipeline.records import REQUIREMENTS, SCRIPT, Delivered, Generated, Requirement, SourceFile
from pipeline.stage import run_local
from tests.pipeline.analysis import torch_programs

KERAS_TRAINED_BY_TORCH = """
import torch
from tensorflow import keras
from tensorflow.keras import layers
model = keras.Sequential([keras.Input((3,)), layers.Dense(4), layers.Dense(1)])
optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
for epoch in range(3):
    loss = ((model(x) - y) ** 2).mean()
    loss.backward()
"""

TORCH_TRAINED_BY_KERAS = """
from torch import nn
from tensorflow import keras
model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 1))
model.compile(optimizer=keras.optimizers.Adam(1e-3), loss="mse")
model.fit(x, y)
"""

EACH_BY_ITS_OWN = torch_programs.TWO_LESSONS + torch_programs.KERAS_ALONE

KERAS_ON_TORCH = 'import os\nos.environ["KERAS_BACKEND"] = "torch"\n' + KERAS_TRAINED_BY_TORCH

LOADED_BY_TENSORFLOW = (
    "import tensorflow as tf\n(x, y), _ = tf.keras.datasets.mnist.load_data()\n" + torch_programs.EARLY
)


def generated(code: str) -> Generated:
    return Generated(id="a", row=0, requirement="x", files=(SourceFile(path=SCRIPT, text=code),))


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (KERAS_TRAINED_BY_TORCH, "the network is Keras' (line 5) and its optimizer PyTorch's (line 6)"),
        (TORCH_TRAINED_BY_KERAS, "the network is PyTorch's (line 4) and its optimizer Keras' (line 5)"),
    ],
)
def test_a_network_that_another_framework_trains_fails(code: str, says: str) -> None:
    with pytest.raises(StageFailure) as failure:
        deliver(generated(code))
    assert failure.value.kind == "mixed_frameworks"
    assert says in str(failure.value)


@pytest.mark.parametrize("code", [EACH_BY_ITS_OWN, KERAS_ON_TORCH, LOADED_BY_TENSORFLOW, torch_programs.LIGHTNING])
def test_what_holds_together_is_delivered(code: str) -> None:
    assert deliver(generated(code))["files"]


def test_pytorch_is_written_where_it_is_asked_for() -> None:
    wishes = [
        "Write a PyTorch CNN to classify photos of leaves, AdamW with learning rate 3e-4, cosine schedule, 7 epochs",
        "Write a CNN to classify photos of leaves",
    ]
    rows = [Requirement(id=str(number), row=number, requirement=wish) for number, wish in enumerate(wishes)]
    torch_row, keras_row = run_local(generation_stages(PipelineSettings()), rows)
    assert isinstance(torch_row, Delivered)
    assert isinstance(keras_row, Delivered)
    files = {file.path: file.text for file in torch_row.files}
    assert "torch>=" in files[REQUIREMENTS]
    assert "tensorflow" not in files[REQUIREMENTS]
    for line in (
        "torch.optim.AdamW(",
        "CosineAnnealingLR(optimizer, T_max=EPOCHS)",
        "EPOCHS = 7",
        "LEARNING_RATE = 0.0003",
    ):
        assert line in files[SCRIPT]
    assert torch_row.plan is not None
    assert torch_row.plan.framework == "pytorch"
    assert torch_row.delivery is not None
    assert torch_row.delivery.not_met == ()
    assert keras_row.plan is not None
    assert keras_row.plan.framework == ""
    assert "tensorflow" in {file.path: file.text for file in keras_row.files}[REQUIREMENTS]
