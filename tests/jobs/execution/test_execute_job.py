"""`dlcodegen execute` as a whole, where the environment keras3 is Python alone."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.csv as pacsv
import pytest
from typer.testing import CliRunner, Result

from jobs.cli import app
from jobs.execution.store import ExecutionStore
from pipeline.environments.building import FOLDER_VARIABLE
from pipeline.errors import DLCodeGenError
from pipeline.execution.funnel import funnel_of
from tests.plain_environment import plain_environments

PROJECTS = {
    "finishes": "print('done')",
    "no_module": "import absent",
    "no_file": "open('train.csv')",
    "no_python": "print(",
    "endless": "while True: pass",
    "raises": "def train():\n    x = 1\n    return x + 'a'\n\ntrain()",
}


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return plain_environments(tmp_path_factory.mktemp("environments"))


@pytest.fixture
def projects(tmp_path: Path, environments: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(FOLDER_VARIABLE, str(environments))
    folder = tmp_path / "projects"
    folder.mkdir()
    for name, text in PROJECTS.items():
        (folder / f"{name}.py").write_text(text)
    return folder


def _call(*words: object) -> Result:
    return CliRunner().invoke(app, ["execute", *map(str, words), "--quiet"])


def _table(out: Path) -> dict[str, dict[str, object]]:
    return {row["id"]: row for row in pacsv.read_csv(out / "executed.csv").to_pylist()}


@pytest.mark.parametrize("warm", ["true", "false"])
def test_every_project_has_its_line_and_the_ladder_its_counts(projects: Path, tmp_path: Path, warm: str) -> None:
    out = tmp_path / "out"
    # One shard, which is done in this process.
    result = _call(projects, "--out", out, "cpu_seconds=1", "shard_rows=100", f"warm={warm}")
    assert result.exit_code == 0, result.output
    rows = _table(out)
    assert sorted(rows) == sorted(PROJECTS)
    assert (rows["finishes"]["exit_code"], rows["finishes"]["exception_kind"]) == (0, "")
    assert (rows["no_module"]["exception_kind"], rows["no_module"]["line"]) == ("import", 1)
    assert rows["no_file"]["exception_kind"] == "missing_file"
    assert rows["no_python"]["stopped_at"] == "parses"
    assert rows["endless"]["limit"] == "cpu_seconds"
    assert (rows["raises"]["exception_kind"], rows["raises"]["line"]) == ("type", 3)
    assert {row["start"] for row in rows.values()} == {"warm" if warm == "true" else "cold"}
    assert not any(row["infra"] for row in rows.values())
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["rungs"]["parses"] == {"reached": 5, "of": 6}
    assert (manifest["projects"], manifest["infra"], manifest["environments"]["keras3"]["python"][:2]) == (6, 0, "3.")
    assert "parses" in result.output
    assert "6 projects in keras3" in result.output


def test_the_same_command_goes_on_and_another_is_refused(projects: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = (projects / "finishes.py", projects / "no_file.py", "--out", out, "cpu_seconds=5", "shard_rows=2")
    assert _call(*words).exit_code == 0
    first = list(ExecutionStore(str(out)).results())
    written = (out / "results" / "part-000000.parquet").stat().st_mtime_ns
    again = _call(*words)
    assert again.exit_code == 0
    assert "2 finished before" in again.output
    assert (out / "results" / "part-000000.parquet").stat().st_mtime_ns == written
    assert list(ExecutionStore(str(out)).results()) == first
    assert funnel_of(first).projects == 2
    other = _call(*words[:-2], "cpu_seconds=6", "shard_rows=2")
    assert isinstance(other.exception, DLCodeGenError)
    assert "holds results with other settings" in str(other.exception)
    (projects / "finishes.py").write_text("print('changed')")
    changed = _call(*words)
    assert "the projects have changed since" in str(changed.exception)


def test_data_are_found_in_the_project_s_folder(projects: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "train.csv").write_text("a\n1\n")
    (projects / "reads.py").write_text("print(open('data/train.csv').read()); open('data/new', 'w')")
    out = tmp_path / "out"
    assert _call(projects / "reads.py", "--out", out, "--data", data).exit_code == 0
    (executed,) = ExecutionStore(str(out)).results()
    assert executed.stdout_tail == "a\n1\n\n"
    assert "Read-only file system" in executed.stderr_tail
    assert not (data / "new").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("env=keras3",), "nothing to run"),
        (("{folder}", "env=jax"), "env: Input should be 'auto', 'keras3', 'torch' or 'tf215'"),
        (("{folder}", "cpu_second=3"), "there is no setting cpu_second; did you mean cpu_seconds?"),
        (("{folder}/absent.py",), "no such run, folder or Python file"),
        (("{folder}", "data=/no/such/place"), "data=/no/such/place: no such file or folder"),
    ],
)
def test_mistakes_are_one_line(projects: Path, tmp_path: Path, words: tuple[str, ...], message: str) -> None:
    result = _call(*(word.format(folder=projects) for word in words), "--out", tmp_path / "out")
    assert isinstance(result.exception, DLCodeGenError)
    assert message in str(result.exception)
    assert "\n" not in str(result.exception)
