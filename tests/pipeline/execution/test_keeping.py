"""What was observed beside what the plan says and the request asks."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.execution.keeping.checks import keeping, runtime_checks
from pipeline.execution.ladder import RuntimeCheck
from pipeline.execution.observation import Observation, ObservedLayer, ObservedNetwork, ObservedTraining
from pipeline.plan.solution_plan import Hyperparameters, ModelArchitecture, SolutionPlan
from pipeline.request.constraints import Constraint

LAYERS = (
    "Conv2D(32, (3, 3), activation='relu', input_shape=(28, 28, 1))",
    "MaxPooling2D((2, 2))",
    "Dropout(0.25)",
    "Flatten()",
    "Dense(10, activation='softmax')",
)
PLAN = SolutionPlan(
    architecture=ModelArchitecture(
        layers=LAYERS,
        hyperparameters=Hyperparameters(
            optimizer="Adam", loss="categorical_crossentropy", learning_rate=1e-3, batch_size=64, epochs=5,
            metric="accuracy",
        ),
    )
)  # fmt: skip
NETWORK = ObservedNetwork(
    id=0, framework="keras", kind="Sequential", parameters=1000, ready=True,
    input_shape="(None, 28, 28, 1)", output_shape="(None, 10)",
    layers=(
        ObservedLayer(kind="RandomFlip"),
        ObservedLayer(kind="Conv2D", parameters=320, settings={"filters": 32, "kernel_size": (3, 3)}),
        ObservedLayer(kind="MaxPooling2D"),
        ObservedLayer(kind="Dropout", settings={"rate": 0.25}),
        ObservedLayer(kind="Flatten"),
        ObservedLayer(kind="Dense", parameters=680, settings={"units": 10}),
    ),
)  # fmt: skip
TRAINING = ObservedTraining(
    network=0, by="fit", optimizer="Adam", learning_rate=0.001, loss="sparse_categorical_crossentropy",
    batch_size=64, epochs_asked=5, epochs_ended=3, steps=30, epoch_logs=({"accuracy": 0.9, "loss": 0.3},),
)  # fmt: skip
SEEN = Observation(began=True, networks=(NETWORK,), trainings=(TRAINING,))


def replaced(network: dict[str, Any] | None = None, training: dict[str, Any] | None = None) -> Observation:
    networks = (ObservedNetwork(**{**_fields(NETWORK), **(network or {})}),)
    trainings = (ObservedTraining(**{**_fields(TRAINING), **(training or {})}),)
    return Observation(began=True, networks=networks, trainings=trainings)


def _fields(record: ObservedNetwork | ObservedTraining) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__slots__}


def outcomes(checks: tuple[RuntimeCheck, ...]) -> dict[str, str]:
    return {check.name: check.outcome for check in checks}


def test_a_plan_that_is_kept() -> None:
    checks = runtime_checks(SEEN, PLAN, (), is_whole=True)
    names = ["optimizer", "loss", "learning_rate", "batch_size", "epochs", "metric", "layers"]
    assert outcomes(checks) == dict.fromkeys(names, "met")
    assert keeping(checks).outcome == "reached"


@pytest.mark.parametrize(
    ("name", "network", "training"),
    [
        ("optimizer", {}, {"optimizer": "RMSprop"}),
        ("loss", {}, {"loss": "mse"}),
        ("learning_rate", {}, {"learning_rate": 0.01}),
        ("batch_size", {}, {"batch_size": 32}),
        ("epochs", {}, {"epochs_asked": 50}),
        ("metric", {}, {"epoch_logs": ({"loss": 0.3, "auc": 0.9},)}),
        ("layers", {"layers": NETWORK.layers[:-2]}, {}),
        ("layers", {"layers": (*NETWORK.layers, NETWORK.layers[-1])}, {}),
    ],
)
def test_what_is_not_kept(name: str, network: dict[str, Any], training: dict[str, Any]) -> None:
    checks = runtime_checks(replaced(network, training), PLAN, (), is_whole=True)
    assert [check.name for check in checks if check.outcome == "not_met"] == [name]
    assert keeping(checks).outcome == "failed"
    assert name in keeping(checks).seen


def test_what_cannot_be_seen_breaks_nothing() -> None:
    unseen = {"loss": "own_loss", "batch_size": None, "epochs_asked": None, "epochs_ended": 0, "by": "loop"}
    checks = runtime_checks(replaced({}, unseen), PLAN, (), is_whole=True)
    assert {name for name, outcome in outcomes(checks).items() if outcome == "not_observable"} == {
        "loss", "batch_size", "epochs", "metric",
    }  # fmt: skip
    assert keeping(checks).outcome == "reached"
    assert runtime_checks(Observation(began=True), PLAN, (), is_whole=True) == ()


def test_of_a_loop_that_was_stopped_the_epochs_are_not_known() -> None:
    loop = {"by": "loop", "epochs_asked": None, "epochs_ended": 3}
    assert outcomes(runtime_checks(replaced({}, loop), PLAN, (), is_whole=True))["epochs"] == "not_met"
    assert outcomes(runtime_checks(replaced({}, loop), PLAN, (), is_whole=False))["epochs"] == "not_observable"


def test_pytorch_s_layers_go_by_keras_names_and_functions_are_not_missed() -> None:
    layers = (
        ObservedLayer(kind="Conv2d", parameters=320, settings={"out_channels": 32, "kernel_size": (3, 3)}),
        ObservedLayer(kind="ReLU"),
        ObservedLayer(kind="Linear", parameters=680, settings={"out_features": 10}),
    )
    torch = {"framework": "torch", "layers": layers, "kind": "Net", "input_shape": "", "output_shape": ""}
    checks = runtime_checks(replaced(torch, {"loss": "nll_loss", "by": "loop"}), PLAN, (), is_whole=True)
    assert (outcomes(checks)["layers"], outcomes(checks)["loss"]) == ("met", "met")
    less = {**torch, "layers": layers[:2]}
    assert outcomes(runtime_checks(replaced(less), PLAN, (), is_whole=True))["layers"] == "not_met"


@pytest.mark.parametrize(
    ("aspect", "name", "value", "negated", "outcome"),
    [
        ("training", "optimizer", "adam", False, "met"),
        ("training", "optimizer", "sgd", False, "not_met"),
        ("training", "optimizer", "sgd", True, "met"),
        ("training", "loss", "crossentropy", False, "met"),
        ("training", "loss", "mse", False, "not_met"),
        ("training", "loss", "contrastive", False, "not_observable"),
        ("training", "learning_rate", "0.001", False, "met"),
        ("training", "batch_size", "32", False, "not_met"),
        ("training", "epochs", "5", False, "met"),
        ("training", "dropout", "true", False, "met"),
        ("training", "dropout", "true", True, "not_met"),
        ("training", "dropout", "0.5", False, "not_met"),
        ("architecture", "filters", "32", False, "met"),
        ("architecture", "filters", "64", False, "not_met"),
        ("architecture", "heads", "4", False, "not_observable"),
        ("classes", "count", "10", False, "met"),
        ("classes", "count", "7", False, "not_met"),
        ("size", "height", "28", False, "met"),
        ("size", "channels", "3", False, "not_met"),
        ("output", "plot", "roc_curve", False, "not_observable"),
    ],
)
def test_a_request_s_constraints(aspect: Any, name: str, value: str, negated: bool, outcome: str) -> None:
    asked = Constraint(aspect=aspect, name=name, value=value, start=0, end=1, negated=negated)
    (check,) = runtime_checks(SEEN, None, [asked], is_whole=True)
    assert (check.source, check.outcome) == ("request", outcome), check
