"""Parts added to finished scripts: what is asked for is there, the rest stays, and Python takes the result."""

from __future__ import annotations

import ast

import pytest

from pipeline.analysis.names import names_never_defined
from pipeline.generate.parts.adding import with_parts
from pipeline.generate.parts.script import Script, keyword_of
from pipeline.measures.delivery.check import check_delivery
from pipeline.request.constraints import Constraint
from pipeline.request.reading.reader import read_constraints
from pipeline.retrieval.sample_pool import Sample, load_samples
from pipeline.starter import STARTER

CLASSIFIER = """\
# %% [markdown]
# Leaves: "größer" than ever

# %% Imports
import numpy as np
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)
LEARNING_RATE = 0.001
EPOCHS = 3
x_train, y_train = np.zeros((8, 16, 16, 3)), np.zeros((8, 4))
x_test, y_test = x_train, y_train

# %% Model
model = keras.Sequential(
    [
        keras.Input(shape=(16, 16, 3)),
        layers.Conv2D(8, (3, 3), activation="relu"),
        layers.Dropout(0.2),  # "ä" before a place that is edited
        layers.Flatten(),
        layers.Dense(16, activation="relu"),
        layers.Dense(4, activation="softmax"),
    ]
)
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=LEARNING_RATE),
    loss="categorical_crossentropy",
    metrics=["accuracy"],
)

# %% Train
history = model.fit(
    x_train,
    y_train,
    validation_data=(x_test, y_test),
    epochs=EPOCHS,
    callbacks=[keras.callbacks.ReduceLROnPlateau(patience=3)],
)
scores = model.evaluate(x_test, y_test, return_dict=True)
"""

ASKED = (
    "early stopping",
    "early stopping with patience 7",
    "checkpoint the best model",
    "step decay of the learning rate",
    "exponential decay of the learning rate",
    "cosine schedule",
    "learning rate warmup",
    "gradient clipping at 1.0",
    "weight decay 0.0001",
    "momentum 0.9",
    "label smoothing 0.1",
    "mixed precision",
    "class weights",
    "random seed 7",
    "no dropout",
    "dropout 0.4",
    "L2 regularization 0.001",
    "data augmentation",
    "random flips and rotation",
    "report AUC",
    "macro F1",
    "top-3 accuracy",
    "precision and recall",
    "plot a confusion matrix",
    "plot the learning curves",
    "print a classification report",
    "save the model as leaves.keras",
    "save the predictions to guesses.csv",
)


def unmet(source: str, constraints: tuple[Constraint, ...]) -> list[str]:
    return [check.constraint.name for check in check_delivery(constraints, source).not_met]


@pytest.mark.parametrize("asked", ASKED)
def test_what_is_asked_for_is_added_and_the_rest_stays(asked: str) -> None:
    constraints = read_constraints(f"Classify leaves, {asked}")
    assert unmet(CLASSIFIER, constraints), "the script has it already, so this shows nothing"
    changed = with_parts(CLASSIFIER, constraints)
    assert unmet(changed, constraints) == []
    assert set(names_never_defined(ast.parse(changed))) == set()
    kept = [line for line in CLASSIFIER.splitlines() if line in changed.splitlines()]
    assert len(CLASSIFIER.splitlines()) - len(kept) <= 4
    assert with_parts(changed, constraints) == changed


def test_all_of_them_together_are_one_program() -> None:
    text = "Classify leaves, " + ", ".join(one for one in ASKED if one not in ("dropout 0.4", "cosine schedule"))
    constraints = read_constraints(text)
    changed = with_parts(CLASSIFIER, constraints)
    assert len(unmet(changed, constraints)) < len(unmet(CLASSIFIER, constraints)) / 4
    compile(changed, "project.py", "exec")


@pytest.mark.parametrize("sample", load_samples(STARTER)[::5], ids=lambda sample: sample.id)
def test_a_sample_stays_a_program(sample: Sample) -> None:
    constraints = read_constraints(", ".join(("Train it with", *ASKED)))
    changed = with_parts(sample.code, constraints)
    compile(changed, "project.py", "exec")
    assert set(names_never_defined(ast.parse(changed))) <= set(names_never_defined(ast.parse(sample.code)))
    assert len(unmet(changed, constraints)) < len(unmet(sample.code, constraints))


@pytest.mark.parametrize("source", ["", "def broken(:", "import torch\n", "x = 1\n"])
def test_what_is_no_such_script_stays_as_it_is(source: str) -> None:
    assert with_parts(source, read_constraints(", ".join(ASKED))) == source


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ("f()\n", "f(a=1)\n"),
        ("f(1)\n", "f(1, a=1)\n"),
        ("f(1,)\n", "f(1, a=1)\n"),
        ("f(a=2, b=3)\n", "f(a=1, b=3)\n"),
        ("f('ä', b='ö')\n", "f('ä', b='ö', a=1)\n"),
        ("f(\n    1,\n    # a comment\n)\n", "f(\n    1,\n    # a comment\n    a=1,\n)\n"),
        ("f(\n    1\n)\n", "f(\n    1,\n    a=1,\n)\n"),
        ("if x:\n    f(\n        1,\n    )\n", "if x:\n    f(\n        1,\n        a=1,\n    )\n"),
    ],
)
def test_an_argument_finds_its_place(source: str, result: str) -> None:
    script = Script(source)
    (call,) = script.calls("f")
    assert script.with_keyword(call, "a", "1").source == result
    (changed,) = Script(result).calls("f")
    assert keyword_of(changed, "a") is not None


KEYWORDS = """\
    validation_data=(x_test, y_test),
    epochs=EPOCHS,
    callbacks=[keras.callbacks.ReduceLROnPlateau(patience=3)],
"""
OPTIONS = 'options = {"callbacks": [keras.callbacks.TensorBoard()], "validation_data": (x_test, y_test)}\n'
WITH_OPTIONS = CLASSIFIER.replace("history = model.fit(", f"{OPTIONS}history = model.fit(").replace(
    KEYWORDS, "    epochs=EPOCHS,\n    **options,\n"
)


def test_a_callback_joins_those_that_stand_in_options() -> None:
    assert "**options" in WITH_OPTIONS
    source = with_parts(WITH_OPTIONS, read_constraints("Early stopping with patience 4."))
    assert "TensorBoard(), keras.callbacks.EarlyStopping(patience=4" in source
    assert "callbacks=" not in source.replace("keras.callbacks", "")


def test_a_metric_is_measured_in_fine_tuning_too() -> None:
    again = CLASSIFIER + '\nmodel.compile(optimizer="sgd", loss="categorical_crossentropy", metrics=["accuracy"])\n'
    source = with_parts(again, read_constraints("Report the top-3 accuracy."))
    assert source.count("TopKCategoricalAccuracy(k=3") == 2


def test_the_last_state_does_not_overwrite_the_best_one() -> None:
    asked = read_constraints("ModelCheckpoint saving the best model as best_net.keras")
    source = with_parts(CLASSIFIER, asked)
    assert source.count("best_net.keras") == 1
    assert "model.save(" not in source


def test_a_matrix_is_drawn_of_the_classes_that_a_project_has_already() -> None:
    judged = "test_labels = np.zeros(8, dtype=int)\ntest_predictions = model.predict(x_test).argmax(axis=-1)\n"
    script = CLASSIFIER.replace("scores = model.evaluate(x_test, y_test, return_dict=True)\n", judged)
    source = with_parts(script, read_constraints("Plot the confusion matrix."))
    assert "np.asarray(test_labels), np.asarray(test_predictions)" in source
    assert "ConfusionMatrixDisplay.from_predictions(true_classes, guessed_classes)" in source


_ONE_CALLBACK = "    callbacks=[keras.callbacks.ReduceLROnPlateau(patience=3)],\n"
_SECOND_TRAINING = """
model.compile(optimizer="adam", loss="categorical_crossentropy")
model.fit(
    x_train,
    y_train,
    epochs=2,
)
"""
FINE_TUNED = CLASSIFIER.replace(_ONE_CALLBACK, "") + _SECOND_TRAINING


def test_one_list_of_callbacks_watches_both_parts_of_a_training() -> None:
    asked = tuple(read_constraints("a checkpoint and ReduceLROnPlateau"))
    finished = with_parts(FINE_TUNED, asked)
    fits = Script(finished).calls("fit")
    assert [ast.unparse(keyword_of(fit, "callbacks") or fit) for fit in fits] == ["callbacks", "callbacks"]
    assert [check.outcome for check in check_delivery(asked, finished).checks] == ["met"] * len(asked)


def test_a_schedule_is_for_the_first_training_alone() -> None:
    asked = tuple(read_constraints("a checkpoint and a cosine schedule"))
    finished = with_parts(FINE_TUNED, asked)
    first, second = Script(finished).calls("fit")
    assert "LearningRateScheduler" in ast.unparse(first)
    assert "LearningRateScheduler" not in ast.unparse(second)
    assert "LearningRateScheduler" not in ast.unparse(Script(finished).assigned("callbacks") or second)
