"""Training a tiny planner on Ray Train: workers do not change the curve, and kills do not change the model."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.train_planner import main
from jobs.training.report import TrainSummary
from jobs.training.settings import TrainConfig
from jobs.training.state import read_history
from pipeline.errors import DLCodeGenError
from pipeline.inputs import read_requirements
from pipeline.planners.causal_lm.planner import Gpt2Planner
from pipeline.records import Requirement
from tests.ray.drivers import TRAIN_WORKER, driver_environment, kill_with_workers, workers_of
from tests.waiting import wait_until

pytest.importorskip("torch")
pytest.importorskip("transformers")

pytestmark = [pytest.mark.ray, pytest.mark.slow]

SETTINGS: dict[str, object] = {
    "data": "starter-torch", "model": "scratch:1x32", "vocabulary": 1000, "batch_size": 8, "epochs": 8,
    "checkpoint_steps": 4, "cpus_per_worker": 1, "quiet": True,
}  # fmt: skip


def _config(out: Path, **settings: object) -> TrainConfig:
    return TrainConfig.model_validate(SETTINGS | {"out": str(out)} | settings)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> TrainSummary:
    """A run that nothing disturbed."""
    return main(_config(tmp_path_factory.mktemp("whole")))


def _after_first_checkpoint(out: Path, act: Callable[[], None]) -> threading.Thread:
    def watch() -> None:
        wait_until((out / "history.json").exists, 240)
        act()

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


def test_the_run_writes_a_planner_and_says_what_it_learned_from(trained: TrainSummary) -> None:
    out = Path(trained.out)
    history = read_history(trained.out)
    losses = [epoch["eval_loss"] for epoch in history.epochs]
    assert trained.eval_loss == min(losses) < losses[0]
    rows = json.loads((out / "run_card.json").read_text())["data"]["train"]["rows"]
    assert len(history.steps) == trained.steps == 8 * math.ceil(rows / 8)
    rates = [step["learning_rate"] for step in history.steps]
    assert rates[0] < max(rates) == pytest.approx(1e-3)
    assert rates[-1] < 1e-4
    card = json.loads((out / "run_card.json").read_text())
    known = sum(1 for _ in read_requirements("starter-torch"))
    assert card["data"]["train"]["rows"] + card["data"]["evaluation"]["rows"] == known
    assert card["data"]["train"]["digest"] != card["data"]["evaluation"]["digest"]
    assert card["versions"]["transformers"]
    assert "| 8 (kept) |" in (out / "run_card.md").read_text()
    assert (out / "loss.png").read_bytes().startswith(b"\x89PNG")
    assert b"loss/evaluation" in next((out / "tensorboard").iterdir()).read_bytes()
    record = Requirement(id="r", row=0, requirement="Classify photos of shells into four species.")
    assert Gpt2Planner(trained.out).plans([record])[0].to_json().startswith('{"Task Category": ')


def test_a_finished_run_is_not_trained_again_and_no_other_run_s_folder(trained: TrainSummary) -> None:
    again = main(_config(Path(trained.out)))
    assert (again.steps, again.eval_loss) == (trained.steps, trained.eval_loss)
    with pytest.raises(DLCodeGenError, match="another folder"):
        main(_config(Path(trained.out), learning_rate=0.1))


def test_a_killed_driver_s_command_goes_on_to_the_same_model(trained: TrainSummary, tmp_path: Path) -> None:
    settings = [f"{name}={str(value).lower()}" for name, value in SETTINGS.items() if name not in ("data", "quiet")]
    command = [
        sys.executable,
        "-m",
        "jobs.cli",
        "train-planner",
        "-q",
        "--data",
        "starter-torch",
        "--out",
        str(tmp_path),
    ]
    process = subprocess.Popen([*command, *settings], env=driver_environment(), start_new_session=True)
    assert wait_until(lambda: (tmp_path / "history.json").exists() or process.poll() is not None, 240)
    kill_with_workers(process, TRAIN_WORKER)
    assert process.returncode == -signal.SIGKILL
    assert not (tmp_path / "run_card.json").exists()
    summary = main(_config(tmp_path))
    assert summary.eval_loss == trained.eval_loss
    one, other = read_history(str(tmp_path)), read_history(trained.out)
    assert one.steps == other.steps
    assert [epoch["eval_loss"] for epoch in one.epochs] == [epoch["eval_loss"] for epoch in other.epochs]
    kept = [(Path(out) / "model" / "model.safetensors").read_bytes() for out in (summary.out, trained.out)]
    assert kept[0] == kept[1]


def test_two_workers_of_which_one_is_killed_find_the_loss_that_one_finds(tmp_path: Path) -> None:
    """Without dropout, whose draws are each worker's own, the number of workers changes nothing but rounding."""
    size = tmp_path / "gpt2.yaml"
    size.write_text("n_layer: 1\nn_embd: 32\nn_head: 1\nresid_pdrop: 0.0\nembd_pdrop: 0.0\nattn_pdrop: 0.0\n")
    alone = main(_config(tmp_path / "alone", model=str(size)))
    killed: list[int] = []

    def kill() -> None:
        workers = workers_of(os.getpid(), TRAIN_WORKER)
        workers[-1].kill()
        killed.append(workers[-1].pid)

    watcher = _after_first_checkpoint(tmp_path / "two", kill)
    summary = main(_config(tmp_path / "two", model=str(size), workers=2))
    watcher.join()
    assert killed
    assert summary.steps == alone.steps
    assert summary.eval_loss == pytest.approx(alone.eval_loss, rel=1e-3)
    curves = [[step["loss"] for step in read_history(run.out).steps] for run in (alone, summary)]
    assert curves[1] == pytest.approx(curves[0], rel=1e-3)
