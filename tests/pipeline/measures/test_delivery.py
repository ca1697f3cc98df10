"""The verdicts as a whole: broken code, unknown constraints, awkward texts, assumptions, shares over rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.measures.delivery.check import CHECKS, check_delivery, satisfaction, satisfaction_of_row
from pipeline.plan.solution_plan import Hyperparameters, ModelArchitecture, SolutionPlan
from pipeline.request.constraints import Aspect, Constraint
from pipeline.request.delivery import Delivery
from tests.awkward_texts import awkward_texts
from tests.pipeline.measures.asked import asked

LABELS = Path(__file__).parents[1] / "request" / "labels" / "own.jsonl"

SMALL = """
from tensorflow import keras
model = keras.Sequential([keras.Input((9,)), keras.layers.Dense(16, activation="relu"), keras.layers.Dense(1)])
model.compile("adam", "mse")
model.fit(x, y, epochs=3)
"""

# The names of the guide (tests/pipeline/request/labels/GUIDE.md), each with a value.
NAMES = (
    "framework.framework=jax framework.api=functional task.problem=regression task.variant=binary data.kind=table "
    "data.dataset=iris data.representation=mfcc size.height=8 size.width=8 size.channels=3 size.depth=4 size.frames=4 "
    "size.length=5 size.horizon=2 size.features=9 size.vocabulary=10 size.latent=2 size.outputs=1 size.examples=9 "
    "size.users=9 size.items=9 size.scale=2 size.sample_rate=8000 size.duration=2 size.nodes=9 classes.count=3 "
    "classes.name=cat classes.imbalance=true files.file=a.csv files.folder=a files.column=a files.target=a "
    "files.format=csv files.separator=; files.encoding=utf-8 architecture.family=mlp architecture.backbone=vgg16 "
    "architecture.weights=scratch architecture.frozen=true architecture.fine_tuned=true "
    "architecture.fine_tuned_layers=3 architecture.hidden_layers=16 architecture.conv_layers=2 "
    "architecture.conv_blocks=2 architecture.recurrent_layers=2 architecture.encoder_layers=2 "
    "architecture.dense_layers=2 architecture.heads=4 architecture.kernel_size=3 architecture.filters=8,16 "
    "architecture.embedding=8 architecture.units=16 architecture.stride=2 architecture.depth=18 "
    "architecture.activation=relu architecture.output_activation=linear architecture.normalization=batch "
    "architecture.pooling=max architecture.skip_connections=true training.loss=mse training.optimizer=adam "
    "training.learning_rate=0.001 training.momentum=0.9 training.weight_decay=0.01 training.batch_size=32 "
    "training.epochs=3 training.patience=5 training.gradient_clipping=true training.label_smoothing=0.1 "
    "training.l1=0.1 training.l2=true training.seed=42 training.folds=5 training.steps=10 training.dropout=0.5 "
    "training.schedule=cosine training.early_stopping=true training.checkpoint=true training.mixed_precision=true "
    "training.class_weights=true training.oversampling=true training.stratified=true training.teacher_forcing=true "
    "training.shuffle=true training.augmentation=flip training.validation_split=0.2 training.test_split=0.2 "
    "training.scaling=standard metric.metric=mae metric.goal=0.9 output.plot=roc_curve output.model_file=true "
    "output.predictions_file=true output.report=metrics output.samples=true output.decoding=greedy "
    "output.comments=true output.export=onnx size.mel_bands=64 size.hop_length=160 architecture.patch_size=4 "
    "architecture.dilations=1,2,4 architecture.initializer=he training.nesterov=true training.margin=0.5 "
    "training.quantiles=0.1,0.9 training.decay_factor=0.5 training.decay_every=10 training.plateau_patience=3 "
    "training.warmup_steps=500 training.gradient_accumulation=4 training.frozen_epochs=5 training.epsilon=1,0.05 "
    "training.split_order=chronological training.split_by=customer training.scaling_per=window training.overlap=0.5 "
    "training.imputation=median training.monitor=val_auc training.search=optuna metric.per=class metric.cutoff=10 "
    "output.threshold=0.3 output.threshold_percentile=0.99 output.threshold_deviations=3 output.top_n=5 "
    "output.sample_grid=4x4 output.every_epochs=5 output.log=csv output.log_file=log.csv output.app=gradio"
).split()


@pytest.mark.parametrize("name", NAMES)
def test_every_name_of_the_guide_is_looked_up(name: str) -> None:
    constraint = asked(name)
    assert constraint.name in CHECKS[constraint.aspect]
    (check,) = check_delivery([constraint], SMALL).checks
    assert check.evidence or check.outcome == "met"


def test_every_name_that_the_labels_have_is_looked_up() -> None:
    rows = [json.loads(line) for line in LABELS.read_text(encoding="utf-8").splitlines()]
    labelled = {(label["aspect"], label["name"]) for row in rows for label in row["constraints"]}
    assert {(aspect, name) for aspect, checks in CHECKS.items() for name in checks} >= labelled


def test_a_name_without_a_check_is_not_guessed() -> None:
    constraint = Constraint(aspect="output", name="poem", value="haiku", start=0, end=5)
    (check,) = check_delivery([constraint], SMALL).checks
    assert (check.outcome, check.line) == ("not_checkable", None)


@pytest.mark.parametrize("source", ["", "def f(:\n", "\x00", "# only a remark\n"])
def test_of_broken_code_nothing_is_checkable(source: str) -> None:
    delivery = check_delivery([asked("training.epochs=3"), asked("not training.dropout=true")], source)
    assert [check.outcome for check in delivery.checks] == ["not_checkable", "not_checkable"]
    assert delivery.constraint_satisfaction is None


def test_a_program_is_read_and_never_run() -> None:
    delivery = check_delivery([asked("training.epochs=3")], "raise SystemExit\nmodel.fit(x, y, epochs=3)\n")
    assert delivery.met == 1


ANY_CONSTRAINT = st.builds(
    Constraint,
    aspect=st.sampled_from(get_args(Aspect)),
    name=st.sampled_from([asked(name).name for name in NAMES]) | st.text(max_size=8),
    value=st.sampled_from([asked(name).value for name in NAMES]) | st.text(max_size=12) | st.floats().map(repr),
    start=st.just(0),
    end=st.just(0),
    subject=st.text(max_size=6),
    negated=st.booleans(),
)


@settings(max_examples=60, deadline=None)
@given(
    constraint=ANY_CONSTRAINT,
    source=st.sampled_from([SMALL, "import torch\nx = torch.nn.Linear(2, 3)\n", "a.b(c=[1])"]),
)
def test_any_constraint_gets_a_verdict(constraint: Constraint, source: str) -> None:
    (check,) = check_delivery([constraint], source).checks
    assert check.constraint is constraint


def test_awkward_texts_get_verdicts_in_time() -> None:
    constraints = [asked(name) for name in NAMES]
    for name, text in awkward_texts(1500):
        for source in (SMALL + text, f"{SMALL}\nx = {text!r}\n"):
            assert len(check_delivery(constraints, source).checks) == len(constraints), name


def test_deeply_nested_code_gets_verdicts() -> None:
    constraints = [asked(name) for name in NAMES]
    for source in (
        "x = " + "(" * 80 + "1" + ")" * 80,
        "a" + "[0]" * 900,
        "a" + ".b()" * 900,
        "x = " + "1 - " * 2000 + "1",
    ):
        assert len(check_delivery(constraints, source).checks) == len(constraints)


def test_the_plan_assumes_what_nobody_asked_for() -> None:
    plan = SolutionPlan(
        architecture=ModelArchitecture(hyperparameters=Hyperparameters(optimizer="Adam", epochs=30, batch_size=64))
    )
    assumed = check_delivery(
        [asked("training.epochs=30"), asked("not training.optimizer=sgd")], SMALL, plan=plan
    ).assumptions
    values = {one.name: one.value for one in assumed}
    assert "batch_size" not in values  # the code sets none, whatever the plan says
    assert values["optimizer"] == "adam"
    assert "epochs" not in values
    assert "learning_rate" not in values


def test_shares_over_rows_have_their_denominators() -> None:
    kept = check_delivery([asked("training.epochs=3"), asked("training.optimizer=adam")], SMALL)
    half = check_delivery([asked("training.epochs=3"), asked("training.optimizer=sgd")], SMALL)
    broken = check_delivery([asked("training.epochs=3")], "def f(:")
    shares = satisfaction([kept, half, broken, Delivery()])
    assert (shares.met, shares.checkable, shares.not_checkable) == (3, 4, 0)
    assert (shares.satisfied, shares.rows) == (1, 2)
    assert shares.constraint_rate == 0.75
    assert shares.row_rate == 0.5
    # What is no program was asked for one thing, which counts as not met only in the strict shares.
    assert (shares.lost, shares.lost_rows) == (1, 1)
    assert shares.strict_constraint_rate == 3 / 5
    assert shares.strict_row_rate == 1 / 3
    assert satisfaction([]).constraint_rate is None


def test_a_loop_over_what_is_empty_before_the_run_is_read_too() -> None:
    source = """
from tensorflow.keras.utils import load_img
captions = {}
for name in captions:
    picture = load_img(name, target_size=(96, 128))
"""
    delivery = check_delivery([asked("size.height=96"), asked("size.width=128"), asked("size.channels=3")], source)
    assert [check.outcome for check in delivery.checks] == ["met"] * 3
    assert [check.line for check in delivery.checks] == [5] * 3


def test_embeddings_of_categories_are_no_words() -> None:
    source = """
from tensorflow import keras
from tensorflow.keras import layers
inputs = keras.Input(())
outputs = layers.Dense(8, activation="softmax")(layers.Dense(16)(layers.Embedding(8, 4)(inputs)))
model = keras.Model(inputs, outputs)
model.compile("adam", "sparse_categorical_crossentropy")
"""
    (check,) = check_delivery([asked("task.problem=classification")], source).checks
    assert check.outcome == "met"


def test_what_is_shown_or_drawn_is_no_column() -> None:
    source = (
        'import pandas as pd\ntable = pd.read_csv("a.csv")\nplt.ylabel("sales")\nprint("sales")\nx = table.to_numpy()\n'
    )
    (check,) = check_delivery([asked("files.column=sales")], source).checks
    assert check.outcome == "not_checkable"


def test_a_second_look_at_the_same_source_sees_as_much() -> None:
    """The trace of a source is kept for the next stage; what only a library calls must be in it each time."""
    source = """
import torch
class Net(torch.nn.Module):
    def training_step(self, batch):
        return torch.optim.SGD(self.parameters(), lr=0.5)
"""
    constraints = [asked("training.optimizer=sgd"), asked("training.learning_rate=0.5")]
    first = check_delivery(constraints, source)
    assert [check.outcome for check in first.checks] == ["met", "met"]
    assert check_delivery(constraints, source) == first


def test_a_row_without_a_project_leaves_the_shares_and_stands_beside_them() -> None:
    asked_for = [asked("training.epochs=3"), asked("size.height=8")]
    kept = check_delivery([asked("training.epochs=3")], SMALL)
    total = satisfaction([kept]) + satisfaction_of_row(asked_for, None)
    assert total.constraint_rate == 1.0
    assert total.strict_constraint_rate == 1 / 3
    assert (total.lost, total.lost_rows) == (2, 1)
    assert satisfaction_of_row([], None) == satisfaction([])  # nothing was asked: nothing is lost
