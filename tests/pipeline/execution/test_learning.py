"""Whether a network beats what takes none: each way to tell, and each case in which it cannot be told."""

from __future__ import annotations

import math
from typing import Any

import pytest

from pipeline.execution.learning import learning
from pipeline.execution.observation import Observation, ObservedTraining, TargetSummary

CLASSES = TargetSummary(count=1000, classes=2, majority=0.7, entropy=0.611, binary_entropy=0.611, binary_majority=0.7)
VALUES = TargetSummary(count=100, variance=4.0, deviation=1.6)


def training(**values: Any) -> ObservedTraining:
    logs = values.pop("logs", {})
    given: dict[str, Any] = {"network": 0, "by": "fit", "steps": 10, "epoch_logs": (logs,) if logs else ()}
    return ObservedTraining(**{**given, **values})


def outcome(*trainings: ObservedTraining) -> str:
    return learning(Observation(began=True, trainings=trainings), None).outcome


@pytest.mark.parametrize(
    ("loss", "targets", "logs", "expected"),
    [
        ("binary_crossentropy", CLASSES, {"val_accuracy": 0.9, "val_loss": 0.7}, "reached"),
        ("binary_crossentropy", CLASSES, {"val_accuracy": 0.7, "val_loss": 0.61}, "failed"),
        # Within two standard errors of the commonest class' share (0.7 +- 0.029).
        ("binary_crossentropy", CLASSES, {"val_accuracy": 0.72}, "failed"),
        ("binary_crossentropy", CLASSES, {"val_accuracy": 0.735}, "reached"),
        # Of rare classes the accuracy says little; the loss may tell all the same.
        ("binary_crossentropy", CLASSES, {"val_accuracy": 0.7, "val_loss": 0.4}, "reached"),
        # By heart: better on the data it was trained on, no better on others.
        ("binary_crossentropy", CLASSES, {"accuracy": 1, "loss": 0.01, "val_accuracy": 0.69, "val_loss": 3}, "failed"),
        ("sparse_categorical_crossentropy", CLASSES, {"loss": 0.3}, "reached"),
        ("sparse_categorical_crossentropy", CLASSES, {"loss": 0.60}, "failed"),
        ("CategoricalCrossentropy", CLASSES, {"loss": 0.3}, "reached"),
        ("nll_loss", CLASSES, {"loss": 0.3}, "reached"),
        ("nll_loss", CLASSES, {"train_loss": 0.3}, "reached"),
        ("mse", VALUES, {"loss": 1.0}, "reached"),
        ("mse", VALUES, {"loss": 3.9}, "failed"),
        ("MeanSquaredError", VALUES, {"val_loss": 1.0}, "reached"),
        ("mae", VALUES, {"loss": 1.0}, "reached"),
        ("mae", VALUES, {"loss": 1.6}, "failed"),
        ("mse", VALUES, {"loss": math.nan}, "failed"),
        # No constant is known for these.
        ("huber", VALUES, {"loss": 0.1}, "not_measurable"),
        ("my_vae_loss", VALUES, {"loss": 0.1}, "not_measurable"),
        ("mse, mae", VALUES, {"loss": 0.1}, "not_measurable"),
        ("mse", None, {"loss": 0.1}, "not_measurable"),
        ("mse", VALUES, {}, "not_measurable"),
    ],
)  # fmt: skip
def test_against_the_best_constant(
    loss: str, targets: TargetSummary | None, logs: dict[str, float], expected: str
) -> None:
    assert outcome(training(loss=loss, targets=targets, logs=logs)) == expected


def test_a_weighted_loss_is_on_a_scale_of_its_own() -> None:
    assert outcome(training(loss="mse", targets=VALUES, logs={"loss": 0.1}, weighted=True)) == "not_measurable"


def test_networks_against_each_other_have_no_criterion() -> None:
    generator = training(network=0, by="loop", loss="binary_cross_entropy", targets=CLASSES, last_loss=0.1)
    judge = training(network=1, by="loop", loss="binary_cross_entropy", targets=CLASSES, last_loss=0.1)
    assert outcome(generator, judge) == "not_measurable"
    assert outcome(generator) == "reached"


def test_of_several_trainings_the_last_counts() -> None:
    """First the head of a known network, then all of it."""
    first = training(loss="mse", targets=VALUES, logs={"loss": 9.0})
    second = training(loss="mse", targets=VALUES, logs={"loss": 1.0})
    assert outcome(first, second) == "reached"
    assert outcome(second, first) == "failed"


def test_what_it_came_to_is_said() -> None:
    seen = learning(Observation(trainings=(training(loss="mse", targets=VALUES, logs={"loss": 1.0}),)), None).seen
    assert seen == "mean_squared_error on the training data 1 against 4 of the best constant prediction"
