"""Trainings that a library's loop does: the Trainer of Transformers and of Lightning."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from pipeline.analysis.training.given import Unread, count_given, is_given
from pipeline.analysis.values import Call

_ARGUMENTS = re.compile(r"(Seq2Seq|SFT|DPO)?(TrainingArguments|SFTConfig|DPOConfig)")
_BATCH, _EPOCHS, _RATE = 8, 3, 5e-5
_OPTIMIZERS = {"sgd": "SGD", "adagrad": "Adagrad", "rmsprop": "RMSprop", "adafactor": "Adafactor"}


class Trainer(NamedTuple):
    """What the arguments of a Trainer of Transformers say, and its defaults where they are silent."""

    optimizer: str
    learning_rate: float | Unread
    batch_size: int | Unread
    epochs: int | Unread
    defaults: frozenset[str]
    """The settings in which the arguments are silent."""
    line: int | None


def transformers_trainer(calls: Iterable[Call]) -> Trainer | None:
    """The settings of the last TrainingArguments; None for a program that has none."""
    arguments = [call for call in calls if _ARGUMENTS.fullmatch(call.name)]
    if not arguments:
        return None
    call = arguments[-1]
    batch = count_given(call, -1, "per_device_train_batch_size", "per_gpu_train_batch_size")
    epochs = count_given(call, -1, "num_train_epochs")
    rate: object = _RATE
    if is_given(call, -1, "learning_rate"):
        rate = call.keywords["learning_rate"]
    unread = Unread("learning_rate is given, but only running would tell its value", call.line)
    silent = {"batch_size": batch, "epochs": epochs, "learning_rate": call.keywords.get("learning_rate")}
    return Trainer(
        optimizer=_optimizer(call.keywords.get("optim")),
        learning_rate=float(rate) if isinstance(rate, int | float) else unread,
        batch_size=_BATCH if batch is None else batch,
        epochs=_EPOCHS if epochs is None else epochs,
        defaults=frozenset(name for name, value in silent.items() if value is None),
        line=call.line,
    )


def _optimizer(stated: object) -> str:
    if isinstance(stated, str):
        for word, name in _OPTIMIZERS.items():
            if stated.startswith(word):
                return name
    return "AdamW"
