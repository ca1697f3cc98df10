"""The CSV of 2025 and the harness' JSON: a task a row, under names that differ."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.dlbench.reading.rows import WrittenTask
from pipeline.errors import DLCodeGenError

_NAMES = {
    "repository": ("repo", "repository", "repo_name"),
    "ground_truth": ("ground truth", "ground_truth", "groundtruth", "path"),
    "class_name": ("class", "class_name"),
    "function": ("function", "function_name"),
    "tests": ("test_cases", "test", "tests", "test_case"),
    "prompt": ("prompt",),
    "stage": ("stage",),
    "task": ("task",),
    "data": ("data",),
}
"""The field, and what the formats call it."""

_LARGEST_FIELD = 2**24


def read_csv(text: str, name: str) -> Iterator[WrittenTask]:
    """The rows of a CSV, with the ids DLBench/0, DLBench/1 and so on, as the published harness counts. Raises
    DLCodeGenError where it has no column that a task needs."""
    csv.field_size_limit(_LARGEST_FIELD)
    reader = csv.DictReader(io.StringIO(text, newline=""))
    columns = {str(column).strip().lower() for column in reader.fieldnames or ()}
    _require(columns, name)
    try:
        for number, row in enumerate(reader):
            yield _written(row, row.get("id") or f"DLBench/{number}", f"{name}, row {number + 2}")
    except csv.Error as error:
        raise DLCodeGenError(f"{name}: no CSV ({error}); save it again as CSV with UTF-8") from error


def read_json_rows(text: str, name: str) -> Iterator[WrittenTask]:
    """The objects of a JSON array, a JSON object of objects, or JSON lines. Raises DLCodeGenError for what is none."""
    rows = _objects(text, name)
    if not rows:
        raise DLCodeGenError(f"{name}: holds no task")
    _require({key.strip().lower() for key in rows[0]}, name)
    for number, row in enumerate(rows):
        identity = row.get("id") or row.get("task_id") or f"DLBench/{number}"
        yield _written(row, str(identity), f"{name}, row {number + 1}")


def _objects(text: str, name: str) -> list[dict[str, Any]]:
    try:
        value = json.loads(text)
    except ValueError:
        try:
            value = [json.loads(line) for line in text.splitlines() if line.strip()]
        except (ValueError, RecursionError) as error:
            raise DLCodeGenError(f"{name}: no JSON and no JSON lines ({error}); give the harness' own file") from None
    except RecursionError:
        raise DLCodeGenError(f"{name}: JSON nested too deeply to be tasks") from None
    if isinstance(value, dict):
        for inner in ("data", "tasks", "results"):
            if isinstance(value.get(inner), list):
                value = value[inner]
                break
        else:
            value = [value] if "prompt" in value else list(value.values())
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise DLCodeGenError(f"{name}: holds no list of objects; give the harness' own file")
    return value


def _require(columns: set[str], name: str) -> None:
    missing = [field for field in ("ground_truth", "function", "tests") if not columns & set(_NAMES[field])]
    if missing:
        wanted = ", ".join(_NAMES[field][0] for field in missing)
        raise DLCodeGenError(f"{name}: has no column {wanted}; it has {', '.join(sorted(columns)) or 'none'}")


def _written(row: Mapping[str, Any], identity: str, source: str) -> WrittenTask:
    cells = {str(key).strip().lower(): value for key, value in row.items() if key is not None}

    def text(field: str) -> str:
        value = _cell(cells, field)
        return "" if value is None else str(value)

    recorded = cells.get("result") or []
    if isinstance(recorded, str):
        recorded = [recorded]
    if not isinstance(recorded, list):
        recorded = []
    return WrittenTask(
        id=str(identity),
        repository=text("repository"),
        ground_truth=text("ground_truth"),
        class_name=text("class_name"),
        function=text("function"),
        tests=_cell(cells, "tests"),
        prompt=text("prompt"),
        stage=text("stage"),
        task=text("task"),
        data=text("data"),
        recorded=[str(answer) for answer in recorded],
        source=source,
    )


def _cell(cells: Mapping[str, Any], field: str) -> Any:
    for name in _NAMES[field]:
        if cells.get(name) not in (None, ""):
            return cells[name]
    return None
