"""What is read of a `predictions.csv`, and the name of each way in which one is wrong."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.errors import StageFailure
from pipeline.hidden_tests.predictions import MOST_BYTES, mask_of, read, runs_of, truth
from pipeline.hidden_tests.task import AnswerKind, TaskData


def data(answers: dict[str, list[object]], learnt: list[object], sizes: tuple[int, int] | None = None) -> TaskData:
    table = pd.DataFrame(answers)
    target = str(table.columns[1])
    return TaskData(files={}, answers=table, train_answers=pd.DataFrame({target: learnt}), sizes=sizes)


CLASSES = data({"id": [7, 8, 9], "kind": ["a", "none", "a"]}, ["a", "none", "c"])
NUMBERS = data({"id": ["x1", "x2", "x3"], "price": [1.0, 2.0, 3.0]}, [1.5, 2.5])
FLAGS = data({"id": [1, 2], "red": [0, 1]}, [0, 1])
TAGS = data({"id": [1, 2], "tags": ["O PER", "O"]}, ["O PER LOC"])
MASKS = data({"file": ["a.png", "b.png"], "mask": ["1 2", ""]}, ["2 2"], sizes=(2, 3))


@pytest.mark.parametrize(
    ("text", "task_data", "kind", "failure"),
    [
        ("", CLASSES, "label", "empty_predictions"),
        ("id,kind\n" + "x" * MOST_BYTES, CLASSES, "label", "predictions_too_large"),
        ('id,kind\n7,"a\n8,b\n', CLASSES, "label", "unreadable_predictions"),
        ("id,sort\n7,a\n8,none\n9,a\n", CLASSES, "label", "missing_columns"),
        (",id,kind\n0,7,a\n1,8,none\n2,9,a\n", CLASSES, "label", "extra_columns"),
        ("id,kind\n7,a\n8,none\n", CLASSES, "label", "missing_rows"),
        ("id,kind\n7,a\n8,none\n9,a\n9,c\n", CLASSES, "label", "duplicate_ids"),
        ("id,kind\n0,a\n1,none\n2,a\n", CLASSES, "label", "unknown_ids"),
        ("id,kind\n7,a\n8,\n9,a\n", CLASSES, "label", "missing_values"),
        ("id,kind\n7,a\n8,nan\n9,a\n", CLASSES, "label", "missing_values"),
        ("id,kind\n7,a\n8,b\n9,a\n", CLASSES, "label", "unknown_class"),
        ("id,price\nx1,1\nx2,NaN\nx3,3\n", NUMBERS, "numbers", "missing_values"),
        ("id,price\nx1,1\nx2,inf\nx3,3\n", NUMBERS, "numbers", "not_a_number"),
        ("id,price\nx1,1\nx2,[2.0]\nx3,3\n", NUMBERS, "numbers", "not_a_number"),
        ("id,red\n1,0.2\n2,0.9\n", FLAGS, "labels", "not_a_flag"),
        ("id,tags\n1,O\n2,O\n", TAGS, "tags", "wrong_length"),
        ("file,mask\na.png,1 2 3\nb.png,\n", MASKS, "mask", "not_a_mask"),
        ("file,mask\na.png,5 3\nb.png,\n", MASKS, "mask", "not_a_mask"),
        ("file,mask\na.png,0 1\nb.png,\n", MASKS, "mask", "not_a_mask"),
        ("file,mask\na.png,one two\nb.png,\n", MASKS, "mask", "not_a_mask"),
    ],
)
def test_each_way_to_be_wrong_has_a_name(text: str, task_data: TaskData, kind: AnswerKind, failure: str) -> None:
    with pytest.raises(StageFailure) as caught:
        read(text, task_data, kind)
    assert caught.value.kind == failure


def test_rows_in_any_order_and_ids_as_floats_are_read() -> None:
    # A column of ids that once had a gap is one of floats in pandas.
    text = " kind , id\nnone,8.0\na,9.0\na,7.0\n"
    assert read(text, CLASSES, "label").tolist() == truth(CLASSES, "label").tolist() == ["a", "none", "a"]


def test_a_mask_and_its_runs_are_the_same() -> None:
    mask = np.array([[True, True, False], [False, False, True]])
    assert runs_of(mask) == "1 2 6 1"
    assert (mask_of("1 2 6 1", 6) == mask.ravel()).all()
    assert read("file,mask\nb.png,\na.png,1 2\n", MASKS, "mask").sum(axis=1).tolist() == [2, 0]
