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
from pipeline.execution.ladder import RUNGS, FirstException, Rung, RungOutcome
from pipeline.execution.running.rows import ExecutedProject, RungRow, RunMeasures
from tests.plain_environment import plain_environments


def executed(
    *,
    finishes: RungOutcome = "reached",
    learns: RungOutcome = "reached",
    cpu_seconds: float = 20.0,
    gigabytes: float = 1.0,
    infra: str = "",
    stopped: str = "",
    error: FirstException | None = None,
) -> ExecutedProject:
    outcomes: dict[Rung, RungOutcome] = {Rung.FINISHES: finishes, Rung.LEARNS: learns}
    rungs = []
    for rung in RUNGS:
        outcome = outcomes.get(rung, "reached")
        rungs.append(RungRow(rung=rung.value, outcome=outcome, seen=f"{outcome} it", file="", line=None))
    return ExecutedProject(
        id="x", row=0, source="", environment="keras3", reached="", rungs=tuple(rungs), first_exception=error,
        infra=infra, stopped=stopped, budget_spent=False, held_out=None, checks=(), observation="{}", exit_code=0,
        stdout_tail="", stderr_tail="",
        measured=RunMeasures(
            start="warm", seconds=cpu_seconds, cpu_seconds=cpu_seconds, peak_memory_bytes=int(gigabytes * 1e9)
        ),
    )  # fmt: skip


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
        (SAMPLE, executed(learns="failed"), ""),
        (MATRIX, executed(), ""),
        (MATRIX, executed(learns="failed"), "does not learn: failed it"),
        (MATRIX, executed(learns="not_measurable"), "does not learn: not_measurable it"),
        (GENERATED, executed(learns="failed", cpu_seconds=100, gigabytes=9), ""),
        (SAMPLE, executed(cpu_seconds=88), "took 88 s of processor time, 60 are allowed"),
        (MATRIX, executed(gigabytes=3.5), "took 3.5 GB, 3 are allowed"),
        (MATRIX, executed(infra="the warm process is dead"), "the warm process is dead"),
        (SAMPLE, executed(finishes="not_measurable", stopped="cpu_seconds"), "stopped at its limit of cpu_seconds"),
        (
            GENERATED,
            executed(
                finishes="failed",
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
        return [CheckedProject(source=source, executed=executed(), reason=reason) for reason in reasons]

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
