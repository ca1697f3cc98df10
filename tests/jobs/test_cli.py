"""The command as a user calls it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.runs.store import RunStore
from pipeline.config import PipelineSettings
from pipeline.inputs import read_requirements
from pipeline.methods import generation_stages
from pipeline.records import Scored
from pipeline.stage import Chain


def _call(*arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([sys.executable, "-m", "jobs.cli", *arguments], capture_output=True, text=True)
    assert done.returncode == code, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def requirements(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("input") / "requirements.txt"
    path.write_text("Sort photos of buttons into six colours.\nForecast tomorrow's bread sales.\n")
    return str(path)


@pytest.fixture(scope="module")
def run(requirements: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A finished run of two rows, made without Ray."""
    store = RunStore(str(tmp_path_factory.mktemp("run")))
    staged = store.stage(read_requirements(requirements), requirements, "settings", 64)
    chain = Chain(generation_stages(PipelineSettings()))
    rows = [chain(row) for row in store.read_input(0)]
    store.write_results(0, [row for row, _ in rows if isinstance(row, Scored)], [seconds for _, seconds in rows])
    assert store.pending(staged) == []
    return store.folder


@pytest.mark.parametrize(
    "command",
    ["generate", "plan", "retrieve", "score", "show", "reproduce", "train-planner", "doctor", "deploy render"],
)
def test_every_command_explains_itself(command: str) -> None:
    help_text = _call(*command.split(), "--help").stdout
    assert "Usage" in help_text
    assert command == "doctor" or "Example" in help_text


def test_plan_prints_a_plan_a_line(requirements: str) -> None:
    rows = [json.loads(line) for line in _call("plan", requirements).stdout.splitlines()]
    assert [row["Code Plan"]["Task Category"] for row in rows] == ["Image Classification", "Time Series Forecasting"]


def test_retrieve_prints_samples_and_takes_settings(requirements: str) -> None:
    rows = [json.loads(line) for line in _call("retrieve", requirements, "retrieval.top=3").stdout.splitlines()]
    assert [len(row["samples"]) for row in rows] == [3, 3]
    assert rows[0]["samples"][0]["task_category"] == "Image Classification"


def test_generate_writes_a_run_and_ends_with_a_table_and_the_paths(requirements: str, tmp_path: Path) -> None:
    done = _call("generate", requirements, "--out", str(tmp_path / "out"), "--projects", "--workers", "1")
    assert "generated" in done.stdout
    assert f"{tmp_path}/out/report.html" in done.stdout
    for name in ("results", "report.html", "manifest.json", "failures.jsonl", "projects/row-00000000/project.py"):
        assert (tmp_path / "out" / name).exists(), name


def test_show_prints_one_part_that_can_be_piped(run: str) -> None:
    code = _call("show", "row-00000000", "--run", run, "--what", "code").stdout
    compile(code, "project.py", "exec")
    plan = json.loads(_call("show", "row-00000001", "--run", run, "--what", "plan").stdout)
    assert plan["Task Category"] == "Time Series Forecasting"
    assert "comparison" in _call("show", "row-00000000", "--run", run).stdout
    asked = _call("show", "row-00000000", "--run", run, "--what", "asked").stdout
    assert "met" in asked
    assert "assumed" in asked


def test_score_prints_means_by_category(run: str) -> None:
    table = _call("score", run).stdout
    assert "Image" in table
    assert "all" in table


def test_score_of_a_file_against_a_reference(tmp_path: Path) -> None:
    path = tmp_path / "project.py"
    path.write_text("from tensorflow import keras\nmodel = keras.Sequential([])\nprint(undefined)\n")
    table = _call("score", str(path), "--reference", str(path)).stdout
    assert "undefined" in table
    assert "1.0000" in table


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["generate", "/nowhere.jsonl", "--out", "OUT"], "no such file"),
        (["generate", "starter"], "--out DIR"),
        (["generate", "starter", "--out", "OUT", "retrieval.topp=3"], "retrieval.topp"),
        (["generate", "starter", "--out", "OUT", "shard_rows"], "write key=value"),
        (
            ["generate", "starter", "--out", "OUT", "pool=[1"],
            "pool: its value cannot be read",
        ),  # a value may hold a secret
        (["generate", "starter", "--out", "OUT", "--config", "/nowhere.yaml"], "cannot be read as YAML"),
        (["generate", "starter", "--out", "OUT", "pool=/nowhere.parquet"], "/nowhere.parquet"),
        (["plan", "README.nothing"], "no such file"),
        (["score", "/nowhere"], "no run there"),
        (["generate", "starter", "--out", "/dev/null"], "cannot be written"),
        (["reproduce", "--artifact", "/nowhere", "--out", "OUT"], "no checkout"),
        (["show", "a", "--run", "/nowhere"], "no run there"),
    ],
)
def test_mistakes_end_with_one_line_that_names_them(arguments: list[str], reason: str, tmp_path: Path) -> None:
    done = _call(*(str(tmp_path) if argument == "OUT" else argument for argument in arguments), code=2)
    assert done.stderr.startswith("dlcodegen: ")
    assert reason in done.stderr
    assert "Traceback" not in done.stderr


def test_show_of_an_unknown_row_says_where_ids_are(run: str) -> None:
    assert "no row 'nobody'" in _call("show", "nobody", "--run", run, code=2).stderr


def test_doctor_finds_what_the_default_needs() -> None:
    table = _call("doctor").stdout
    assert "Ray starts here" in table
    assert "CodeBLEU scores" in table
