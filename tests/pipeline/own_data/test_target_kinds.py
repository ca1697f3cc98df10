"""What a target is where the data leave it open, and what a request is taken for that the data contradict."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.data_description.describe import describe
from pipeline.own_data.constants import facts_of
from pipeline.own_data.target_kinds import rates_items, with_asked_kinds, with_kinds_in_words, without_contradicted
from pipeline.records import Requirement
from pipeline.request.data_contract import Column, DataContract, DataInput, DataTarget
from pipeline.request.reading.reader import read_constraints
from pipeline.understanding import understand


def marks(*class_names: str) -> DataContract:
    """Rows with a column of whole numbers, which may be classes."""
    target = DataTarget(name="mark", kind="class", classes=len(class_names), class_names=class_names)
    return DataContract(inputs=(DataInput(name="train", kind="table"),), targets=(target,))


@pytest.mark.parametrize(
    ("request_text", "kind"),
    [
        ("Count the cells. Regression CNN, mean absolute error.", "number"),
        ("How many beeps are in a clip? A regression.", "number"),
        ("Predict mark, judged by RMSE.", "number"),
        ("Predict mark by a neural network.", "class"),
        ("Classify mark, accuracy counts.", "class"),
        ("Predict the mark from 3 to 8; quadratic weighted kappa is the metric.", "class"),
    ],
)
def test_whole_numbers_are_what_the_request_wants(request_text: str, kind: str) -> None:
    contract = marks("3", "4.0", "5")
    asked = with_asked_kinds(contract, read_constraints(request_text), request_text)
    assert asked.targets[0].kind == kind
    assert (asked.targets[0].classes is None) == (kind == "number")
    words = with_kinds_in_words("10 rows; target mark: 3 classes (3, 4.0, 5).", contract, asked)
    assert ("target mark: number" in words) == (kind == "number")


def test_names_stay_classes() -> None:
    request_text = "Regression please, mean absolute error."
    assert with_asked_kinds(marks("low", "high"), read_constraints(request_text), request_text) == marks("low", "high")


def test_a_problem_that_the_target_contradicts_was_misread() -> None:
    grades = without_contradicted(read_constraints("Predict the credit grade with an MLP."), marks("A", "B"))
    assert "regression" not in {one.value for one in grades}
    assert "mlp" in {one.value for one in grades}
    kept = without_contradicted(read_constraints("Detect anomalies in my table."), marks("A", "B"))
    assert "anomaly_detection" in {one.value for one in kept}


def ratings(*columns: str) -> DataContract:
    names = ("row_id", *columns, "stars")
    roles = {"row_id": "id", "stars": "target"}
    described = tuple(Column(name=name, kind="category", role=roles.get(name, "feature")) for name in names)  # type: ignore[arg-type]
    return DataContract(
        inputs=(DataInput(name="train", kind="table", layout="table", columns=described),),
        targets=(DataTarget(name="stars", kind="number"),),
    )


def test_a_user_an_item_and_a_number_are_ratings() -> None:
    assert rates_items(ratings("reader", "book"))
    assert not rates_items(ratings("reader", "book", "age"))
    assert not rates_items(ratings("street", "house"))


def test_tags_are_told_by_their_text(tmp_path: Path) -> None:
    rows = [f"{number},we met Mr Hooli{number} in Osaka,O O O PER O LOC" for number in range(20)]
    (tmp_path / "train.csv").write_text("\n".join(["id,text,tags", *rows]) + "\n")
    (tmp_path / "test.csv").write_text("id,text\n99,we were in Rome today\n")
    contract = describe(str(tmp_path)).contract
    assert contract is not None
    (target,) = contract.targets
    assert (target.name, target.kind, target.class_names) == ("tags", "tags", ("LOC", "O", "PER"))
    facts = facts_of(contract, str(tmp_path))
    assert (facts["tokens_column"], facts["sentence_column"]) == ("text", "")
    request_text = "Tag each word of text. Write predictions.csv with id and tags."
    understood = understand(Requirement(id="t", row=0, requirement=request_text, data_folder=str(tmp_path)))
    assert ("problem", "tagging") in {(one.name, one.value) for one in understood["constraints"]}
    # One tag too few in a row, and the column is a text as any other.
    (tmp_path / "train.csv").write_text("\n".join(["id,text,tags", *rows, "21,a b c,O O"]) + "\n")
    other = describe(str(tmp_path)).contract
    assert other is not None
    assert other.targets[0].kind != "tags"
