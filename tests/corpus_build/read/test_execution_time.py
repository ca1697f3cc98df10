"""Every place where a notebook says when it was executed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from corpus_build.read.execution_time import executed_at, read_time
from corpus_build.read.reading import parse_notebook
from tests.corpus_build.notebooks import code, notebook


def at(*when: int) -> float:
    return datetime(*when, tzinfo=UTC).timestamp()  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("metadata", "seconds", "source"),
    [
        ({"execution": {"iopub.execute_input": "2024-01-02T03:04:05.6Z"}}, at(2024, 1, 2, 3, 4, 5, 600_000), "execution"),
        ({"execution": {"iopub.status.busy": "2024-01-02T03:04:05Z"}}, at(2024, 1, 2, 3, 4, 5), "execution"),
        ({"execution": {"iopub.status.idle": "2024-01-02T03:04:05Z"}}, at(2024, 1, 2, 3, 4, 5), "execution"),
        ({"execution": {"shell.execute_reply": "2024-01-02T05:04:05+02:00"}}, at(2024, 1, 2, 3, 4, 5), "execution"),
        ({"execution": {"shell.execute_reply.started": "2024-01-02T03:04:05Z"}}, at(2024, 1, 2, 3, 4, 5), "execution"),
        ({"execution": {"execution_failed": "2024-01-02T03:04:05.000Z"}}, at(2024, 1, 2, 3, 4, 5), "execution"),
        ({"papermill": {"start_time": "2021-05-01T00:00:00", "end_time": "2021-05-01T00:01:00"}}, at(2021, 5, 1, 0, 1), "papermill"),
        ({"papermill": {"start_time": "2021-05-01T00:00:00.123456", "end_time": None}}, at(2021, 5, 1, 0, 0, 0, 123_456), "papermill"),
        ({"executionInfo": {"timestamp": 1700000000123}}, 1700000000.123, "colab"),
        ({"ExecuteTime": {"start_time": "2019-03-01T10:00:00.5Z", "end_time": "2019-03-01T10:00:01Z"}}, at(2019, 3, 1, 10, 0, 1), "ExecuteTime"),
        ({"execution": {"a": "yesterday", "b": None}}, None, ""),
        ({"execution": {"iopub.execute_input": "1970-01-01T00:00:00Z"}}, None, ""),
        ({"execution": []}, None, ""),
        ({}, None, ""),
    ],
)  # fmt: skip
def test_each_kind_of_stamp_is_read(metadata: object, seconds: float | None, source: str) -> None:
    assert executed_at([metadata]) == (seconds, source)


def test_the_latest_of_all_cells_counts() -> None:
    early = code("import keras", executed="2023-12-31T23:59:59Z")
    late = code("x = 1") | {"metadata": {"executionInfo": {"timestamp": at(2024, 1, 1) * 1000}}}
    parsed = parse_notebook(notebook(late, early, code("y = 2")))
    assert (parsed.executed_at, parsed.time_source) == (at(2024, 1, 1), "colab")


def test_papermill_may_stamp_the_whole_notebook() -> None:
    parsed = parse_notebook(notebook(code("x"), metadata={"papermill": {"end_time": "2022-02-02T00:00:00"}}))
    assert (parsed.executed_at, parsed.time_source) == (at(2022, 2, 2), "papermill")


def test_a_naive_time_is_utc() -> None:
    assert read_time("2024-01-01T00:00:00") == read_time("2024-01-01T00:00:00Z") == at(2024, 1, 1)
