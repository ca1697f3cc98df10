"""What a request states stands in the plan, whatever the planner said."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.plan.change import PlanChange
from pipeline.planners.repair.repair import repair_plan
from pipeline.request.data_contract import Column, DataContract, DataInput, DataTarget
from tests.pipeline.planners.repair.plans import PHOTOS, TABLE, TEXTS, plan, repaired, with_changes


@pytest.mark.parametrize(
    ("request_text", "field", "value"),
    [
        ("photo classifier, 5 classes, SGD", "optimizer", "SGD"),
        ("photo classifier, learning rate 3e-4", "learning_rate", 0.0003),
        ("photo classifier, batch size 8, 7 epochs", "batch_size", 8),
        ("photo classifier, batch size 8, 7 epochs", "epochs", 7),
        ("photo classifier with focal loss", "loss", "binary_focal_crossentropy"),
        ("classify photos, report AUC and F1", "metric", "AUC, F1Score"),
    ],
)
def test_settings(request_text: str, field: str, value: object) -> None:
    assert getattr(repaired(request_text).hyperparameters, field) == value


def test_sizes_stand_in_texts_and_layers() -> None:
    planned = repaired("Classify 96x64 grayscale photos of leaves into 7 species")
    assert "(BATCH_SIZE, 96, 64, 1)" in planned.dataset.input
    assert "(BATCH_SIZE, 7)" in planned.dataset.output
    assert "resized to 96x64" in planned.preprocess
    assert "input_shape=(96, 64, 1)" in planned.layers[0]
    assert planned.layers[-1] == "Dense(7, activation='softmax')"


def test_lengths_and_vocabularies_of_texts() -> None:
    planned = repaired("BiLSTM for positive or negative reviews, max length 200, vocab 20000, embedding 128", TEXTS)
    assert "(batch_size, 200)" in planned.dataset.input
    assert planned.preprocess == "Keep the 20000 most frequent words and pad each text to 200 tokens."
    assert planned.layers[:2] == ("Embedding(20000, 128)", "Bidirectional(LSTM(32))")


@pytest.mark.parametrize(
    ("request_text", "size"),
    [
        ("Classify photos at 416x416 into 5 kinds", "416, 416"),
        ("Classify grayscale photos of 420x540 into 5 kinds", "420, 540"),
        ("Classify photos of 4000x3000 pixels into 5 kinds", "192, 256"),
    ],
)
def test_a_size_is_kept_up_to_what_a_model_can_be_trained_at(request_text: str, size: str) -> None:
    assert f"(BATCH_SIZE, {size}, " in repaired(request_text).dataset.input


def test_what_a_data_set_s_name_implies() -> None:
    planned = repaired("MNIST CNN, simple as possible")
    assert "(BATCH_SIZE, 28, 28, 1)" in planned.dataset.input
    assert planned.layers[-1] == "Dense(10, activation='softmax')"


def test_a_backbone_takes_the_place_of_plain_convolutions() -> None:
    planned = repaired("Classify photos of 5 flowers with ResNet50")
    assert planned.layers[0] == "ResNet50(include_top=False, weights='imagenet')"
    assert not any("Conv2D" in layer for layer in planned.layers)
    without_weights = repaired("Classify photos of 5 flowers with ResNet50, trained from scratch")
    assert without_weights.layers[0] == "ResNet50(include_top=False, weights=None)"


def test_one_of_several_backbones_is_enough() -> None:
    request = "Compare VGG16 and ResNet50 on photos of 5 flowers"
    layers = ("VGG16(include_top=False)", "GlobalAveragePooling2D()", "Dense(5, activation='softmax')")
    assert repaired(request, layers=layers).layers == layers


def test_a_recurrent_cell_takes_the_place_of_another() -> None:
    assert repaired("GRU that tells spam mails", TEXTS).layers[1] == "GRU(32)"


def test_a_network_that_the_plan_does_not_have() -> None:
    layers = ("Embedding(12000, 64)", "GlobalAveragePooling1D()", "Dense(1, activation='sigmoid')")
    planned = repaired("LSTM that tells spam mails", TEXTS, layers=layers)
    assert any("LSTM(" in layer for layer in planned.layers)
    assert planned.layers[-1] == layers[-1]


def test_widths_and_activation_of_hidden_layers() -> None:
    planned = repaired("Predict the class from a table, 12 features, 3 classes, hidden layers 32/16, tanh", TABLE)
    assert planned.layers[:-1] == ("Dense(32, activation='tanh')", "Dense(16, activation='tanh')")


def test_dropout_as_asked() -> None:
    assert "Dropout(0.2)" in repaired("Classify photos, dropout 0.2").layers
    assert not any("Dropout" in layer for layer in repaired("Classify photos, no dropout").layers)


def test_the_stated_problem_decides_the_category() -> None:
    planned = repaired("Classify sound recordings of 4 engines")
    assert planned.task_category == "Audio Classification"
    # A plan for an ECG as a table is no contradiction: known plans have it so.
    series = repaired("Classify ECG signals into 3 classes", TABLE)
    assert series.task_category == "Tabular Classification"


def test_the_user_s_own_data_count() -> None:
    columns = tuple(Column(name=name, kind="number") for name in "abcd")
    table = DataInput(name="table", kind="table", path="t.csv", layout="table", shape=(4,), columns=columns)
    data = DataContract(inputs=(table,), targets=(DataTarget(name="y", kind="class", classes=6),))
    planned, _ = repair_plan(plan(TABLE), (), data=data)
    assert "(batch_size, 4)" in planned.dataset.input
    assert planned.layers[-1] == "Dense(6, activation='softmax')"


def test_a_change_says_what_it_was_and_why() -> None:
    _, changes = with_changes("Classify photos of 5 flowers, batch size 8")
    assert changes == (PlanChange(field="batch_size", before="32", after="8", because="asked: batch_size 8"),)


@pytest.mark.parametrize(
    ("request_text", "values"),
    [
        ("", PHOTOS),
        ("Classify photos of flowers into 5 classes, 128x128, Adam 0.001, accuracy", PHOTOS),
        ("Positive or negative reviews with an LSTM", TEXTS),
        ("Tell three kinds of wine by 12 columns", TABLE),
    ],
)
def test_a_plan_without_a_contradiction_is_returned_as_it_is(request_text: str, values: dict[str, Any]) -> None:
    before = plan(values)
    after, changes = repair_plan(before, ())
    assert after is before
    assert changes == ()
    planned, changes = with_changes(request_text, values)
    assert planned == before
    assert changes == ()
