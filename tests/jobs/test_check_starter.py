"""The check of the bundled samples: what is asked of each source, and the job where keras3 is Python alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from jobs.cli import app
from jobs.execution.inputs import Inputs
from jobs.execution.starter_check import (
    GENERATED,
    MATRIX,
    SAMPLE,
    CheckedProject,
    checked,
    failed_sources,
    sample_folders,
)
from pipeline.environments.building import FOLDER_VARIABLE
from pipeline.execution.ladder import FirstException, Rung
from pipeline.execution.running.rows import ExecutedProject
from tests.pipeline.execution.running.executed_projects import executed_project
from tests.plain_environment import plain_environments


def test_all_bundled_samples_are_among_the_projects() -> None:
    folders = sample_folders()
    projects = list(Inputs(tuple(folders), "auto").projects())
    counts = {source: sum(folders[project.source] == source for project in projects) for source in (SAMPLE, MATRIX)}
    assert counts[SAMPLE] == 40
    assert counts[MATRIX] > 60
    assert len({project.id for project in projects}) == len(projects)
    environments = {project.id: project.environment for project in projects}
    assert environments["torch-classification-image-cnn"] == "torch"
    assert environments["image-folders"] == "keras3"


@pytest.mark.parametrize(
    ("source", "project", "reason"),
    [
        (SAMPLE, executed_project(learns="failed"), ""),
        (MATRIX, executed_project(), ""),
        (MATRIX, executed_project(learns="failed"), "does not learn: learns failed"),
        (MATRIX, executed_project(learns="not_measurable"), "does not learn: learns not_measurable"),
        (GENERATED, executed_project(learns="failed", cpu_seconds=100, memory_bytes=9 * 10**9), ""),
        (SAMPLE, executed_project(cpu_seconds=88), "took 88 s of processor time, 60 are allowed"),
        (MATRIX, executed_project(memory_bytes=3_500_000_000), "took 3.5 GB, 3 are allowed"),
        (MATRIX, executed_project(infra="the warm process is dead"), "the warm process is dead"),
        (SAMPLE, executed_project(came_to=Rung.ONE_STEP, stopped="cpu_seconds"), "stopped at its limit of cpu_seconds"),
        (
            GENERATED,
            executed_project(
                came_to=Rung.MODEL_BUILDS,
                error=FirstException(kind="shape", type="ValueError", message="no\nmore", file="project.py", line=7),
            ),
            "ValueError: no (line 7 of project.py)",
        ),
    ],
)
def test_what_is_asked_of_a_source(source: str, project: ExecutedProject, reason: str) -> None:
    assert checked(project, source).reason == reason
    assert checked(project, source).ok == (not reason)


def test_how_many_may_fail() -> None:
    def projects(source: str, *reasons: str) -> list[CheckedProject]:
        return [CheckedProject(source=source, executed=executed_project(), reason=reason) for reason in reasons]

    generated = projects(GENERATED, *[""] * 9, "no")
    assert failed_sources([*projects(SAMPLE, ""), *generated]) == []
    assert failed_sources([*projects(SAMPLE, "no"), *generated]) == ["sample: 0 of 1 ran, needed are 100%"]
    assert failed_sources([*generated, *projects(GENERATED, "no")]) == ["generated: 9 of 11 ran, needed are 90%"]
    assert failed_sources(projects(MATRIX, "no", "")) == ["matrix: 1 of 2 ran and learned, needed are 100%"]


def test_the_job_runs_as_execute_does(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(plain_environments(tmp_path_factory.mktemp("environments"))))
    project = tmp_path / "projects" / "one"
    project.mkdir(parents=True)
    (project / "project.py").write_text("import part")
    (project / "part.py").write_text("print('done')")

    def call(out: str) -> Result:
        words = ["--generated", str(tmp_path / "projects"), "--no-samples", "--out", str(tmp_path / out)]
        return CliRunner().invoke(app, ["check-starter", *words, "--cpu-seconds", "5"])

    result = call("good")
    assert result.exit_code == 0, result.output
    assert "1 of 1 as they should" in result.output
    assert json.loads((tmp_path / "good" / "manifest.json").read_text())["rungs"]["finishes"] == {"reached": 1, "of": 1}

    (project / "part.py").write_text("import absent")
    result = call("bad")
    assert result.exit_code == 1
    assert "generated: 0 of 1 ran, needed are 90%" in result.output
    assert "absent" in result.output
