"""Tasks from files in the published formats, made up here: the same values however they are written, and every trap."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from pipeline.dlbench.counts import count_tasks
from pipeline.dlbench.reading.read import read_tasks
from pipeline.dlbench.reading.values import is_test_code, pytest_nodes, target_name, target_path
from pipeline.dlbench.task import TrapKind
from pipeline.errors import DLCodeGenError

TEXT = """\
stage: Image
task: Pre/Post Processing
data: General
prompt:
Write `def blur(image, size)`.

function: this line is part of the prompt
- first
    - second
 ground Truth:https://github.com/o/Pictures/blob/main/pictures/blur.py#L12
 repo: https://github.com/o/Pictures.git
 class: Blur
 function: blur(self, image)
 test_cases:tests/test_blur.py:TestBlur:test_sizes[a:b, c]
 tests/test_other.py::test_x
"""


def test_a_text_file_of_2024_with_its_values_in_each_others_slots(tmp_path: Path) -> None:
    (tmp_path / "blur_1.txt").write_text(TEXT)
    (tmp_path / "README.md").write_text("not a task")
    [task] = read_tasks([str(tmp_path)])
    assert (task.stage, task.task, task.data) == ("pre/post-processing", "general", "image")
    assert (task.repository, task.path, task.line) == ("pictures", "pictures/blur.py", 12)
    assert (task.class_name, task.function) == ("Blur", "blur")
    assert task.tests == ("tests/test_blur.py::TestBlur::test_sizes[a:b, c]", "tests/test_other.py::test_x")
    assert task.prompt.endswith("function: this line is part of the prompt\n- first\n    - second")
    assert {trap.kind for trap in task.traps} == {TrapKind.SWAPPED_VALUES, TrapKind.ONE_COLON}


def test_csv_and_json_of_one_task_are_the_same_task(tmp_path: Path) -> None:
    row = {
        "repo": "pyro",
        "filename": "x.txt",
        "function": "f",
        "class": "",
        "ground Truth": "pyro/a.py",
        "test_cases": "['tests/test_a.py::test_f', 'tests/test_a.py::test_f']",
        "prompt": 'two\n"lines", quoted',
        "stage": "Evaluation & Metrics",
        "task": "Object Detection",
        "data": "Others",
        "test_suites": "",
    }
    with open(tmp_path / "tasks.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        writer.writeheader()
        writer.writerow(row)
    harness = {
        "result": ["def f(): pass"],
        "function_name": "f",
        "class": None,
        "ground_truth": "pyro/a.py",
        "test": "tests/test_a.py::test_f",
        "repo": "pyro",
        "stage": "evaluation",
        "task": "detection",
        "data": "other",
        "prompt": row["prompt"],
    }
    (tmp_path / "harness.json").write_text(json.dumps([harness]))
    [from_csv], [from_json] = read_tasks([str(tmp_path / "tasks.csv")]), read_tasks([str(tmp_path / "harness.json")])
    assert from_csv.id == from_json.id == "DLBench/0"
    for field in ("key", "tests", "prompt", "stage", "task", "data"):
        assert getattr(from_csv, field) == getattr(from_json, field), field
    assert from_json.recorded == ("def f(): pass",)


def test_traps_are_named_and_counted(tmp_path: Path) -> None:
    rows = [
        {"repo": "", "function": "f", "ground Truth": "a/tests/helpers.py", "test_cases": "", "stage": "Magic"},
        {"repo": "r", "function": "g", "ground Truth": "a.py", "test_cases": "tests", "stage": "training"},
        {"repo": "r", "function": "g", "ground Truth": "a.py", "test_cases": "t.py::g", "stage": "Training"},
    ]
    (tmp_path / "t.json").write_text(json.dumps(rows))
    counts = count_tasks(read_tasks([str(tmp_path / "t.json")]))
    assert counts.tasks == 3
    assert counts.by_stage == {"training": 2, "not given": 1}
    assert {name: len(tasks) for name, tasks in counts.traps.items()} == {
        TrapKind.NO_REPOSITORY: 1,
        TrapKind.TARGET_IN_TESTS: 1,
        TrapKind.NO_TEST: 1,
        TrapKind.UNKNOWN_VALUE: 1,
        TrapKind.DIRECTORY: 1,
        TrapKind.DUPLICATE: 1,
    }


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("sklearn/utils/_testing.py", True),
        ("pkg/tests/common.py", True),
        ("tests/conftest.py", True),
        ("pkg/testing/checks.py", True),
        ("pkg/contest.py", False),
        ("pkg/latest.py", False),
        ("pkg/model/attest.py", False),
    ],
)
def test_what_belongs_to_the_tests(path: str, expected: bool) -> None:
    assert is_test_code(path) is expected


def test_spellings_of_paths_names_and_nodes() -> None:
    assert target_path("`./a\\b.py#L3-L9`") == ("a/b.py", 3)
    assert target_name("None", "def  fit(self, x):") == ("", "fit")
    assert target_name("", "Model.fit") == ("Model", "fit")
    assert pytest_nodes("pytest -v ./t/test_a.py::test_x, t/test_b.py")[0] == ("t/test_a.py::test_x", "t/test_b.py")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.csv", "x,y\n1,2\n", "no column ground truth"),
        ("a.json", "{", "no JSON"),
        ("a.json", "[1]", "no list of objects"),
        ("a.yaml", "a: [", "no YAML"),
        ("a.yaml", "- id: x\n  colour: red\n", "task 1"),
        ("a.txt", "hello", "is no task"),
    ],
)
def test_what_is_no_task_is_said_in_one_line(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(DLCodeGenError) as raised:
        read_tasks([str(tmp_path / name)])
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_an_empty_folder_and_one_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DLCodeGenError, match="holds no task"):
        read_tasks([str(tmp_path)])
    with pytest.raises(DLCodeGenError, match="no such file"):
        read_tasks([str(tmp_path / "gone")])
