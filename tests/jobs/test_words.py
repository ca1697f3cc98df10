"""The words that commands take: settings anywhere, and `python -m jobs.X` as `dlcodegen X`, with the words of its own
that it had before."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest
from typer.testing import CliRunner

from jobs.cli import app
from jobs.commands.options import is_setting, source_and_settings
from jobs.runs.store import RunStore
from pipeline.config import PipelineSettings
from pipeline.errors import DLCodeGenError
from pipeline.inputs import read_requirements
from pipeline.methods import generation_stages
from pipeline.records import Scored
from pipeline.stage import run_local

WITH_SETTINGS = {
    "generate": "generate IN --out OUT",
    "generate, by option": "generate --input IN --out OUT --config CONFIG",
    "plan": "plan IN --config CONFIG",
    "retrieve": "retrieve IN --config CONFIG",
    "experiment": "experiment SPEC --out OUT --quiet",
    "judge": "judge IN OUT --out OUT --against IN",
    "corpus build": "corpus build IN --out OUT --meta-kaggle IN",
    "corpus build, by option": "corpus build --input IN --out OUT",
    "corpus exposure": "corpus exposure OUT --config CONFIG",
    "train-planner": "train-planner --data starter --out OUT",
    "eval-planner": "eval-planner --test TEST --train starter --planner retrieval --out OUT",
}
"""Commands that take settings, called with all else that they need."""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("words")
    texts = {
        "IN": "Sort photos of buttons into six colours.\n",
        "CONFIG": "seed: 3\n",
        "SPEC": f"input: {folder}/IN.txt\nmethods: [copy]\n",
        "TEST": json.dumps({"User Requirement": "Sort shells", "Code Plan": {}}) + "\n",
    }
    for name, text in texts.items():
        (folder / f"{name}.txt").write_text(text)
    return {name: str(folder / f"{name}.txt") for name in texts} | {"OUT": str(folder / "out")}


def _words(command: str, files: dict[str, str]) -> list[str]:
    return [files.get(word, word) for word in command.split()]


def _after_options(words: list[str]) -> list[int]:
    """The positions of a command line where a word may stand: not between an option and its value."""
    start = 2 if words[0] == "corpus" else 1
    takes_value = [word.startswith("--") and word != "--quiet" for word in words]
    return [position for position in range(start, len(words) + 1) if not takes_value[position - 1]]


@pytest.mark.parametrize("command", WITH_SETTINGS.values(), ids=WITH_SETTINGS)
def test_settings_are_read_before_between_and_after_options(command: str, files: dict[str, str]) -> None:
    words = _words(command, files)
    for position in _after_options(words):
        called = [*words[:position], "no_such_setting=1", *words[position:]]
        error = CliRunner().invoke(app, called).exception
        assert isinstance(error, DLCodeGenError), called
        assert "there is no setting no_such_setting" in str(error), called


def test_settings_before_the_input_count(files: dict[str, str]) -> None:
    result = CliRunner().invoke(app, ["retrieve", "retrieval.top=1", files["IN"], "--config", files["CONFIG"]])
    assert len(json.loads(result.stdout)["samples"]) == 1
    result = CliRunner().invoke(app, ["retrieve", "--config", files["CONFIG"], f"input={files['IN']}"])
    assert len(json.loads(result.stdout)["samples"]) == 2


def test_a_path_may_have_an_equals_sign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "date=2026").mkdir()
    (tmp_path / "date=2026" / "rows.txt").write_text("Sort shells.\n")
    assert not is_setting("date=2026/rows.txt")
    assert not is_setting("s3://bucket/date=2026/rows.txt")
    assert is_setting("base_url=http://host/v1")
    assert is_setting("variants.top 5.pool=a/b")
    assert is_setting("settings=" + "x" * 10_000)
    assert source_and_settings(["a=1", "date=2026/rows.txt", "b"]) == ("date=2026/rows.txt", ["a=1", "b"])
    assert source_and_settings([None, "a=1"], "date=2026") == ("date=2026", ["a=1"])
    assert source_and_settings(["a=1"]) == (None, ["a=1"])


@pytest.fixture(scope="module")
def run_folder(files: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> str:
    """A finished run of a row, made without Ray."""
    store = RunStore(str(tmp_path_factory.mktemp("run")))
    store.stage(read_requirements(files["IN"]), files["IN"], "settings", 64)
    rows = list(run_local(generation_stages(PipelineSettings()), store.read_input(0)))
    store.write_results(0, [row for row in rows if isinstance(row, Scored)], [{} for _ in rows])
    return store.folder


OLD_WORDS = {
    "generate": ("--config CONFIG --input /nowhere.csv --out OUT seed=1", "/nowhere.csv: no such file"),
    "corpus": ("--config CONFIG --input /nowhere --out OUT --meta-kaggle META seed=1", "/nowhere: no such"),
    "experiment": ("SPEC --out OUT seeds=[0] methods=[direct]", "direct needs a language model"),
    "judge": ("RUN --out OUT samples=1", "a judge is a language model"),
    "score_runs": ("RUN /nowhere --out OUT", "/nowhere"),
    "train_planner": ("--config CONFIG --data starter --eval EVAL --out OUT model=scratch:1x32", "EVAL"),
    "fit_planner": ("--data starter --out OUT --gpt2 A --gpt2 B", "--gpt2 needs --eval"),
    "reproduce": ("--artifact /nowhere --out OUT", "no checkout"),
    "eval_planner": ("--test TEST --train starter --against nobody --out OUT", "--against nobody"),
    "dry_run": ("--input /nowhere.csv --out OUT llm=scripted", "/nowhere.csv: no such file"),
    "check_starter": ("--no-samples", "no projects to run"),
}
"""What `python -m jobs.X` takes, and the mistake in it that its job, not its command line, finds."""


@pytest.mark.filterwarnings("ignore:.*found in sys.modules:RuntimeWarning")  # a process has it there once only
@pytest.mark.parametrize("job", OLD_WORDS)
def test_a_job_takes_the_words_of_its_command(
    job: str,
    files: dict[str, str],
    run_folder: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if job == "train_planner":
        pytest.importorskip("torch")
    words, reason = OLD_WORDS[job]
    monkeypatch.setattr("sys.argv", [f"jobs/{job}.py", *_words(words, files | {"RUN": run_folder})])
    with pytest.raises(SystemExit) as exit:
        runpy.run_module(f"jobs.{job}", run_name="__main__")
    assert exit.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("dlcodegen: ")
    assert reason in error
    assert error.count("\n") == 1
