"""What a finished training run leaves to look at: loss curves, TensorBoard events, and the run card."""

from __future__ import annotations

import io
import json
import os
import tempfile
from collections.abc import Mapping
from typing import Any

from jobs.training.state import History
from pipeline.storage.files import atomic_writer, join, write_bytes

CARD = "run_card.json"


def write_plot(out: str, history: History) -> None:
    """`loss.png`: training and evaluation loss over the steps, and the learning rate."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), layout="constrained")
    losses, rates = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    steps = range(1, len(history.steps) + 1)
    losses.plot(steps, [step["loss"] for step in history.steps], linewidth=0.8, label="training, each step")
    marks = [epoch["step"] for epoch in history.epochs]
    losses.plot(marks, [epoch["eval_loss"] for epoch in history.epochs], "o-", label="evaluation, each epoch")
    if history.best_epoch:
        losses.axvline(marks[history.best_epoch - 1], linestyle=":", color="grey", label="the model that is kept")
    losses.set_ylabel("loss (nats a plan token)")
    losses.legend()
    rates.plot(steps, [step["learning_rate"] for step in history.steps], linewidth=0.8)
    rates.set_ylabel("learning rate")
    rates.set_xlabel("step")
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=120)
    write_bytes(join(out, "loss.png"), stream.getvalue())


def write_events(out: str, history: History) -> None:
    """`tensorboard/`: the same curves as events for TensorBoard. Raises ImportError without tensorboardX."""
    from tensorboardX import SummaryWriter

    with tempfile.TemporaryDirectory() as folder:
        with SummaryWriter(folder) as writer:
            for number, step in enumerate(history.steps, start=1):
                writer.add_scalar("loss/train", step["loss"], number)
                writer.add_scalar("learning_rate", step["learning_rate"], number)
            for epoch in history.epochs:
                writer.add_scalar("loss/evaluation", epoch["eval_loss"], int(epoch["step"]))
        (name,) = os.listdir(folder)
        with open(os.path.join(folder, name), "rb") as events, atomic_writer(_events(out)) as stream:
            stream.write(events.read())


def _events(out: str) -> str:
    # One name, so that a run that is finished twice does not show its curves twice.
    return join(out, "tensorboard", "events.out.tfevents.0000000000.dlcodegen")


def write_card(out: str, card: Mapping[str, Any], history: History) -> None:
    """`run_card.json` and `run_card.md`: what was trained on what, and what it came to. Written last: a run that has
    its card is finished."""
    write_bytes(join(out, "run_card.md"), _markdown(card, history).encode())
    write_bytes(join(out, CARD), json.dumps(card, indent=2, ensure_ascii=False).encode())


def _markdown(card: Mapping[str, Any], history: History) -> str:
    lines = ["# Training run of a GPT-2 planner", ""]
    for name, value in card.items():
        lines += [f"## {name.replace('_', ' ')}", ""]
        if isinstance(value, Mapping):
            lines += ["| | |", "|---|---|", *(f"| {key} | {_cell(item)} |" for key, item in value.items()), ""]
        else:
            lines += [_cell(value), ""]
    lines += ["## evaluation loss by epoch", "", "| epoch | steps | loss (nats a plan token) | tokens/s |"]
    lines.append("|---|---|---|---|")
    for epoch in history.epochs:
        kept = " (kept)" if epoch["epoch"] == history.best_epoch else ""
        loss, rate = f"{epoch['eval_loss']:.4f}", f"{epoch['tokens_per_second']:,.0f}"
        lines.append(f"| {int(epoch['epoch'])}{kept} | {int(epoch['step'])} | {loss} | {rate} |")
    return "\n".join([*lines, "", "![loss curves](loss.png)", ""])


def _cell(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {item}" for key, item in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return str(value)
