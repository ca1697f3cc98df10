"""One of two losses that a sample adds, and the asked activation in its hidden layers."""

from __future__ import annotations

import pytest

from pipeline.generate.parts.adding import with_parts
from pipeline.request.reading.reader import read_constraints
from pipeline.starter import matrix_rows

SAMPLES = {row["id"]: code for row, code in matrix_rows()}


def with_asked(sample: str, requirement: str) -> str:
    return with_parts(SAMPLES[sample], read_constraints(requirement), requirement)


@pytest.mark.parametrize(
    ("sample", "requirement", "there", "gone"),
    [
        ("segmentation-image-binary-unet", "Keras U-Net, dice loss", "loss=dice_loss", "segmentation_loss"),
        ("segmentation-image-binary-unet", "Keras U-Net, BCE loss", 'loss="binary_crossentropy"', "dice"),
        ("torch-segmentation-image-binary-unet", "PyTorch U-Net, dice loss", "= dice_loss(", "BCEWithLogitsLoss"),
        ("torch-segmentation-image-binary-unet", "PyTorch U-Net, BCE loss", "= crossentropy(", "dice_loss"),
    ],
)
def test_one_loss_alone(sample: str, requirement: str, there: str, gone: str) -> None:
    code = with_asked(sample, requirement).partition("# %% Imports")[2]  # the title speaks of both
    assert there in code
    assert gone not in code


@pytest.mark.parametrize("sample", ["segmentation-image-binary-unet", "torch-segmentation-image-binary-unet"])
def test_both_losses_stay_where_both_are_asked_for(sample: str) -> None:
    assert with_asked(sample, "U-Net with BCE and Dice loss") == SAMPLES[sample]


def test_the_asked_activation() -> None:
    keras = with_asked("table-embeddings", "Keras regression on a table with ReLU activation")
    assert 'activation="relu"' in keras
    assert '"swish"' not in keras
    torch = with_asked("torch-regression-table-mlp", "PyTorch regression on a table with GELU activation")
    assert "nn.GELU()" in torch
    assert "nn.ReLU()" not in torch
