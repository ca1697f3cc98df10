"""The bundled samples for data of anyone: what their sidecars declare is there, and they keep docs/starter.md."""

from __future__ import annotations

import ast
import re
from typing import Any, get_args

import pytest

from pipeline.analysis.names import names_never_defined
from pipeline.generate.symbolic.constants import with_data
from pipeline.generate.symbolic.notebook import read_notebook
from pipeline.keras.api import invalid_calls
from pipeline.own_data.constants import ASKED_FACTS, facts_of
from pipeline.own_data.serving import Serves, is_served, serves_of
from pipeline.request.data_contract import (
    Column,
    DataContract,
    DataInput,
    DataKind,
    DataTarget,
    Layout,
    TableFormat,
    TargetKind,
    WrittenFile,
)
from pipeline.starter import matrix_rows
from pipeline.torch import api as torch_api

ROWS = [pytest.param(row, code, id=row["id"]) for row, code in matrix_rows() if "Serves" in row]

FACTS = facts_of(
    DataContract(
        inputs=(
            DataInput(
                name="image", kind="image", path="photos/*", layout="listed_files", shape=(None, None, 3),
                columns=(Column(name="file", kind="path"),), format=TableFormat(),
            ),
        ),
        targets=(DataTarget(name="y", kind="number", path="t.csv"),),
        writes=(WrittenFile(path="submission.csv", holds="predictions", columns=("id", "y")),),
    ),
    "/photos",
)  # fmt: skip
"""Every fact that there is a name for."""


def serves(row: dict[str, Any]) -> Serves:
    declared = serves_of(row)
    assert declared is not None
    return declared


@pytest.mark.parametrize(("row", "code"), ROWS)
def test_the_sidecar_speaks_the_words_of_the_contract(row: dict[str, Any], code: str) -> None:
    declared = serves(row)
    assert set(declared.layouts) <= set(get_args(Layout))
    assert {*declared.inputs, *declared.beside} <= set(get_args(DataKind))
    assert set(declared.targets) <= set(get_args(TargetKind))
    assert set(row["Constants"].values()) <= {*FACTS, *ASKED_FACTS}
    assert set(row["Serves"]) <= set(Serves.__dataclass_fields__)


@pytest.mark.parametrize(("row", "code"), ROWS)
def test_the_constants_are_literals_at_the_top(row: dict[str, Any], code: str) -> None:
    tree = ast.parse(code)
    assigned = [node for node in tree.body if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)]
    names = [node.targets[0].id for node in assigned if isinstance(node.targets[0], ast.Name)]
    for name in row["Constants"]:
        value = assigned[names.index(name)].value
        ast.literal_eval(value.args[-1] if isinstance(value, ast.Call) else value)
    # Each sample's own facts are set in it, and it still parses: its constants are where the writer looks for them.
    changed = with_data(read_notebook(code), row["Constants"], dict.fromkeys([*FACTS, *ASKED_FACTS], "changed")).text()
    assert changed.count('"changed"') == len(row["Constants"])
    ast.parse(changed)


@pytest.mark.parametrize(("row", "code"), ROWS)
def test_a_sample_keeps_the_rules(row: dict[str, Any], code: str) -> None:
    assert 60 <= len(code.splitlines()) <= 250
    assert names_never_defined(ast.parse(code)) == ()
    assert invalid_calls(ast.parse(code)) == ()
    assert torch_api.invalid_calls(ast.parse(code)) == ()
    in_framework = ("keras.utils.set_random_seed(", '"model.keras")')
    if row["Cell"]["framework"] == "pytorch":
        in_framework = ("torch.manual_seed(", '"model.pt"')
    for needed in (*in_framework, "NO FOLDER", "raise SystemExit("):
        assert needed in code
    assert re.search(r'f"held-out [^"]+: \{.+\} ("\n\s+f")?\(baseline, [^"]+: \{.+\}\)"', code)
    assert "NUM_CLASSES = len(" in code or "NUM_CLASSES" not in code
    # What is learned from data is learned from the training part, after the split.
    for fitting in (".fit(train", ".fit_transform(", "vectorize.adapt(", "StandardScaler().fit("):
        if fitting in code:
            assert code.index(fitting) > max(code.find("train_test_split(table"), code.find("split(x_train"))
    assert "allow_pickle" not in code


def test_every_kind_of_data_has_its_sample() -> None:
    wanted = [
        ("table", ["table"], "class"),
        ("table", ["table"], "number"),
        ("table", ["text"], "class"),
        ("table", ["text", "table"], "class"),
        ("table", ["text", "table"], "number"),
        ("class_folders", ["text"], "class"),
        ("class_folders", ["image"], "class"),
        ("class_folders", ["audio"], "class"),
        ("listed_files", ["image"], "class"),
        ("listed_files", ["image"], "number"),
        ("paired_folders", ["image"], "mask"),
        ("table", ["series"], "number"),
        ("arrays", ["array"], "class"),
        ("arrays", ["table"], "number"),
    ]
    declared = [serves(row) for row, _ in matrix_rows() if "Serves" in row]
    for layout, kinds, target in wanted:
        inputs = tuple(DataInput(name=kind, kind=kind, path="x", layout=layout) for kind in kinds)  # type: ignore[arg-type]
        contract = DataContract(inputs=inputs, targets=(DataTarget(name="y", kind=target),))  # type: ignore[arg-type]
        assert any(is_served(contract, one) for one in declared), (layout, kinds, target)


def test_a_sample_for_two_targets_or_two_inputs_is_not_given_one() -> None:
    image = DataInput(name="image", kind="image", path="x", layout="listed_files")
    table = DataInput(name="table", kind="table", path="x", layout="listed_files")
    label, number = DataTarget(name="label", kind="class"), DataTarget(name="value", kind="number")
    by_id = {row["id"]: serves(row) for row, _ in matrix_rows() if "Serves" in row}
    two_outputs, two_inputs = by_id["multioutput-image-cnn"], by_id["multiinput-image-table"]
    assert is_served(DataContract(inputs=(image,), targets=(label, number)), two_outputs)
    assert not is_served(DataContract(inputs=(image,), targets=(label,)), two_outputs)
    assert is_served(DataContract(inputs=(image, table), targets=(label,)), two_inputs)
    assert not is_served(DataContract(inputs=(image,), targets=(label,)), two_inputs)
