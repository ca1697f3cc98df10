"""Output layer, loss, metric and class count agree; layers build."""

from __future__ import annotations

import pytest

from benchmarks.plan_coherence import contradictions, head_of
from pipeline.inputs import read_requirements
from pipeline.keras.layers import parse_layer
from pipeline.keras.shapes.trace import trace_shapes
from pipeline.planners.repair.repair import repair_plan
from pipeline.retrieval.sample_pool import load_known_plans
from pipeline.understanding import asked_of
from tests.pipeline.planners.repair.plans import PHOTOS, TABLE, TEXTS, repaired


@pytest.mark.parametrize(
    ("output_layer", "loss", "text", "head", "repaired_loss"),
    [
        # The loss was chosen for the request, the layers were borrowed.
        ("Dense(7, activation='softmax')", "binary_crossentropy", "", "Dense(1, activation='sigmoid')", ""),
        (
            "Dense(1, activation='sigmoid')",
            "categorical_crossentropy",
            "",
            "Dense(num_classes, activation='softmax')",
            "",
        ),
        # The plan's own output says how many.
        (
            "Dense(1, activation='sigmoid')",
            "sparse_categorical_crossentropy",
            "Output shape is (BATCH_SIZE, 4).",
            "Dense(4, activation='softmax')",
            "",
        ),
        (
            "Dense(4, activation='softmax')",
            "binary_crossentropy",
            "Output shape is (BATCH_SIZE, 4).",
            "Dense(4, activation='softmax')",
            "categorical_crossentropy",
        ),
        ("Dense(4, activation='sigmoid')", "categorical_crossentropy", "", "Dense(4, activation='softmax')", ""),
        # Several labels at once are one thing.
        ("Dense(4, activation='sigmoid')", "binary_crossentropy", "", "Dense(4, activation='sigmoid')", ""),
        ("Dense(2, activation='softmax')", "Binary Crossentropy", "", "Dense(1, activation='sigmoid')", ""),
    ],
)
def test_output_layer_and_loss(output_layer: str, loss: str, text: str, head: str, repaired_loss: str) -> None:
    planned = repaired("", layers=(*PHOTOS["layers"][:-1], output_layer), loss=loss, output=text or "Class labels.")
    assert planned.layers[-1] == head
    assert planned.hyperparameters.loss == (repaired_loss or loss)


@pytest.mark.parametrize(
    ("request_text", "loss", "head", "repaired_loss"),
    [
        (
            "Classify photos into 9 classes",
            "binary_crossentropy",
            "9, activation='softmax'",
            "categorical_crossentropy",
        ),
        ("Binary classifier of photos", "binary_crossentropy", "1, activation='sigmoid'", "binary_crossentropy"),
        ("Tell cats from dogs, two classes", "categorical_hinge", "2, activation='softmax'", "categorical_hinge"),
        ("Multi-label, 12 labels", "categorical_crossentropy", "12, activation='sigmoid'", "binary_crossentropy"),
        ("Photos, 9 classes, MSE loss", "categorical_crossentropy", "9, activation='softmax'", "mean_squared_error"),
    ],
)
def test_stated_classes(request_text: str, loss: str, head: str, repaired_loss: str) -> None:
    planned = repaired(request_text, loss=loss)
    assert planned.layers[-1] == f"Dense({head})"
    assert planned.hyperparameters.loss == repaired_loss


def test_a_regression_gives_one_number_unless_more_are_asked_for() -> None:
    layers = (TABLE["layers"][0], "Dense(3)")
    values = TABLE | {"task_category": "Tabular Regression", "layers": layers, "loss": "mse", "metric": "mae"}
    planned = repaired("Predict house prices", values)
    assert planned.layers[-1] == "Dense(1)"
    assert "(batch_size, 1)" in planned.dataset.output
    classifier = repaired("Predict house prices", TABLE)
    assert classifier.task_category == "Tabular Regression"
    assert classifier.hyperparameters.loss == "mean_squared_error"
    assert classifier.hyperparameters.metric == "mean_absolute_error"


def test_tags_are_one_a_token() -> None:
    planned = repaired("Named entity recognition, 9 tags, sentences padded to 75 tokens, BiLSTM", TEXTS)
    assert "(batch_size, 75, 9)" in planned.dataset.output
    assert planned.layers[1:] == ("Bidirectional(LSTM(32, return_sequences=True))", "Dense(9, activation='softmax')")


def test_layers_that_do_not_build_are_made_to() -> None:
    layers = (
        *("Conv2D(32, (3, 3), activation='relu', input_shape=(128, 128, 3))", "MaxPooling2D((2, 2))") * 4,
        "Dense(5, activation='softmax')",
    )
    planned = repaired("Classify photos of 16x16 pixels into 5 classes", layers=layers)
    calls = [call for layer in planned.layers if (call := parse_layer(layer)) is not None]
    traced = trace_shapes(calls, (16, 16, 3))
    assert traced.problem is None
    assert traced.shapes[-1] == (5,)


def test_words_that_name_layers_are_left_alone() -> None:
    layers = ("ResNet101V2 (base model)", "GlobalAveragePooling2D", "Dense (output layer with softmax activation)")
    assert repaired("Classify photos into 5 classes", layers=layers).layers == layers


def test_all_bundled_plans_and_requirements_come_out_coherent_and_stay_so() -> None:
    """Each requirement with a plan that was made for another one."""
    plans = [item.plan for item in load_known_plans()]
    for row, record in enumerate(read_requirements("starter")):
        constraints = asked_of(record)
        planned, _ = repair_plan(plans[(row * 7) % len(plans)], constraints)
        again, changes = repair_plan(planned, constraints)
        assert again == planned, (record.requirement, changes)
        head = head_of(planned)
        if head is not None:
            assert list(contradictions(planned, head, f"{record.requirement}\n{record.attributes}")) == []
