import ast

import pytest

from pipeline.analysis.extract import extract
from pipeline.measures.conformance import conformance, longest_common_subsequence
from pipeline.plan.solution_plan import SolutionPlan

CODE = """
from tensorflow import keras
from tensorflow.keras import layers
model = keras.Sequential([
    keras.Input((28, 28, 1)),
    layers.Conv2D(8, 3, activation="relu"),
    layers.MaxPooling2D(),
    layers.Flatten(),
    layers.Dense(10, activation="softmax"),
])
model.compile(keras.optimizers.Adam(0.001), "categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, batch_size=64, epochs=5)
"""
FACTS = extract(ast.parse(CODE))


def plan(layers: list[str] | None = None, shape: str = "", **settings: object) -> SolutionPlan:
    return SolutionPlan.model_validate(
        {
            "Dataset": {"Input": shape, "Output": ""},
            "Model Architecture": {
                "Layers": layers or [],
                "Hyperparameters": {name.replace("_", " "): value for name, value in settings.items()},
            },
        }
    )


def test_code_that_keeps_a_plan_written_as_calls_and_as_prose() -> None:
    settings = {"optimizer": "Adam optimizer", "batch_size": 64, "epochs": 5, "evaluation_metric": "Accuracy"}
    calls = ["Input(shape=(28, 28, 1))", "Conv2D(8, (3, 3))", "MaxPool2D()", "Flatten()", "Dense(10)"]
    prose = [
        "Conv2D layer with 8 filters",
        "Max pooling layer",
        "Flatten Layer",
        "Dense Layer (10 neurons) with softmax",
    ]
    for layers in (calls, prose):
        found = conformance(FACTS, plan(layers, "(batch_size, 28, 28, 1)", **settings))
        assert (found.share, found.deviations, found.statements) == (1.0, (), 7)


def test_deviations_name_both_sides() -> None:
    found = conformance(
        FACTS,
        plan(
            ["Conv2D(8, 3)", "Dropout(0.5)", "Dropout(0.5)", "Flatten()", "Dense(3)"],
            "Shape of the input data is (batch_size, 32, 32, 3)",
            optimizer="SGD",
            loss_function="sparse_categorical_crossentropy",
            learning_rate=0.01,
            batch_size=32,
            epochs=5,
            evaluation_metric="AUC",
        ),
    )
    assert found.deviations == (
        "optimizer Adam, the plan says SGD",
        "loss categorical_crossentropy, the plan says sparse_categorical_crossentropy: the same, with labels encoded "
        "otherwise",
        "learning rate 0.001, the plan says 0.01",
        "batch size 64, the plan says 32",
        "metric accuracy, the plan says AUC",
        "input shape 28x28x1, the plan says 32x32x3",
        "4 layers, the plan has 5; without 2 Dropout; also MaxPooling2D",
        "units of the last layer 10, the plan says 3",
    )
    # Kept: loss and epochs (1 each of 8), and of the layers (weight 4) 2 * 3 common / (5 + 4).
    assert found.share == pytest.approx((2 + 4 * 6 / 9) / 12)


def test_silent_code_is_taken_to_use_the_defaults_of_keras() -> None:
    facts = extract(ast.parse("model.compile('sgd')\nmodel.fit(x, y)"))
    assert conformance(facts, plan(learning_rate=0.01, batch_size=32, epochs=1)).share == 1.0
    assert conformance(facts, plan(loss_function="mse")).deviations == ("no loss, the plan says mean_squared_error",)


def test_a_plan_that_states_nothing_is_kept_by_any_code() -> None:
    found = conformance(FACTS, plan())
    assert (found.share, found.statements) == (1.0, 0)


def test_code_without_layers_keeps_none_of_them() -> None:
    found = conformance(extract(ast.parse("print(1)")), plan(["Dense(4)", "Encoder(2)"]))
    assert found.share == 0.0
    assert found.deviations == ("0 layers, the plan has 2; without Dense, Encoder",)


def test_what_the_plan_leaves_open_is_not_checked() -> None:
    stated = plan(["Conv2D", "MaxPooling2D", "Flatten", "Dense(NUM_CLASSES)"], "(batch_size, height, width, channels)")
    assert conformance(FACTS, stated).statements == 1  # the layers' order alone


def test_a_last_layer_whose_size_is_not_written_down_is_not_checked() -> None:
    for last in ("Dense(len(CLASSES), activation='softmax')", "Dense(num_classes(folder))"):
        facts = extract(ast.parse(CODE.replace('layers.Dense(10, activation="softmax")', f"layers.{last}")))
        found = conformance(facts, plan(["Conv2D(8, 3)", "MaxPooling2D()", "Flatten()", "Dense(10)"]))
        assert (found.share, found.deviations) == (1.0, ()), "the convolution's 8 filters are not the output's units"
    assert (
        conformance(FACTS, plan(["TimeDistributed(Dense(3))"])).deviations[-1].startswith("units of the last layer 10")
    )


def test_longest_common_subsequence() -> None:
    assert longest_common_subsequence("abcbdab", "bdcaba") in (
        ["b", "d", "a", "b"],
        ["b", "c", "b", "a"],
        ["b", "c", "a", "b"],
    )
    assert longest_common_subsequence([], ["a"]) == []
