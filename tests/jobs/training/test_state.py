"""When training is over, which epoch is kept, and checkpoints that are there whole."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from jobs.training.state import Cursor, History, load_checkpoint, read_history, save_checkpoint  # noqa: E402


def _after(losses: list[float], epochs: int = 8, patience: int = 2) -> tuple[History, list[bool]]:
    history, better = History(), []
    for loss in losses:
        assert not history.ended
        better.append(history.end_epoch(loss, 100.0, epochs=epochs, patience=patience))
    return history, better


def test_the_epoch_with_the_best_loss_is_kept() -> None:
    history, better = _after([3.0, 2.0, 2.5, 1.0], epochs=4)
    assert better == [True, True, False, True]
    assert (history.best_epoch, history.best_loss, history.ended) == (4, 1.0, "all epochs done")


def test_training_stops_when_the_loss_has_not_improved_for_patience_epochs() -> None:
    history, _ = _after([3.0, 2.0, 2.0, 2.1])
    assert history.best_epoch == 2
    assert history.ended == "stopped early: no better evaluation loss in 2 epochs"
    assert not _after([3.0, 2.0, 2.1])[0].ended


def test_a_loss_that_is_no_number_is_never_the_best() -> None:
    history, better = _after([float("nan"), 2.0])
    assert better == [False, True]
    assert (history.best_epoch, history.best_loss) == (2, 2.0)


def test_without_a_finite_loss_nothing_is_kept() -> None:
    assert _after([float("nan")], epochs=1)[0].best_epoch == 0


def test_a_checkpoint_restores_every_part_and_leaves_no_torn_file(tmp_path: Path) -> None:
    def parts(value: float) -> dict[str, object]:
        layer = torch.nn.Linear(2, 2)
        torch.nn.init.constant_(layer.weight, value)
        return {"model": layer, "optimizer": torch.optim.AdamW(layer.parameters(), lr=value)}

    out = str(tmp_path / "run")
    assert load_checkpoint(out, parts(1.0)) == (Cursor(), History())
    history = History(steps=[{"loss": 1.5, "learning_rate": 0.5, "tokens": 7.0}])
    save_checkpoint(out, Cursor(1, 3), history, parts(0.5))
    restored = parts(0.25)
    assert load_checkpoint(out, restored) == (Cursor(1, 3), history)
    assert float(restored["model"].weight[0, 0]) == 0.5  # type: ignore[attr-defined]
    assert restored["optimizer"].param_groups[0]["lr"] == 0.5  # type: ignore[attr-defined]
    assert read_history(out) == history
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["checkpoint.pt", "history.json"]
