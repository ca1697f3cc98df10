"""PyTorch programs read without running them."""

from __future__ import annotations

import ast

import pytest

from pipeline.analysis.torch_code.reading import TorchCode, read_torch
from pipeline.plan.reading import read_plan
from pipeline.plan.vocabulary import canonical_optimizer
from pipeline.starter import torch_rows
from tests.pipeline.analysis import torch_programs as programs


def read(source: str) -> TorchCode:
    found = read_torch(ast.parse(source))
    assert found is not None
    return found


def layers(source: str) -> list[str]:
    return [layer.text for layer in read(source).layers]


def test_layers_come_in_the_order_of_forward_with_functions_among_them() -> None:
    assert layers(programs.MNIST) == [
        "Conv2d(1, 32, 3, 1)", "ReLU()", "Conv2d(32, 64, 3, 1)", "ReLU()", "MaxPool2d(2)", "Dropout(0.25)", "Flatten()",
        "Linear(9216, 128)", "ReLU()", "Linear(128, 10)", "LogSoftmax(dim=1)",
    ]  # fmt: skip


def test_blocks_of_a_module_list_are_unrolled() -> None:
    names = [layer.name for layer in read(programs.RESIDUAL).layers]
    assert names == ["Conv2d", "BatchNorm2d", "Conv2d", "ReLU"] * 2 + ["AdaptiveAvgPool2d", "Linear"]
    assert "Conv2d(16, 32, kernel_size=3, stride=2, padding=1, bias=False)" in layers(programs.RESIDUAL)


def test_both_networks_of_a_gan_are_its_layers() -> None:
    names = [layer.name for layer in read(programs.GAN).layers]
    assert names == ["ConvTranspose2d", "ReLU", "ConvTranspose2d", "Tanh", "Conv2d", "LeakyReLU", "Conv2d", "Sigmoid"]


def test_of_two_lessons_the_last_counts() -> None:
    assert layers(programs.TWO_LESSONS) == ["Linear(4, 16)", "ReLU()", "Linear(16, 3)"]
    assert read(programs.TWO_LESSONS).learning_rate == 0.02


def test_a_recurrent_network_and_its_head() -> None:
    assert layers(programs.REGRESSION) == [
        "LSTM(7, 50, 2, batch_first=True, dropout=0.2)", "Linear(50, 25)", "Tanh()", "Linear(25, 1)",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "stated"),
    [
        (programs.MNIST, ("Adadelta", 1.0, "categorical_crossentropy", "step", 64, 14)),
        (programs.RESIDUAL, ("SGD", 0.1, "categorical_crossentropy", "cosine", 128, 40)),
        (programs.EARLY, ("AdamW", 3e-4, "binary_crossentropy", "reduce_on_plateau", 16, 200)),
        (programs.GAN, ("Adam", 0.0002, "binary_crossentropy", "", 128, 25)),
        (programs.LIGHTNING, ("RMSprop", 2e-3, "categorical_crossentropy", "exponential", 24, 12)),
        (programs.ARGPARSE, ("Adam", 0.01, "categorical_crossentropy", "", None, 9)),
        (programs.REGRESSION, ("Adam", 0.005, "mean_squared_error", "one_cycle", 256, 60)),
        (programs.FINE_TUNED, ("SGD", 0.001, "categorical_crossentropy", "", 8, 5)),
    ],
)
def test_settings(source: str, stated: tuple[object, ...]) -> None:
    found = read(source)
    settings = (
        found.optimizer, found.learning_rate, found.loss, found.schedule, found.batch_size, found.epochs,
    )  # fmt: skip
    assert settings == stated


def test_what_else_a_training_does() -> None:
    residual, early, lightning = read(programs.RESIDUAL), read(programs.EARLY), read(programs.LIGHTNING)
    assert (residual.mixed_precision, residual.gradient_clipping, residual.early_stopping) == (True, 5.0, None)
    assert (early.mixed_precision, early.gradient_clipping, early.patience, early.checkpoint) == (False, None, 7, True)
    assert early.early_stopping is not None
    assert programs.EARLY.split("\n")[early.early_stopping - 1].strip() == "if bad >= PATIENCE:"
    assert (lightning.lightning, lightning.gradient_clipping, lightning.patience) == (True, 0.5, 4)
    assert early.metrics == ("F1Score",)
    assert read(programs.REGRESSION).metrics == ("mean_absolute_error",)


@pytest.mark.parametrize("source", [programs.KERAS_ALONE, "import torch\nx = torch.zeros(3)", "x = 1"])
def test_other_programs_are_none_of_pytorch(source: str) -> None:
    assert read_torch(ast.parse(source)) is None


def test_odd_code_raises_nothing() -> None:
    odd = programs.HEAD + (
        "class A(nn.Module):\n    def forward(self, x):\n        return self(x)\n"
        "a = A()\na(1)\nnn.Sequential(*a)\nnn.ModuleList(3)\nnn.ModuleDict([1])\ntorch.compile()\n"
        "torch.optim.SGD(a.parameters())\nfor e in range(0):\n    a.backward()\n"
    )
    assert read(odd).epochs is None


SAMPLES = [pytest.param(row, code, id=row["id"]) for row, code in torch_rows()]


@pytest.mark.parametrize(("row", "code"), SAMPLES)
def test_samples_are_read_as_their_sidecars_say(row: dict[str, object], code: str) -> None:
    """The plans were written by hand, by someone else than the reader."""
    found, plan = read(code), read_plan(row)
    stated = plan.hyperparameters
    assert found.learning_rate == stated.learning_rate
    assert found.batch_size == stated.batch_size
    assert found.epochs == stated.epochs
    if stated.optimizer:
        assert found.optimizer == canonical_optimizer(stated.optimizer)
