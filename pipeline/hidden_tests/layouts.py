"""How examples are laid out in a data folder, as people keep them; the test examples without their answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeline.hidden_tests.draw import Array, Draw, csv_file, npz_file
from pipeline.hidden_tests.task import TaskData


def as_tables(
    draw: Draw,
    table: pd.DataFrame,
    targets: Sequence[str],
    *,
    test_rows: int,
    train: str = "train.csv",
    test: str = "test.csv",
    submission: bool = False,
    **how: Any,
) -> TaskData:
    """Two tables: the last `test_rows` rows are the test's, without the targets. The first column is the id.

    `submission` adds a table in the form of the predictions; `how` says how pandas writes all but that.
    """
    id_column = str(table.columns[0])
    learnt, asked = table.iloc[:-test_rows].copy(), table.iloc[-test_rows:].reset_index(drop=True)
    answers = asked[[id_column, *targets]]
    train_answers = learnt[[*targets]].copy()
    order = draw.learnable(np.arange(len(learnt)))
    for target in targets:
        learnt[target] = learnt[target].to_numpy()[order]
    files = {train: csv_file(learnt, **how), test: csv_file(asked.drop(columns=list(targets)), **how)}
    if submission:
        files["sample_submission.csv"] = csv_file(
            answers.assign(**{target: learnt[target].iloc[0] for target in targets})
        )
    return TaskData(files=files, answers=answers, train_answers=train_answers)


def as_class_folders(
    draw: Draw, examples: Sequence[bytes], labels: Sequence[str], *, test_rows: int, ending: str, target: str = "label"
) -> TaskData:
    """`train/CLASS/NUMBER.ending`, and the test's files in `test`, whose names are the ids."""
    count = len(examples) - test_rows
    written = draw.learnable(np.array(labels[:count]))
    files: dict[str, bytes] = {}
    for number, (label, example) in enumerate(zip(written, examples, strict=False)):
        files[f"train/{label}/{number:04}.{ending}"] = example
    names = [f"{number:04}.{ending}" for number in range(count, len(examples))]
    for name, example in zip(names, examples[count:], strict=True):
        files[f"test/{name}"] = example
    answers = pd.DataFrame({"file": names, target: list(labels[count:])})
    return TaskData(files=files, answers=answers, train_answers=pd.DataFrame({target: list(labels[:count])}))


def as_listed_files(
    draw: Draw,
    examples: Sequence[bytes],
    targets: pd.DataFrame,
    *,
    test_rows: int,
    ending: str,
    folder: str,
    column: str = "file",
    train: str = "train.csv",
    test: str = "test.csv",
    submission: bool = False,
) -> TaskData:
    """All files in one folder; a table lists those to learn from with their targets, another the test's."""
    names = [f"{number:04}.{ending}" for number in range(len(examples))]
    table = pd.concat([pd.Series(names, name=column), targets.reset_index(drop=True)], axis=1)
    tables = as_tables(
        draw, table, list(targets.columns), test_rows=test_rows, train=train, test=test, submission=submission
    )
    media = {f"{folder}/{name}": example for name, example in zip(names, examples, strict=True)}
    return TaskData(files={**tables.files, **media}, answers=tables.answers, train_answers=tables.train_answers)


def as_arrays(draw: Draw, inputs: Array, targets: pd.DataFrame, *, test_rows: int) -> TaskData:
    """`train.npz` with `x` and an array a target, `test.npz` with `x`; the ids are positions in the test's `x`."""
    count = len(inputs) - test_rows
    order = draw.learnable(np.arange(count))
    answers = targets.iloc[count:].reset_index(drop=True)
    answers.insert(0, "index", np.arange(test_rows))
    arrays = {str(name): targets[name].to_numpy()[:count][order] for name in targets}
    # As text: arrays of Python objects could only be pickled.
    arrays = {name: array.astype(str) if array.dtype == object else array for name, array in arrays.items()}
    files = {"train.npz": npz_file(x=inputs[:count], **arrays), "test.npz": npz_file(x=inputs[count:])}
    return TaskData(files=files, answers=answers, train_answers=targets.iloc[:count])
