from __future__ import annotations

from pathlib import Path

import pytest

from jobs.execution.inputs import Inputs
from jobs.runs.store import RunStore
from pipeline.errors import DLCodeGenError
from pipeline.execution.running.rows import ProjectRow
from pipeline.records import Failure, Requirement, Scored, SourceFile
from pipeline.request.constraints import Constraint


def _projects(*paths: Path, env: str = "auto") -> list[ProjectRow]:
    return list(Inputs([str(path) for path in paths], env).projects())


def _write(folder: Path, texts: dict[str, str]) -> Path:
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_a_folder_of_projects_comes_with_what_lies_beside_each_script(tmp_path: Path) -> None:
    texts = {"b/project.py": "import net", "b/net.py": "x = 1", "b/table.csv": "a,b\n1,2\n", "a/project.py": "1"}
    texts |= {"b/project.ipynb": "{}", "b/.hidden/x.py": "1", "loose.py": "2"}
    folder = _write(tmp_path / "projects", texts)
    (folder / "b" / "weights.bin").write_bytes(b"\xff\xfe\x00")
    a, b = _projects(folder)
    assert (a.id, b.id, a.row, b.row) == ("a", "b", 0, 1)
    assert [file.path for file in b.files] == ["project.py", "net.py", "table.csv"]
    assert (a.source, a.entry) == (str(folder), "project.py")


def test_a_run_s_folder_of_projects_and_a_single_project_are_found_too(tmp_path: Path) -> None:
    folder = _write(tmp_path / "out", {"projects/a/project.py": "1", "projects/b/project.py": "2"})
    assert [project.id for project in _projects(folder)] == ["a", "b"]
    assert [project.id for project in _projects(folder / "projects" / "a")] == ["a"]


def test_files_and_folders_of_files_are_projects_of_one_file(tmp_path: Path) -> None:
    folder = _write(
        tmp_path, {"many/x.py": "import torch", "many/y.py": "import keras", "one.py": "1", "many/no.txt": ""}
    )
    projects = _projects(folder / "many", folder / "one.py")
    assert [(project.id, project.environment) for project in projects] == [
        ("x", "torch"),
        ("y", "keras3"),
        ("one", "keras3"),
    ]
    assert projects[0].files == (SourceFile(path="project.py", text="import torch"),)


def test_an_environment_that_is_named_holds_for_all(tmp_path: Path) -> None:
    _write(tmp_path, {"x.py": "import torch"})
    assert [project.environment for project in _projects(tmp_path, env="tf215")] == ["tf215"]


def test_names_that_are_there_twice_are_told_apart(tmp_path: Path) -> None:
    _write(tmp_path, {"a/x.py": "1", "b/x.py": "2"})
    assert [project.id for project in _projects(tmp_path / "a", tmp_path / "b")] == ["x", "x-2"]


def test_a_run_gives_its_projects_with_plan_wishes_and_data(tmp_path: Path) -> None:
    wish = Constraint(aspect="training", name="epochs", value="3", start=0, end=1)
    good = Scored(
        id="good",
        row=0,
        files=(SourceFile(path="project.py", text="1"), SourceFile(path="project.ipynb", text="{}")),
        constraints=(wish,),
        data_folder="/mine",
    )
    bad = Scored(id="bad", row=1, failure=Failure(stage="plan", kind="x", message="y"))
    store = RunStore(str(tmp_path / "run"))
    store.stage([Requirement(id="good", row=0), Requirement(id="bad", row=1)], "in", "digest", 2)
    store.write_results(0, [good, bad], [{}, {}])
    inputs = Inputs([str(tmp_path / "run")], "auto")
    (project,) = inputs.projects()
    assert (project.id, project.constraints, project.data_folder) == ("good", (wish,), "/mine")
    assert [file.path for file in project.files] == ["project.py"]
    assert inputs.rows_without_project == 1


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("empty", "holds no project; give a run"),
        ("absent", "no such run, folder or Python file"),
        ("x.txt", "no such run"),
    ],
)
def test_what_holds_no_project_is_told(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "x.txt").write_text("")
    with pytest.raises(DLCodeGenError, match=message):
        _projects(tmp_path / name)
