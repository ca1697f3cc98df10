"""The model section from the plan's layers."""

from __future__ import annotations

from pipeline.generate.symbolic.adapt import adapt
from pipeline.generate.symbolic.architecture import with_aligned_sizes, with_plan_layers
from pipeline.generate.symbolic.notebook import read_notebook
from pipeline.plan.dataset_facts import DatasetFacts
from tests.pipeline.generate.symbolic.projects import FLOWERS, target


def test_the_plans_layers_become_checked_calls_with_the_projects_own_input_and_output() -> None:
    wanted = target(
        layers=(
            "Conv2D(16, (3,3), activation='relu', input_shape=(224, 224, 3))",
            "MaxPool2D()",
            "Dense Layer (32 neurons) with ReLU activation",
            "Dense(1000, activation='softmax')",
        )
    )
    model = with_plan_layers(adapt(read_notebook(FLOWERS), wanted), wanted)
    assert model is not None
    body = [line.strip() for line in model.section("model")[0].source.splitlines()[4:-2]]
    assert body[0] == "keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS)),"
    assert body[1] == 'layers.Conv2D(16, (3, 3), activation="relu"),'
    assert body[-1] == 'layers.Dense(NUM_CLASSES, activation="softmax"),'
    assert any(line.startswith(("layers.Flatten", "layers.GlobalAveragePooling2D")) for line in body)


def test_a_plan_with_branches_or_without_understandable_layers_keeps_the_samples_model() -> None:
    notebook = read_notebook(FLOWERS)
    assert with_plan_layers(notebook, target(layers=("Conv2D(8, 3)", "Concatenate()", "Conv2D(8, 3)"))) is None
    assert with_plan_layers(notebook, target(layers=("BERT Layer", "magic", "more magic"))) is None
    assert with_plan_layers(notebook, target(layers=())) is None


def test_a_model_with_two_inputs_is_left_alone() -> None:
    two = FLOWERS.replace(
        "keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS)),", "keras.Input((8,)), keras.Input((9,)),"
    )
    assert with_plan_layers(read_notebook(two), target()) is None
    assert with_aligned_sizes(read_notebook(two), target()) == read_notebook(two)


def test_layers_that_correspond_are_sized_like_the_plans() -> None:
    plan = ("Conv2D(48, 3)", "MaxPooling2D()", "Flatten()", "Dense(200)", "Dense(9, activation='softmax')")
    text = with_aligned_sizes(read_notebook(FLOWERS), target(layers=plan)).text()
    assert 'layers.Conv2D(48, (3, 3), activation="relu")' in text
    assert 'layers.Dense(200, activation="relu")' in text
    assert "layers.Dense(NUM_CLASSES," in text


def test_a_hidden_layer_is_not_sized_like_the_plans_output() -> None:
    # The plan has no hidden layer, so that its only dense one is the output.
    plan = ("Conv2D(48, 3)", "Flatten()", "Dense(3, activation='softmax')")
    text = with_aligned_sizes(read_notebook(FLOWERS), target(layers=plan)).text()
    assert 'layers.Conv2D(48, (3, 3), activation="relu")' in text
    assert "layers.Dense(3" not in text


def test_a_plan_that_would_break_the_stack_changes_nothing() -> None:
    notebook = read_notebook(FLOWERS.replace("layers.Flatten(),", "layers.Reshape((31 * 31, 32)), layers.LSTM(8),"))
    assert with_aligned_sizes(notebook, target(layers=("Conv2D(48, 3)", "MaxPooling2D()"))) == notebook


def test_a_backbone_needs_no_download_for_a_smoke_run() -> None:
    layers = ("ResNet50(weights='imagenet', input_shape=(224, 224, 3))", "GlobalAveragePooling2D()", "Dense(5)")
    wanted = target(layers=layers, facts=DatasetFacts(height=96, width=96, channels=3, classes=7))
    with_switch = FLOWERS.replace("CHANNELS = 3", "CHANNELS = 3\nSYNTHETIC = True")
    model = with_plan_layers(adapt(read_notebook(with_switch), wanted), wanted)
    assert model is not None
    assert 'keras.applications.ResNet50(include_top=False, weights=None if SYNTHETIC else "imagenet")' in model.text()
