"""What a finished training run leaves to look at: loss curves, TensorBoard events, the run card, and a summary."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jobs.runs.versions import versions_of
from jobs.training.settings import TrainConfig
from jobs.training.staging import StagedRun
from jobs.training.state import History
from pipeline.foreign_text import markdown_cell, without_secrets
from pipeline.storage.files import atomic_writer, exists, join, write_bytes, write_json

_CARD = "run_card.json"
"""Written last: a run that has its card is finished."""

_VERSIONED = ("dlcodegen-ray", "ray", "torch", "transformers", "tokenizers", "numpy")


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainSummary:
    """What a run came to."""

    out: str
    """The run's folder."""
    rows: int
    """Rows learned from."""
    eval_rows: int
    """Rows evaluated on."""
    steps: int
    """Optimizer steps."""
    best_epoch: int
    """The epoch whose model is kept, from 1."""
    eval_loss: float
    """The kept model's loss on the evaluation rows, in nats a plan token."""
    ended: str
    """Why training is over."""
    seconds: float
    """What this call took."""


def summarized(out: str, staged: StagedRun, history: History, seconds: float) -> TrainSummary:
    return TrainSummary(
        out=out,
        rows=staged.train["rows"],
        eval_rows=staged.evaluation["rows"],
        steps=len(history.steps),
        best_epoch=history.best_epoch,
        eval_loss=history.best_loss,
        ended=history.ended,
        seconds=seconds,
    )


def is_finished(out: str) -> bool:
    """Whether the folder holds a run that has trained to its end and has its report."""
    return exists(join(out, _CARD))


def write_report(config: TrainConfig, staged: StagedRun, history: History, seconds: float) -> None:
    """All files of the report, the card last."""
    _write_plot(config.out, history)
    _write_events(config.out, history)
    _write_card(config.out, _card(config, staged, history, seconds), history)


def _write_plot(out: str, history: History) -> None:
    """`loss.png`: training and evaluation loss over the steps, and the learning rate."""
    from matplotlib.figure import Figure

    numbers = range(1, len(history.steps) + 1)
    train_losses = [step["loss"] for step in history.steps]
    learning_rates = [step["learning_rate"] for step in history.steps]
    epoch_ends = [epoch["step"] for epoch in history.epochs]
    eval_losses = [epoch["eval_loss"] for epoch in history.epochs]
    # Not through pyplot, whose figures stay in memory until they are closed and may want a display.
    figure = Figure(figsize=(8, 5), layout="constrained")
    losses, rates = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    losses.plot(numbers, train_losses, linewidth=0.8, label="training, each step")
    losses.plot(epoch_ends, eval_losses, "o-", label="evaluation, each epoch")
    if history.best_epoch:
        kept = epoch_ends[history.best_epoch - 1]
        losses.axvline(kept, linestyle=":", color="grey", label="the model that is kept")
    losses.set_ylabel("loss (nats a plan token)")
    losses.legend()
    rates.plot(numbers, learning_rates, linewidth=0.8)
    rates.set_ylabel("learning rate")
    rates.set_xlabel("step")
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=120)
    write_bytes(join(out, "loss.png"), stream.getvalue())


def _write_events(out: str, history: History) -> None:
    """`tensorboard/`: the same curves as events for TensorBoard. Raises ImportError without tensorboardX."""
    from tensorboardX import SummaryWriter

    # One name, so that a run that is finished twice does not show its curves twice.
    url = join(out, "tensorboard", "events.out.tfevents.0000000000.dlcodegen")
    with tempfile.TemporaryDirectory() as folder:
        with SummaryWriter(folder) as writer:
            for number, step in enumerate(history.steps, start=1):
                writer.add_scalar("loss/train", step["loss"], number)
                writer.add_scalar("learning_rate", step["learning_rate"], number)
            for epoch in history.epochs:
                writer.add_scalar("loss/evaluation", epoch["eval_loss"], int(epoch["step"]))
        (name,) = os.listdir(folder)
        with open(os.path.join(folder, name), "rb") as events, atomic_writer(url) as stream:
            stream.write(events.read())


def _card(config: TrainConfig, staged: StagedRun, history: History, seconds: float) -> dict[str, Any]:
    """What the run card says: the result, and all that it was reached from."""
    plan_tokens = sum([step["tokens"] for step in history.steps])
    return {
        "result": {
            "ended": history.ended,
            "kept_epoch": history.best_epoch,
            "evaluation_loss": history.best_loss,
            "steps": len(history.steps),
            "plan_tokens_learned_from": int(plan_tokens),
            "seconds_of_this_call": seconds,
        },
        "data": {"train": staged.train, "evaluation": staged.evaluation, "benchmarks": staged.benchmarks},
        "settings": config.model_dump(mode="json"),
        "context": staged.context,
        "seed": config.seed,
        "workers": config.workers,
        "sources": staged.owner["sources"],
        "versions": versions_of(_VERSIONED),
    }


def _write_card(out: str, card: Mapping[str, Any], history: History) -> None:
    """`run_card.json` and `run_card.md`: what was trained on what, and what it came to."""
    write_bytes(join(out, "run_card.md"), without_secrets(_markdown(card, history)).encode())
    write_json(join(out, _CARD), card, public=True)


def _markdown(card: Mapping[str, Any], history: History) -> str:
    lines = ["# Training run of a GPT-2 planner", ""]
    for name, value in card.items():
        lines += [f"## {name.replace('_', ' ')}", ""]
        if isinstance(value, Mapping):
            lines += ["| | |", "|---|---|"]
            for key, item in value.items():
                lines.append(f"| {key} | {markdown_cell(_cell(item))} |")
            lines.append("")
        else:
            lines += [markdown_cell(_cell(value)), ""]
    lines += ["## evaluation loss by epoch", "", "| epoch | steps | loss (nats a plan token) | tokens/s |"]
    lines.append("|---|---|---|---|")
    for epoch in history.epochs:
        kept = " (kept)" if epoch["epoch"] == history.best_epoch else ""
        loss, rate = f"{epoch['eval_loss']:.4f}", f"{epoch['tokens_per_second']:,.0f}"
        lines.append(f"| {int(epoch['epoch'])}{kept} | {int(epoch['step'])} | {loss} | {rate} |")
    return "\n".join([*lines, "", "![loss curves](loss.png)", ""])


def _cell(value: object) -> str:
    """A value as the text of one cell."""
    if isinstance(value, Mapping):
        parts = [f"{key}: {item}" for key, item in value.items()]
    elif isinstance(value, list | tuple):
        parts = [str(item) for item in value]
    else:
        return str(value)
    return ", ".join(parts) or "none"
