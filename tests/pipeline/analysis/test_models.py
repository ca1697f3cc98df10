"""Which of several models, and which of several trainings, a program is about."""

from __future__ import annotations

import ast

import pytest

from pipeline.analysis.extract import facts_of
from pipeline.analysis.models import main_model
from pipeline.analysis.trace import trace_project

HEAD = "from tensorflow.keras import Input, Model, Sequential, layers\n"


def read(code: str) -> tuple[list[str], tuple[str, str, int | None], int]:
    """Layers; optimizer, loss and epochs; how many other models there are."""
    found, others = main_model(trace_project(ast.parse(HEAD + code)))
    facts = facts_of(found)
    return [use.text for use in facts.layers], (facts.optimizer, facts.loss, facts.epochs), len(others)


def test_the_model_that_is_fit_last_counts_even_if_another_is_compiled_later() -> None:
    layers, settings, others = read(
        "a = Sequential([layers.Dense(1)])\n"
        "b = Sequential([layers.Dense(2)])\n"
        "b.compile('sgd', 'mse')\nb.fit(x, y, epochs=4)\n"
        "a.compile('adam', 'mae')\n"
    )
    assert (layers, settings, others) == (["Dense(2)"], ("SGD", "mean_squared_error", 4), 1)


def test_without_any_fit_the_model_compiled_last_counts() -> None:
    assert read(
        "a = Sequential([layers.Dense(1)])\na.compile('sgd', 'mse')\n"
        "b = Sequential([layers.Dense(2)])\nb.compile('adam', 'mae')\n"
    ) == (["Dense(2)"], ("Adam", "mean_absolute_error", None), 1)


def test_the_parts_of_a_gan_are_no_other_models() -> None:
    layers, _, others = read(
        "g = Sequential([layers.Dense(8)])\nd = Sequential([layers.Dense(1)])\nd.compile('adam', 'mse')\n"
        "gan = Sequential([g, d])\ngan.compile('adam', 'binary_crossentropy')\n"
    )
    assert (layers, others) == (["Dense(8)", "Dense(1)"], 0)


def test_a_model_called_on_a_tensor_is_a_part() -> None:
    layers, _, others = read(
        "i = Input((4,))\nencoder = Model(i, layers.Dense(2)(i))\nencoder.compile('sgd', 'mse')\n"
        "j = Input((4,))\nwhole = Model(j, layers.Dense(3)(encoder(j)))\n"
        "whole.compile('adam', 'mse')\nwhole.fit(x, y)\n"
        "other = Sequential([layers.Dense(9)])\nother.compile('sgd', 'mse')\n"
    )
    assert (layers, others) == (["Input((4,))", "Dense(2)", "Input((4,))", "Dense(3)"], 1)


@pytest.mark.parametrize(
    ("trainings", "settings"),
    [
        # A search for the learning rate, then the training; a training, then a fine-tuning.
        ((("sgd", 3), ("adam", 30)), ("Adam", "mean_squared_error", 30)),
        ((("sgd", 30), ("adam", 3)), ("SGD", "mean_squared_error", 30)),
        ((("sgd", 5), ("adam", 5)), ("SGD", "mean_squared_error", 5)),
    ],
)
def test_of_several_trainings_the_longest_counts(
    trainings: tuple[tuple[str, int], ...], settings: tuple[str, str, int]
) -> None:
    steps = "".join(f"m.compile('{name}', 'mse')\nm.fit(x, y, epochs={epochs})\n" for name, epochs in trainings)
    assert read(f"m = Sequential([layers.Dense(1)])\n{steps}")[1] == settings


def test_of_two_compiles_in_a_row_the_second_is_in_force() -> None:
    code = (
        "m = Sequential([layers.Dense(1)])\nm.compile('sgd', 'mse')\nm.compile('adam', 'mae')\nm.fit(x, y, epochs=2)\n"
    )
    assert read(code)[1] == ("Adam", "mean_absolute_error", 2)


def test_a_training_loop_written_by_hand_keeps_all_layers() -> None:
    code = (
        "a = Sequential([layers.Dense(1)])\nb = Sequential([layers.Dense(2)])\nfor step in range(3):\n    train(a, b)\n"
    )
    assert read(code)[0] == ["Dense(1)", "Dense(2)"]
