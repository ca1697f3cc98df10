"""How far a training run is, in one file that is replaced whole: what a killed run goes on from."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import torch

from pipeline.storage.files import atomic_writer, exists, join, read_bytes, write_bytes
from pipeline.storage.opening import open_input

CHECKPOINT, HISTORY, PROGRESS = "checkpoint.pt", "history.json", "progress.json"


@dataclass(slots=True)
class History:
    """The loss curves, and how training ended."""

    steps: list[dict[str, float]] = field(default_factory=list)
    """Of each step: mean loss a plan token, learning rate, plan tokens learned from."""
    epochs: list[dict[str, float]] = field(default_factory=list)
    """Of each epoch: its number, steps done, loss on the evaluation rows, tokens a second (prompts included)."""
    best_epoch: int = 0
    """The epoch whose model is kept, from 1; 0 while there is none."""
    ended: str = ""
    """Why training is over; "" while it is not."""

    @property
    def best_loss(self) -> float:
        losses = [epoch["eval_loss"] for epoch in self.epochs]
        return min(filter(math.isfinite, losses), default=math.inf)

    def end_epoch(self, eval_loss: float, tokens_per_second: float, *, epochs: int, patience: int) -> bool:
        """Notes an epoch, and why training is over if it was the last of `epochs`, or of `patience` without a better
        loss. Gives whether its model is the best so far."""
        better = eval_loss < self.best_loss  # False for nan
        entry = {"step": len(self.steps), "eval_loss": eval_loss, "tokens_per_second": tokens_per_second}
        self.epochs.append({"epoch": len(self.epochs) + 1} | entry)
        done = len(self.epochs)
        if better:
            self.best_epoch = done
        if done == epochs:
            self.ended = "all epochs done"
        elif done - self.best_epoch >= patience:
            self.ended = f"stopped early: no better evaluation loss in {patience} epochs"
        return better


@dataclass(slots=True)
class Cursor:
    """How far training is. The order of the batches and every random draw follow from the seed and this, so no
    generator's state has to be kept."""

    epoch: int = 0
    """From 0."""
    batch: int = 0
    """Batches of the epoch that are done."""


def save_checkpoint(out: str, cursor: Cursor, history: History, parts: Mapping[str, Any]) -> None:
    """Replaces the run's checkpoint: cursor, history and the `state_dict` of each part.

    The parts are model, optimizer and schedule.
    """
    # The cursor goes by its first name, so that checkpoints of older versions can be read.
    state = {"place": asdict(cursor), "history": asdict(history)}
    for name, part in parts.items():
        state[name] = part.state_dict()
    with atomic_writer(join(out, CHECKPOINT)) as stream:
        torch.save(state, stream)
    write_history(out, history)


def load_checkpoint(out: str, parts: Mapping[str, Any]) -> tuple[Cursor, History]:
    """Puts the parts into the state of the run's checkpoint; where there is none, leaves them as they are."""
    url = join(out, CHECKPOINT)
    if not exists(url):
        return Cursor(), History()
    with open_input(url) as stream:
        state = torch.load(stream, map_location="cpu", weights_only=True)
    for name, part in parts.items():
        part.load_state_dict(state[name])
    return Cursor(**state["place"]), History(**state["history"])


def write_history(out: str, history: History) -> None:
    write_bytes(join(out, HISTORY), json.dumps(asdict(history)).encode())


def read_history(out: str) -> History:
    """What the workers wrote last; empty before the first checkpoint."""
    url = join(out, HISTORY)
    if not exists(url):
        return History()
    return History(**json.loads(read_bytes(url)))
