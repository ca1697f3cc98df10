"""Of two things joined by "or" one is enough; options and baselines are looked up where the samples have them."""

from __future__ import annotations

from pipeline.generate.project import requirements_of
from pipeline.measures.delivery.check import check_delivery
from pipeline.request.constraints import Aspect, Constraint
from pipeline.request.reading.reader import read_constraints
from pipeline.request.subject import title_of
from pipeline.starter import keras_rows

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
