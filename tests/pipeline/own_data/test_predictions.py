"""The columns that a request names for its predictions, and a project that writes them so."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pipeline.data_description.describe import describe
from pipeline.generate.parts.predictions import with_asked_form
from pipeline.own_data.predictions import asked_columns, prediction_columns, with_asked_predictions
from pipeline.request.data_contract import Column, DataContract, DataInput, DataTarget, TargetKind
from pipeline.retrieval.sample_pool import samples_for_own_data
from pipeline.starter import STARTER


def table(*columns: str, target: str, kind: TargetKind = "class", classes: int | None = 2) -> DataContract:
    """Rows of a table, and a file of further ones without the target."""
    described = tuple(Column(name=name, kind="number") for name in columns)
    return DataContract(
        inputs=(DataInput(name="train", kind="table", path="train.csv", layout="table", columns=described),),
        targets=(DataTarget(name=target, kind=kind, classes=classes),),
        unlabelled="test.csv",
    )


FOLDERS = DataContract(
    inputs=(DataInput(name="image", kind="image", path="train/{class}/*", layout="class_folders"),),
    targets=(DataTarget(name="class", kind="class", classes=2, class_names=("cat", "dog")),),
    unlabelled="test",
)

ARRAYS = DataContract(
    inputs=(DataInput(name="x", kind="array", path="train.npz", layout="arrays"),),
    targets=(DataTarget(name="gait", kind="class", path="train.npz", classes=3),),
    unlabelled="test.npz",
)

LOANS = table("income", "debt", target="defaulted")


@pytest.mark.parametrize(
    ("request_text", "contract", "columns"),
    [
        ("Write predictions.csv with the columns loan and defaulted.", LOANS, ("loan", "defaulted")),
        ("Train on train.csv. Predict defaulted: predictions.csv (loan, defaulted).", LOANS, ("loan", "defaulted")),
        ("Save loan,defaulted for each row into predictions.csv, please.", LOANS, ("loan", "defaulted")),
        ("predictions.csv needs defaulted (0 or 1) and loan", LOANS, ("defaulted", "loan")),
        ("From income and debt tell who defaulted. Write predictions.csv.", LOANS, ()),
        ("Write predictions.csv with speed and care, after income and debt.", LOANS, ()),
        ("For test/ write predictions.csv: file,pet.", FOLDERS, ("file", "pet")),
        ("predictions.csv: index from 0 and gait.", ARRAYS, ("index", "gait")),
    ],
)
def test_the_columns_that_a_request_names(request_text: str, contract: DataContract, columns: tuple[str, ...]) -> None:
    assert asked_columns(request_text, contract) == columns
    assert prediction_columns(with_asked_predictions(contract, request_text)) == columns


def test_arrays_in_a_file_without_targets_are_what_predictions_are_wanted_for(tmp_path: Path) -> None:
    gaits = np.array(["walk", "run", "rest"] * 10)
    np.savez(tmp_path / "train.npz", x=np.zeros((30, 8, 2)), gait=gaits)
    np.savez(tmp_path / "test.npz", x=np.zeros((7, 8, 2)))
    contract = describe(str(tmp_path)).contract
    assert contract is not None
    (one,), (target,) = contract.inputs, contract.targets
    assert (one.name, one.path) == ("x", "train.npz")
    assert (target.name, target.kind, target.classes, target.path) == ("gait", "class", 3, "train.npz")
    assert (contract.unlabelled, contract.held_out) == ("test.npz", "")
    np.savez(tmp_path / "test.npz", x=np.zeros((6, 8, 2)), gait=gaits[:6])
    contract = describe(str(tmp_path), "gait").contract
    assert contract is not None
    assert (contract.unlabelled, contract.held_out) == ("", "test.npz")


def test_of_two_tables_the_one_without_the_target_is_new(tmp_path: Path) -> None:
    rows = pd.DataFrame({"plot": range(100, 160), "rain": np.linspace(0, 9, 60), "yield_kg": np.linspace(3, 7, 60)})
    rows.to_csv(tmp_path / "harvests.csv", index=False)
    rows.drop(columns="yield_kg").head(9).to_csv(tmp_path / "next_year.csv", index=False)
    contract = describe(str(tmp_path)).contract
    assert contract is not None
    assert contract.targets[0].name == "yield_kg"
    assert (contract.inputs[0].path, contract.unlabelled) == ("harvests.csv", "next_year.csv")


def test_a_list_of_those_who_rate_is_no_table_of_new_rows(tmp_path: Path) -> None:
    ratings = pd.DataFrame({"user": [1, 2, 3] * 20, "film": range(60), "stars": [2.5, 3.5, 4.0] * 20})
    ratings.to_csv(tmp_path / "ratings.csv", index=False)
    ratings[["user"]].drop_duplicates().to_csv(tmp_path / "people.csv", index=False)
    assert describe(str(tmp_path)).contract is None


def asked_form(source: str, contract: DataContract, request_text: str) -> str:
    return with_asked_form(source, with_asked_predictions(contract, request_text), request_text)


def written(source: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    """What the writing part of a project leaves in predictions.csv."""
    monkeypatch.chdir(folder)
    exec(compile(source, "project.py", "exec"), {"DATA_DIR": str(folder), "SYNTHETIC": False})
    return pd.read_csv(folder / "predictions.csv")


def test_only_the_asked_columns_are_written_and_ids_come_from_the_new_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pd.DataFrame({"loan": ["b", "a"], "income": [1, 2]}).to_csv(tmp_path / "test.csv", index=False)
    source = (
        "import pandas as pd\n\n\ndef predict(rows):\n    return pd.DataFrame({'debt': [5, 6], 'rate': [7, 8]})\n\n\n"
        'predict(None).to_csv("predictions.csv", index=False)\n'
    )
    contract = table("income", target="rate", kind="number", classes=None)
    predictions = written(asked_form(source, contract, "predictions.csv: loan, rate"), tmp_path, monkeypatch)
    assert predictions.to_dict("list") == {"loan": ["b", "a"], "rate": [7, 8]}


def test_files_go_by_their_names_and_classes_by_the_name_they_are_asked_under(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = (
        'import pandas as pd\n\ntable = pd.DataFrame({"file": ["test/07.png"], "class": ["cat"]})\n'
        'table.to_csv("predictions.csv", index=False)\n'
    )
    predictions = written(asked_form(source, FOLDERS, "predictions.csv: image,pet"), tmp_path, monkeypatch)
    assert predictions.to_dict("list") == {"image": ["07.png"], "pet": ["cat"]}


def test_labels_of_one_text_become_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = (
        'import pandas as pd\n\nTARGET = "labels"\nLABEL_SEPARATOR = ","\n'
        'new = pd.DataFrame({"note": [1, 2], "words": ["x", "y"], TARGET: ["late,rude", ""]})\n'
        'new.to_csv("predictions.csv", index=False)\n'
    )
    contract = table("words", target="labels", kind="labels", classes=None)
    contract = DataContract(
        inputs=contract.inputs,
        targets=(DataTarget(name="labels", kind="labels", class_names=("rude", "late")),),
        unlabelled="test.csv",
    )
    request_text = "Tag them; predictions.csv with note, rude, late."
    predictions = written(asked_form(source, contract, request_text), tmp_path, monkeypatch)
    assert predictions.to_dict("list") == {"note": [1, 2], "rude": [1, 0], "late": [1, 0]}


def sample(name: str) -> str:
    return next(one.code for one in samples_for_own_data(STARTER) if one.id == name)


def function(source: str, name: str) -> str:
    (found,) = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef) and node.name == name]
    return ast.unparse(found)


def function_text(source: str, name: str) -> str:
    (found,) = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef) and node.name == name]
    return ast.get_source_segment(source, found) or ""


@pytest.mark.parametrize(("classes", "outputs"), [(("0", "1"), [0.7, 0.7]), (("yes", "zero"), [0.3, 0.3])])
def test_a_probability_is_written_where_one_is_asked_for(classes: tuple[str, ...], outputs: list[float]) -> None:
    contract = table("torque", target="failure")
    contract = DataContract(
        inputs=contract.inputs,
        targets=(DataTarget(name="failure", kind="class", classes=2, class_names=classes),),
        unlabelled="test.csv",
    )
    asked = "I need the probability of failure: predictions.csv with machine and failure."
    code = asked_form(sample("table-classification"), contract, asked)
    assert "probability(outputs)" in function(code, "predict")
    assert "predicted_classes(model.predict(x_test" in code
    names: dict[str, object] = {}
    exec(function(code, "probability"), names)
    probability = names["probability"]
    assert callable(probability)
    single, several = np.array([[0.7]]), np.array([[0.3, 0.7]])
    assert [round(float(probability(one)[0]), 3) for one in (single, several)] == outputs
    unasked = asked_form(
        sample("table-classification"), contract, "Tell failure: predictions.csv with machine, failure"
    )
    assert "def probability" not in unasked


def test_a_similarity_becomes_the_class_that_is_asked_for() -> None:
    target = DataTarget(name="same", kind="class", classes=2, class_names=("0", "1"))
    texts = tuple(DataInput(name=name, kind="text", path="train.csv", layout="table") for name in ("left", "right"))
    contract = DataContract(inputs=texts, targets=(target,), unlabelled="test.csv", writes=())
    pairs = pd.DataFrame({"pair": [7, 8], "similarity": [0.9, 0.1]})
    for asked, answers in [
        ("tell same: predictions.csv (pair, same)", ["1", "0"]),
        ("the probability of same: predictions.csv (pair, same)", [0.9, 0.1]),
    ]:
        code = asked_form(sample("text-similarity-siamese-bilstm"), contract, asked)
        names: dict[str, object] = {"pd": pd, "ASKED_COLUMNS": ["pair", "same"]}
        exec(function(code, "in_asked_form"), names)
        in_asked_form = names["in_asked_form"]
        assert callable(in_asked_form)
        assert in_asked_form(pairs).to_dict("list") == {"pair": [7, 8], "same": answers}


def test_new_arrays_are_predicted_one_a_row() -> None:
    code = asked_form(sample("arrays-classification"), ARRAYS, "predictions.csv: index from 0, gait")
    assert 'read_array("test.npz", INPUT_ARRAY)' in code
    assert "answers = np.ravel(predict(new))" in code
    assert '{"index": range(len(new)), "gait": answers}' in code
    assert "import pandas as pd" in code
    # Drafts leave out functions that nothing calls.
    drafted = sample("arrays-classification").replace(function_text(sample("arrays-classification"), "predict"), "")
    code = asked_form(drafted, ARRAYS, "predictions.csv: index from 0, gait")
    assert "np.ravel(class_names[predicted_classes(model.predict((as_inputs(new) - mean) / scale" in code


def test_masks_are_written_as_run_lengths_at_their_own_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "new").mkdir()
    Image.new("L", (4, 2)).save(tmp_path / "new" / "a.png")
    contract = DataContract(
        inputs=(DataInput(name="image", kind="image", path="train/images/*", layout="paired_folders"),),
        targets=(DataTarget(name="mask", kind="mask", path="train/masks/*", classes=2),),
        unlabelled="new",
    )
    source = "import numpy as np\n\n\ndef predict(path):\n    return np.array([[0, 255], [255, 0]])\n"
    asked = "predictions.csv with file and mask, where mask is run-length encoded"
    predictions = written(asked_form(source, contract, asked), tmp_path, monkeypatch)
    assert predictions.to_dict("list") == {"file": ["a.png"], "mask": ["3 4"]}
    assert asked_form(source, contract, "predictions.csv with file and mask") == source


def test_a_series_goes_on_for_as_many_steps_as_are_asked_for() -> None:
    contract = DataContract(
        inputs=(DataInput(name="history", kind="series", path="history.csv", layout="table"),),
        targets=(DataTarget(name="load", kind="number"),),
        unlabelled="future.csv",
    )
    code = asked_form(sample("series-forecasting"), contract, "Write predictions.csv with hour and load.")
    assert 'HORIZON = len(pd.read_csv(os.path.join(DATA_DIR, "future.csv")' in code
    assert 'in_asked_form(forecast).to_csv("predictions.csv", index=False)' in code


def test_without_rows_to_predict_nothing_changes() -> None:
    contract = DataContract(inputs=LOANS.inputs, targets=LOANS.targets)
    code = sample("text-classification-bilstm")
    assert asked_form(code, contract, "predictions.csv with loan and defaulted") == code
