"""`generate execute=on` on Ray, where the environment keras3 is Python alone: the rows that a local run gives."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from jobs.cli import app
from jobs.generate import main
from jobs.generation.settings import GenerateConfig
from jobs.runs.store import RunStore
from pipeline.environments.building import FOLDER_VARIABLE
from pipeline.execution.running.execute_stage import execution_of
from pipeline.inputs import read_requirements
from pipeline.methods import generation_stages
from pipeline.stage import run_local
from tests.plain_environment import plain_environments

pytestmark = pytest.mark.ray

WISHES = "Classify photos of clouds.\nx\nForecast river levels with an LSTM.\nSort reviews into good and bad.\n"


def test_projects_are_run_as_the_last_stage(
    worker_environments: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(plain_environments(worker_environments)))
    source, out = tmp_path / "wishes.txt", tmp_path / "run"
    source.write_text(WISHES)
    config = GenerateConfig(input=str(source), out=str(out), workers=2, quiet=True, execute=True, shard_rows=2)
    summary = main(config)
    assert summary.execution.projects == summary.generated > 1

    rows = list(RunStore(str(out)).results(measured=True))
    assert rows == list(run_local(generation_stages(config), read_requirements(str(source))))
    runs = [run for run in map(execution_of, rows) if run is not None]
    assert [run.id for run in runs] == [row.id for row in rows if row.files]
    assert {run.first_exception.kind for run in runs if run.first_exception is not None} == {"import"}
    assert all(run.measured is not None and run.measured.start == "warm" for run in runs)
    told = json.loads((out / "manifest.json").read_text())["execution"]
    assert (told["projects"], told["ended_of"]) == (len(runs), {"import": len(runs)})
    assert told["rungs"]["parses"] == {"reached": len(runs), "of": len(runs)}

    shown = CliRunner().invoke(app, ["show", runs[0].id, "--run", str(out), "--what", "execution"])
    assert "No module named" in shown.output
