from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from jobs.cli import app
from jobs.execution.project_runs import ProjectRun, failed_sources, run_projects
from jobs.execution.projects import MATRIX, Project, bundled_samples, generated_projects
from pipeline.errors import DLCodeGenError, StageFailure
from pipeline.records import SourceFile
from pipeline.sandbox.process import ProcessSandbox
from pipeline.sandbox.sandbox import Execution, Limits, ScriptedSandbox


def project_folder(root: Path, projects: dict[str, str]) -> Path:
    for name, code in projects.items():
        (root / name).mkdir(parents=True)
        (root / name / "project.py").write_text(code)
    return root


def project_run(source: str, ok: bool) -> ProjectRun:
    return ProjectRun(id="x", source=source, ok=ok, seconds=1.0, peak_memory_mb=1, reason="", digest="")


def test_the_bundled_samples_are_found() -> None:
    samples = bundled_samples()
    assert len(samples) >= 30
    assert all(sample.files[0].text.strip() for sample in samples)
    assert [sample.id for sample in samples] == sorted({sample.id for sample in samples})


def test_generated_projects_come_with_their_modules(tmp_path: Path) -> None:
    folder = project_folder(tmp_path / "projects", {"b": "import net.model", "a": "print(1)"})
    (folder / "b" / "net").mkdir()
    (folder / "b" / "net" / "model.py").write_text("x = 1")
    (folder / "summary.json").write_text("{}")
    projects = generated_projects(folder)
    assert [project.id for project in projects] == ["a", "b"]
    assert [file.path for file in projects[1].files] == ["net/model.py", "project.py"]


def test_a_folder_without_projects_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DLCodeGenError, match=r"holds no <id>/project\.py"):
        generated_projects(tmp_path)
    with pytest.raises(DLCodeGenError, match="no such folder"):
        generated_projects(tmp_path / "absent")


def test_each_project_gets_its_run(tmp_path: Path) -> None:
    def answer(files: object) -> Execution:
        text = str(files)
        if "unsafe" in text:
            raise StageFailure("unsafe_path", "leaves the folder")
        return Execution(exit_code=int("bad" in text), stderr_tail="Traceback ...:\nValueError: no\n")

    folder = project_folder(tmp_path, {"one": "good", "three": "unsafe", "two": "bad"})
    runs = run_projects(ScriptedSandbox(answer), generated_projects(folder), Limits(), workers=2)
    assert {run.id: (run.ok, run.reason) for run in runs} == {
        "one": (True, ""),
        "two": (False, "ValueError: no"),
        "three": (False, "unsafe_path: leaves the folder"),
    }


def test_a_sample_of_the_matrix_has_to_learn() -> None:
    printed = {
        "learns": "held-out accuracy: 0.9 (baseline, always the most frequent class: 0.5)",
        "guesses": "held-out accuracy: 0.5 (baseline, always the most frequent class: 0.5)",
        "errs": "held-out error in pixels (mean): 9 (baseline, the mean image: 4.5)",
        "silent": "done",
    }

    def answer(files: object) -> Execution:
        return Execution(exit_code=0, stdout_tail=next(text for name, text in printed.items() if name in str(files)))

    projects = [
        Project(id=name, source=source, files=(SourceFile(path="project.py", text=name),))
        for name, source in [("learns", MATRIX), ("guesses", MATRIX), ("errs", MATRIX), ("silent", MATRIX)]
    ]
    runs = {run.id: run for run in run_projects(ScriptedSandbox(answer), projects, Limits(), workers=2)}
    assert {name: run.ok for name, run in runs.items()} == {
        "learns": True, "guesses": False, "errs": False, "silent": False,
    }  # fmt: skip
    assert runs["learns"].held_out is not None
    assert runs["errs"].reason == "is no better than its baseline"
    assert runs["silent"].reason.startswith("prints no line")
    assert failed_sources(list(runs.values())) == ["matrix: 1 of 4 ran and learned, needed are 100%"]


def test_projects_in_pytorch_are_told_apart() -> None:
    needs = {sample.id: sample.needs_torch for sample in bundled_samples()}
    assert needs["torch-classification-image-cnn"]
    assert not needs["image-folders"]


def test_how_many_may_fail() -> None:
    generated = [project_run("generated", ok) for ok in [True] * 9 + [False]]
    assert failed_sources([project_run("sample", True), *generated]) == []
    assert failed_sources([project_run("sample", False), *generated]) == ["sample: 0 of 1 ran, needed are 100%"]
    assert failed_sources([*generated, project_run("generated", False)]) == ["generated: 9 of 11 ran, needed are 90%"]


@pytest.fixture
def python_with_tensorflow(tmp_path: Path) -> Path:
    """This Python, with packages of the names and versions that the job asks for."""
    try:
        ProcessSandbox()
    except DLCodeGenError as error:
        pytest.skip(str(error))
    for name in ("tensorflow", "keras"):
        information = tmp_path / "packages" / f"{name}-9.9.dist-info"
        information.mkdir(parents=True)
        (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 9.9\n")
        (information / "top_level.txt").write_text(name)
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH="{tmp_path}/packages" exec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    return python


def test_the_whole_job(tmp_path: Path, python_with_tensorflow: Path) -> None:
    folder = project_folder(tmp_path / "projects", {f"p{i}": "print(1)" for i in range(9)} | {"slow": "while 1: pass"})
    report = tmp_path / "out" / "report.json"

    def call() -> Result:
        options = ["--python", str(python_with_tensorflow), "--generated", str(folder), "--report", str(report)]
        return CliRunner().invoke(app, ["check-starter", *options, "--no-samples", "--workers", "4", "--seconds", "3"])

    result = call()
    assert result.exit_code == 0, result.output
    assert "9 of 10 ran" in result.output
    written = json.loads(report.read_text())
    assert written["manifest"]["versions"].endswith("tensorflow 9.9 keras 9.9")
    assert (written["manifest"]["counts"]["generated"], written["manifest"]["ok"]["generated"]) == (10, 9)
    assert written["projects"][-1]["id"] == "slow"
    assert written["projects"][-1]["reason"].startswith("stopped at its limit of seconds")

    project_folder(tmp_path / "projects", {"broken": "import absent"})
    result = call()
    assert result.exit_code == 1
    assert "generated: 9 of 11 ran, needed are 90%" in result.output
    assert json.loads(report.read_text())["projects"][0]["reason"] == "ModuleNotFoundError: No module named 'absent'"


def test_a_python_without_tensorflow_is_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "jobs.check_starter", "--python", "/usr/bin/env", "--allow-network"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert done.returncode == 2
    assert done.stderr.startswith("dlcodegen: the Python given has no TensorFlow")
    assert "Traceback" not in done.stderr
