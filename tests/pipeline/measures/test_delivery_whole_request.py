"""What is there and yet not what was asked, in view of the whole request."""

from __future__ import annotations

import pytest

from pipeline.measures.delivery.assumptions import PlanOrigin, assumptions
from pipeline.measures.delivery.check import check_delivery
from pipeline.measures.delivery.code import read_code
from pipeline.plan.solution_plan import Hyperparameters, ModelArchitecture, SolutionPlan
from pipeline.request.constraints import Constraint
from pipeline.request.stated_facts import stated_facts
from tests.pipeline.measures.asked import asked, wrong

KERAS = """
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers
FINE_TUNED_LAYERS = {count}
base = keras.applications.MobileNetV2(include_top=False, weights="imagenet", input_shape=(96, 96, 3))
base.trainable = False
model = keras.Sequential([base, layers.GlobalAveragePooling2D(), layers.Dense(6, activation="softmax")])
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
model.fit(train_ds, epochs=10{first})
base.trainable = True
for place, layer in enumerate(base.layers, start=-len(base.layers)):
    layer.trainable = place >= -FINE_TUNED_LAYERS
model.compile(optimizer=keras.optimizers.Adam(1e-5), loss="sparse_categorical_crossentropy")
model.fit(train_ds, epochs=5{last})
"""

TORCH = """
import torch
from torch import nn
import torchvision
model = torchvision.models.resnet18(weights="IMAGENET1K_V1")
model.requires_grad_(False)
model.fc = nn.Linear(512, 6)
for parameter in model.fc.parameters():
    parameter.requires_grad = True
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
criterion = nn.CrossEntropyLoss()
for epoch in range(10):
    for x, y in loader:
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    {first}
{between}
for epoch in range(5):
    for x, y in loader:
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    {last}
"""

STOP = "if patience_counter > 3: break"


def keras(count: int = 30, first: str = "", last: str = "") -> str:
    return KERAS.format(count=count, first=first, last=last)


def torch(between: str = "", first: str = "pass", last: str = "pass") -> str:
    return TORCH.format(between=between, first=first, last=last)


@pytest.mark.parametrize(
    ("source", "verdict"),
    [
        (keras(), "-"),
        (keras(count=0), "+"),
        (torch(), "+"),  # the new layer on top is to learn
        (torch("model.layer4.requires_grad_(True)"), "-"),
        (torch("for p in model.layer4.parameters():\n    p.requires_grad = True"), "-"),
        (torch("model.layer4.requires_grad_(False)"), "+"),
    ],
)
def test_what_is_set_free_again_is_not_frozen(source: str, verdict: str) -> None:
    assert wrong(f"{verdict} architecture.frozen=true", source) == []
    both = "+ architecture.frozen=true\n+ architecture.fine_tuned=true"
    if verdict == "-":  # frozen first, then fine-tuned: that is asked for here
        assert wrong(both, source) == []


SUM = """
import {library}
def dice_loss(truth, predicted):
    return 1 - 2 * (truth * predicted).sum() / (truth + predicted).sum()
def loss_function(truth, predicted):
    return {total}
{rest}
"""
TORCH_SUM = "model = torch.nn.Conv2d(1, 1, 3)\noptimizer = torch.optim.Adam(model.parameters())"
KERAS_SUM = "model = keras.Sequential([keras.layers.Conv2D(1, 3)])\nmodel.compile(optimizer='adam', loss=loss_function)"


@pytest.mark.parametrize(
    ("library", "rest", "other"),
    [
        ("torch", TORCH_SUM, "torch.nn.functional.cross_entropy(predicted, truth)"),
        ("keras", KERAS_SUM, "keras.losses.binary_crossentropy(truth, predicted)"),
    ],
)
def test_a_loss_that_is_part_of_a_sum_is_not_the_named_one(library: str, rest: str, other: str) -> None:
    summed = SUM.format(library=library, rest=rest, total=f"0.5 * {other} + dice_loss(truth, predicted)")
    alone = SUM.format(library=library, rest=rest, total="dice_loss(truth, predicted)")
    assert wrong("- training.loss=dice", summed) == []
    assert wrong("+ training.loss=dice", alone) == []
    assert wrong("+ training.loss=dice\n+ training.loss=crossentropy", summed) == []
    text = "segment cracks with a combined dice loss"
    loss = Constraint(aspect="training", name="loss", value="dice", start=31, end=40)
    assert check_delivery([loss], summed, requirement=text).checks[0].outcome == "met"


EARLY = ", callbacks=[keras.callbacks.EarlyStopping(patience=3)]"
CHECKPOINT = ", callbacks=[keras.callbacks.ModelCheckpoint('best.keras'), keras.callbacks.ReduceLROnPlateau()]"


@pytest.mark.parametrize(
    ("asked_for", "first", "last", "verdict"),
    [
        ("training.early_stopping=true", EARLY, "", "-"),
        ("training.early_stopping=true", "", EARLY, "+"),
        ("training.early_stopping=true", EARLY, EARLY, "+"),
        ("training.checkpoint=true", CHECKPOINT, "", "-"),
        ("training.schedule=reduce_on_plateau", CHECKPOINT, "", "-"),
        ("training.schedule=reduce_on_plateau", CHECKPOINT, CHECKPOINT, "+"),
        ("training.early_stopping=true", EARLY, ", **options", "+"),  # what the options hold is not known
    ],
)
def test_a_callback_that_the_last_fit_lacks_is_not_met(asked_for: str, first: str, last: str, verdict: str) -> None:
    assert wrong(f"{verdict} {asked_for}", keras(first=first, last=last)) == []


def test_the_fit_that_has_the_callback_is_named() -> None:
    check = check_delivery([asked("training.early_stopping=true")], keras(first=EARLY)).checks[0]
    assert (check.line, check.evidence) == (15, "only in the fit of line 10, not in the last one")


@pytest.mark.parametrize(
    ("asked_for", "has"),
    [("training.early_stopping=true", STOP), ("training.checkpoint=true", "torch.save(model, 'best.pt')")],
)
def test_what_watches_only_the_first_loop_is_not_met(asked_for: str, has: str) -> None:
    assert wrong(f"- {asked_for}", torch(first=has)) == []
    assert wrong(f"+ {asked_for}", torch(last=has)) == []
    assert wrong(f"+ {asked_for}", torch(first=has, last=has)) == []
    other_network = torch(first=has).replace("optimizer.step()", "teacher_optimizer.step()", 1)
    assert wrong(f"+ {asked_for}", other_network) == []


@pytest.mark.parametrize(
    ("requirement", "printed", "outcome"),
    [
        ("compare with simply repeating yesterday", "the last value goes on", "not_met"),
        ("compare with simply repeating yesterday", "the last season again", "met"),
        ("compare it with a naive baseline", "the last value goes on", "met"),
        ("compare it with logistic regression", "always the most frequent class", "not_met"),
        ("compare with the majority class", "always the most frequent class", "met"),
        ("compare with predicting the mean", "always the mean rating", "met"),
        ("compare with predicting the mean", "always the median", "not_met"),
    ],
)
def test_a_named_baseline_is_met_by_that_one_alone(requirement: str, printed: str, outcome: str) -> None:
    source = f'error = 1.0\nprint(f"held-out error: {{error}} (baseline, {printed}: {{error}})")'
    report = Constraint(aspect="output", name="report", value="baseline", start=0, end=len(requirement))
    assert check_delivery([report], source, requirement=requirement).checks[0].outcome == outcome


def test_a_fitted_baseline_is_met_by_its_class() -> None:
    text = "compare with a random forest"
    report = Constraint(aspect="output", name="report", value="baseline", start=0, end=len(text))
    for name, outcome in (("RandomForestRegressor", "met"), ("LinearRegression", "not_met")):
        source = f"from sklearn import linear_model, ensemble\n{name}().fit(x, y)"
        assert check_delivery([report], source, requirement=text).checks[0].outcome == outcome


RECOMMENDER = """
import keras
from keras import layers
USER_COLUMN, ITEM_COLUMN, {names}
user, item = keras.Input(shape=(1,)), keras.Input(shape=(1,))
dot = layers.Dot(axes=-1)([layers.Embedding(9, 32)(user), layers.Embedding(9, 32)(item)])
model = keras.Model([user, item], layers.Dense(1)(layers.Flatten()(dot)))
model.compile(optimizer="adam", loss="mse")
"""


@pytest.mark.parametrize(
    ("text", "by_ratings", "by_sessions"),
    [
        ("recommend books, we have a star rating 1 to 5", "met", "not_met"),
        ("recommend the next product of a session", "not_met", "met"),
        ("recommend books to readers", "met", "met"),
        ("recommend books by what was listened to: nobody leaves ratings", "met", "met"),
    ],
)
def test_ratings_are_no_sessions(text: str, by_ratings: str, by_sessions: str) -> None:
    for names, outcome in (('TARGET = "u", "i", "rating"', by_ratings), ('TIME = "session", "i", "time"', by_sessions)):
        source = RECOMMENDER.format(names=names)
        delivery = check_delivery([asked("task.problem=recommendation")], source, requirement=text)
        assert delivery.checks[0].outcome == outcome


def test_rows_of_a_table_are_no_windows_of_several_channels() -> None:
    source = "import torch\nwindow = 200\nmodel = torch.nn.Sequential(torch.nn.Linear(30, 16), torch.nn.Linear(16, 30))"
    windows = source.replace("torch.nn.Linear(30, 16)", "torch.nn.Conv1d(3, 16, 5)")
    request = [asked("data.kind=series"), asked("size.length=200"), asked("size.channels=3")]
    assert check_delivery(request, source).checks[0].outcome == "not_met"
    assert check_delivery(request, windows).checks[0].outcome == "met"
    assert check_delivery(request[:1], source).checks[0].outcome == "met"


@pytest.mark.parametrize(
    ("source", "loss", "batch_size"),
    [
        (
            "import keras\nmodel = keras.Sequential([keras.layers.Dense(1)])\n"
            "model.compile(optimizer='adam', loss='binary_crossentropy')\nmodel.fit(x, y, batch_size=16)",
            "binary_crossentropy",
            "16",
        ),
        (
            "import torch\nmodel = torch.nn.Linear(3, 1)\noptimizer = torch.optim.Adam(model.parameters())\n"
            "loss_function = torch.nn.BCEWithLogitsLoss()\n"
            "loader = torch.utils.data.DataLoader(rows, batch_size=16)\nfor epoch in range(3):\n"
            "    loss_function(model(x), y).backward()",
            "binary_crossentropy",
            "16",
        ),
    ],
)
def test_what_is_assumed_is_read_in_the_finished_code(source: str, loss: str, batch_size: str) -> None:
    hyper = Hyperparameters(loss="sparse_categorical_crossentropy", optimizer="Adam", batch_size=32)
    plan = SolutionPlan(architecture=ModelArchitecture(hyperparameters=hyper))
    found = {one.name: one.value for one in assumptions((), plan, PlanOrigin(), read_code(source))}
    assert (found["loss"], found["batch_size"], found["optimizer"]) == (loss, batch_size, "adam")


def test_a_binary_target_with_three_outputs_is_reported() -> None:
    source = "import keras\nmodel = keras.Sequential([keras.layers.Dense(3, activation='softmax')])\n"
    source += "model.compile(optimizer='adam', loss='sparse_categorical_crossentropy')"
    assert wrong("- task.variant=binary", source) == []


def test_names_of_a_column_s_values_do_not_count_the_classes_of_a_binary_target() -> None:
    names = [asked(f"classes.name={name}") for name in ("basic", "plus", "premium")]
    assert stated_facts(names).classes == 3
    assert stated_facts([*names, asked("task.variant=binary")]).classes == 2
    assert stated_facts([asked("classes.count=3"), *names, asked("task.variant=binary")]).classes == 3
