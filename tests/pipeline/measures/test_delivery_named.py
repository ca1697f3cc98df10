"""Settings looked up by the names that code gives them; what only looks like what was asked is not met."""

from __future__ import annotations

from pipeline.measures.delivery.assumptions import PlanOrigin, assumptions
from pipeline.measures.delivery.check import check_delivery
from pipeline.measures.delivery.code import read_code
from pipeline.plan.solution_plan import Hyperparameters, ModelArchitecture, SolutionPlan
from tests.pipeline.measures.asked import asked, wrong

KERAS = """
import numpy as np
from tensorflow import keras
MARGIN = 0.5
QUANTILES = [0.1, 0.5, 0.9]
model = keras.Sequential([keras.Input((9,)), keras.layers.Dense(1)])
model.compile(keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True), "mse")
def step_decay(epoch, rate):
    return rate * 0.5 if epoch and epoch % 10 == 0 else rate
model.fit(x[:split], y[:split], epochs=3, callbacks=[
    keras.callbacks.LearningRateScheduler(step_decay),
    keras.callbacks.EarlyStopping(monitor="val_auc"),
    keras.callbacks.CSVLogger("log.csv"),
])
limit = np.mean(errors) + 3 * np.std(errors)
highest = np.argsort(scores)[-5:]
"""


def test_settings_are_found_by_their_names() -> None:
    assert (
        wrong(
            """
        + training.margin=0.5
        - training.margin=1.0
        + training.quantiles=0.1,0.5,0.9
        - training.quantiles=0.1,0.9
        + training.nesterov=true
        + training.decay_factor=0.5
        - training.decay_factor=0.1
        + training.decay_every=10
        + training.split_order=chronological
        - training.split_by=customer
        + training.monitor=val_auc
        - training.monitor=val_loss
        + output.log=csv
        + output.log_file=log.csv
        - output.log=tensorboard
        + output.threshold_deviations=3
        - output.threshold_deviations=2
        + output.top_n=5
        - output.top_n=7
        - output.app=gradio
        - training.search=optuna
        """,
            KERAS,
        )
        == []
    )


MADE_UP = """
import pandas as pd
from tensorflow import keras
def synthetic_table(rows=200):
    rng = np.random.default_rng(1)
    order = rng.permutation(rows)
    return pd.DataFrame({"age": rng.normal(size=rows)})
table = pd.read_csv("people.csv")
inputs = table[["income", "height"]]
model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
"""


def test_made_up_data_name_no_column_and_shuffle_nothing() -> None:
    assert wrong("- files.column=age\n+ files.column=income\n- training.shuffle=true\n- size.height=200", MADE_UP) == []


WGAN = """
from tensorflow import keras
generator = keras.Sequential([keras.Input((64,)), keras.layers.Dense(64), keras.layers.Conv2DTranspose(3, 4)])
critic = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Conv2D(8, 3), keras.layers.Dense(1)])
def gradient_penalty(real, fake): ...
"""


def test_a_wasserstein_gan_is_no_dcgan() -> None:
    assert wrong("- architecture.family=dcgan\n+ architecture.family=wgan", WGAN) == []


RECURRENT = """
from tensorflow import keras
autoencoder = keras.Sequential([
    keras.Input((30, 4)), keras.layers.LSTM(8), keras.layers.RepeatVector(30),
    keras.layers.LSTM(8, return_sequences=True), keras.layers.Dense(4)])
autoencoder.compile("adam", "mse")
"""


def test_recurrent_layers_are_no_convolutional_autoencoder() -> None:
    both = [asked("architecture.family=cnn"), asked("architecture.family=autoencoder")]
    assert [check.outcome for check in check_delivery(both, RECURRENT).checks] == ["not_met", "not_met"]
    assert check_delivery(both[1:], RECURRENT).checks[0].outcome == "met"


def test_what_no_code_says_is_not_assumed() -> None:
    hyper = Hyperparameters(loss="mae", optimizer="Adam", batch_size=32)
    plan = SolutionPlan(architecture=ModelArchitecture(hyperparameters=hyper))
    assumed = {one.name: one.value for one in assumptions((), plan, PlanOrigin(), read_code(RECURRENT))}
    assert assumed["loss"] == "mean_squared_error"
    assert "batch_size" not in assumed
