"""Of two things joined by "or" one is enough; options and baselines are looked up where the samples have them."""

from __future__ import annotations

from pipeline.generate.project import requirements_of
from pipeline.measures.delivery.check import check_delivery
from pipeline.request.constraints import Aspect, Constraint
from pipeline.request.reading.reader import read_constraints
from pipeline.request.subject import title_of
from pipeline.starter import keras_rows
from tests.pipeline.measures.asked import checked, wrong

_GRU = """
from tensorflow import keras
from tensorflow.keras import layers

model = keras.Sequential([keras.Input(shape=(30, 4)), layers.GRU(32), layers.Dense(1)])
model.compile(loss="mse")
"""


def outcomes(request: str) -> dict[str, str]:
    constraints = [one for one in read_constraints(request) if one.name == "family"]
    checks = check_delivery(constraints, _GRU, requirement=request).checks
    return {check.constraint.value: check.outcome for check in checks}


def test_one_of_two_alternatives_is_enough() -> None:
    assert outcomes("LSTM or GRU for a series") == {"lstm": "not_checkable", "gru": "met"}


def test_two_that_are_both_asked_for_are_not_alternatives() -> None:
    assert outcomes("LSTM and GRU for a series") == {"lstm": "not_met", "gru": "met"}


def one(name: str, value: str, aspect: Aspect) -> Constraint:
    return Constraint(aspect=aspect, name=name, value=value, start=0, end=1)


def test_options_that_are_handed_over_as_a_whole_are_read() -> None:
    # Read in a loop over files, which is not followed.
    code = next(code for row, code in keras_rows() if row["id"] == "table-classification")
    code = code.replace("READ_OPTIONS = {}", 'READ_OPTIONS = {"sep": ";"}')
    (check,) = check_delivery([one("separator", ";", "files")], code).checks
    assert check.outcome == "met"
    (check,) = check_delivery([one("separator", "|", "files")], code).checks
    assert check.outcome == "not_met"


def test_a_heading_says_what_the_project_does() -> None:
    request = "Hi! I keep sales.xlsx and want an MLP that predicts the number in target column sold, regression"
    assert title_of(request, read_constraints(request)) == "Regression of sold (MLP)"
    assert title_of("sea songs", ()) == "Sea songs"


def test_what_pandas_reads_files_with_is_installed() -> None:
    assert "openpyxl\n" in requirements_of('import pandas as pd\nFILE = "sales.xlsx"\n')
    assert "pyarrow\n" in requirements_of('import pandas as pd\nFILE = "tickets.parquet"\n')
    assert "openpyxl" not in requirements_of('import pandas as pd\nif path.endswith(".xlsx"):\n    pass\n')


def test_a_cloud_in_a_variational_autoencoder_is_no_residual_block() -> None:
    source = """
import torch
from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(3, 8, 3)
    def forward(self, x):
        mean, log_variance = self.down(x), self.down(x)
        return mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
"""
    assert checked("architecture.family=resnet", source).outcome == "not_met"


def test_a_gan_is_no_stylegan_and_its_channels_are_those_of_its_pictures() -> None:
    source = """
import torch
from torch import nn
generator = nn.Sequential(nn.ConvTranspose2d(128, 64, 4), nn.ReLU(), nn.ConvTranspose2d(64, 3, 4), nn.Tanh())
discriminator = nn.Sequential(nn.Conv2d(3, 64, 4), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(64, 1))
"""
    assert wrong("+ size.channels=3\n+ architecture.family=gan\n- architecture.family=stylegan", source) == []


def test_twelve_steps_of_three_series_are_a_horizon_of_twelve() -> None:
    source = """
import keras
from keras import layers
model = keras.Sequential([keras.Input(shape=(48, 5)), layers.LSTM(8), layers.Dense(36), layers.Reshape((12, 3))])
"""
    assert wrong("+ size.horizon=12\n- size.horizon=7", source) == []


def test_weighted_metrics_are_metrics() -> None:
    source = """
import keras
from keras import layers
model = keras.Sequential([keras.Input(shape=(4,)), layers.Dense(3, activation="softmax")])
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", weighted_metrics=["accuracy"])
"""
    assert wrong("+ metric.metric=accuracy\n- metric.metric=auc", source) == []


def test_windows_of_parts_that_follow_each_other_are_split_in_time() -> None:
    source = """
train_end, val_end = 80, 90
x_train = windows(0, train_end)
x_test = windows(val_end, 100)
"""
    assert checked("training.split_order=chronological", source).outcome == "met"


def test_a_function_of_python_is_no_mean_average_precision() -> None:
    assert checked("metric.metric=map", "import keras\nprint(sum(map(len, [[1], [2]])))\n").outcome == "not_met"
    assert checked("metric.metric=map", "import keras\nmean_average_precision = 0.5\n").outcome == "met"
