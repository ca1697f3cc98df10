"""A sample's code adapted to a plan."""

from __future__ import annotations

import ast

import pytest

from pipeline.generate.symbolic.adapt import adapt
from pipeline.generate.symbolic.notebook import read_notebook
from pipeline.generate.symbolic.target import target_of
from pipeline.plan.dataset_facts import DatasetFacts
from pipeline.plan.reading import read_plan
from tests.pipeline.generate.symbolic.projects import FLOWERS, PLAIN, target
from tests.pipeline.plan.test_reading import PLAN


def test_every_value_of_the_plan_finds_its_place() -> None:
    text = adapt(read_notebook(FLOWERS), target()).text()
    for line in (
        "IMAGE_HEIGHT = 96",
        "IMAGE_WIDTH = 80",
        "CHANNELS = 1",
        "NUM_CLASSES = 7",
        "BATCH_SIZE = 16",
        "EPOCHS = 3",
    ):
        assert f"\n{line}\n" in text
    assert "LEARNING_RATE = 0.01  # a comment that must stay" in text
    assert "optimizer=keras.optimizers.RMSprop(learning_rate=LEARNING_RATE)," in text
    assert 'loss="sparse_categorical_crossentropy",' in text
    assert 'return np.asarray(labels, dtype="int64")' in text
    assert "I want to sort mushrooms." in text
    ast.parse(text)


@pytest.mark.parametrize(
    ("labels", "loss", "head", "code"),
    [
        ("sparse", "sparse_categorical_crossentropy", 'Dense(NUM_CLASSES, activation="softmax")', "np.asarray"),
        ("one_hot", "categorical_crossentropy", 'Dense(NUM_CLASSES, activation="softmax")', "to_categorical"),
        ("column", "binary_crossentropy", 'Dense(1, activation="sigmoid")', "reshape(-1, 1)"),
    ],
)
def test_labels_output_layer_and_loss_go_together(labels: str, loss: str, head: str, code: str) -> None:
    classes = DatasetFacts(classes=2 if labels == "column" else 9)
    text = adapt(read_notebook(FLOWERS), target(labels=labels, loss=loss, facts=classes)).text()
    assert head in text
    assert f'loss="{loss}"' in text
    assert code in text


def test_what_the_plan_leaves_open_stays_as_it_is() -> None:
    nothing = target(
        facts=DatasetFacts(), optimizer="", loss="", metric="", learning_rate=None, batch_size=None, epochs=None,
        labels="one_hot", category="Image Classification", title="# Flowers\nTells flowers apart.",
    )  # fmt: skip
    text = adapt(read_notebook(FLOWERS), nothing).text()
    assert [line for line in text.splitlines() if line not in FLOWERS.splitlines()] == [
        '    """One-hot labels: one column per class."""'
    ]


def test_sizes_that_must_be_misread_are_not_taken_over() -> None:
    text = adapt(
        read_notebook(FLOWERS), target(facts=DatasetFacts(height=100_000, width=3, channels=700, classes=1))
    ).text()
    assert "IMAGE_HEIGHT = 64" in text
    assert "IMAGE_WIDTH = 64" in text
    assert "CHANNELS = 3" in text


def test_a_loss_of_the_projects_own_stays() -> None:
    custom = FLOWERS.replace('loss="categorical_crossentropy"', "loss=my_loss")
    assert "loss=my_loss" in adapt(read_notebook(custom), target()).text()


def test_code_in_another_idiom_is_adapted_in_place() -> None:
    text = adapt(read_notebook(PLAIN), target(facts=DatasetFacts(height=64, width=64, classes=4))).text()
    assert "IMG_SIZE = (64, 64)" in text
    assert 'model.add(Dense(4, activation="softmax"))' in text
    assert "optimizer=tf.keras.optimizers.RMSprop(learning_rate=0.01)" in text
    assert "epochs=3, batch_size=16" in text
    ast.parse(text)


def test_new_label_code_brings_the_constant_it_reads() -> None:
    binary = FLOWERS.replace("NUM_CLASSES = 5\n", "").replace("NUM_CLASSES", "2")
    text = adapt(read_notebook(binary), target(labels="one_hot", loss="categorical_crossentropy")).text()
    assert text.index("NUM_CLASSES = 7") < text.index("to_categorical(labels, NUM_CLASSES)")


def test_the_target_reads_the_plan_and_falls_back_on_the_users_words() -> None:
    read = target_of(read_plan(PLAN), "Sort moths. " * 100, "Grayscale photos, 32x32, nine species, batch size 4")
    assert (read.facts.height, read.facts.width, read.facts.channels, read.facts.classes) == (64, 64, 3, 4)
    assert (read.batch_size, read.labels, read.activation) == (32, "one_hot", "softmax")
    assert len(read.title) <= 400


def test_what_is_read_from_the_history_keeps_its_name() -> None:
    asked = target(metric="categorical_accuracy", loss="categorical_crossentropy", labels="one_hot")
    assert 'metrics=["accuracy"]' in adapt(read_notebook(FLOWERS), asked).text()
