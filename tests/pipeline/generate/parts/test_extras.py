"""Small things that libraries have a name for, and tables cut down to the columns that a request names."""

from __future__ import annotations

import ast

import pytest

from pipeline.generate.parts.adding import with_parts
from pipeline.generate.parts.inputs import with_named_columns
from pipeline.retrieval.sample_pool import load_samples
from pipeline.starter import STARTER
from pipeline.understanding import asked_in

CODE = {sample.id: sample.code for sample in load_samples(STARTER)}


@pytest.mark.parametrize(
    ("sample", "requirement", "line"),
    [
        ("table-wide-and-deep", "with TensorBoard logs", 'keras.callbacks.TensorBoard(log_dir="logs")'),
        ("table-wide-and-deep", "write the training log to log.csv", 'keras.callbacks.CSVLogger("log.csv")'),
        ("torch-regression-table-mlp", "save the history as runs.csv", 'pd.DataFrame(history).to_csv("runs.csv"'),
        ("series-anomaly-lstm-autoencoder", "threshold mean + 3 std", "np.mean(errors) + 3 * np.std(errors)"),
    ],
)
def test_what_is_named_is_added(sample: str, requirement: str, line: str) -> None:
    changed = with_parts(CODE[sample], asked_in(requirement), requirement)
    ast.parse(changed)
    assert line in changed
    assert line not in CODE[sample]


def test_nesterov_goes_to_every_sgd() -> None:
    source = (
        "import torch\n\nweights = [torch.zeros(1)]\n"
        "optimizer = torch.optim.SGD(weights, lr=0.1, momentum=0.8)\n"
        "later = torch.optim.SGD(weights, lr=0.01)\n"
    )
    changed = with_parts(source, asked_in("PyTorch, SGD with Nesterov momentum"))
    assert "SGD(weights, lr=0.1, momentum=0.8, nesterov=True)" in changed
    assert "SGD(weights, lr=0.01, momentum=0.9, nesterov=True)" in changed


@pytest.mark.parametrize("requirement", ["no TensorBoard please", "predict log prices", "an LSTM"])
def test_what_is_not_asked_for_is_not_added(requirement: str) -> None:
    assert with_parts(CODE["table-wide-and-deep"], asked_in(requirement), requirement) == CODE["table-wide-and-deep"]


NAMED = "Predict who leaves: staff.csv with shift, team_lead, badge, moves and leaves as target."


@pytest.mark.parametrize("sample", ["table-binary-imbalanced", "torch-classification-table-mlp", "table-regression"])
def test_a_table_is_cut_down_to_the_columns_that_are_named(sample: str) -> None:
    changed = with_named_columns(CODE[sample], asked_in(NAMED), NAMED)
    ast.parse(changed)
    assert 'INPUT_COLUMNS = [\n    "shift",\n    "team_lead",\n    "badge",\n    "moves",\n]' in changed
    assert "*INPUT_COLUMNS]]]" in changed


@pytest.mark.parametrize(
    "requirement",
    ["Predict who leaves from staff.csv.", "Predict who leaves: staff.csv with columns like shift, team_lead, badge."],
)
def test_examples_of_columns_are_not_all_there_are(requirement: str) -> None:
    code = CODE["table-binary-imbalanced"]
    assert with_named_columns(code, asked_in(requirement), requirement) == code
