"""The grammar of a plan's JSON: a fixed text with eleven places for values.

`SolutionPlan.to_json()` always writes the same keys in the same order. So the text of a plan is a skeleton, known
beforehand, and values: strings, three numbers, and one list of strings, the layers.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pipeline.plan.solution_plan import SolutionPlan

Kind = Literal["text", "number", "count", "layers"]


@dataclass(frozen=True, slots=True)
class Field:
    """A place for a value.

    `lead` is the skeleton's text up to the value. `of` gives the value as it stands in the JSON (a list of them for the
    layers). `longest` bounds the value in tokens, for the layers each entry. A text ends with `"`, a number with `,`,
    the layers with `]`; the next field's lead starts after it.
    """

    lead: str
    kind: Kind
    of: Callable[[SolutionPlan], str | list[str]]
    longest: int


def _inside(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


FIELDS: tuple[Field, ...] = (
    Field('{"Task Category": "', "text", lambda plan: _inside(plan.task_category), 32),
    Field(', "Dataset": {"Input": "', "text", lambda plan: _inside(plan.dataset.input), 96),
    Field(', "Output": "', "text", lambda plan: _inside(plan.dataset.output), 96),
    Field('}, "Preprocess": "', "text", lambda plan: _inside(plan.preprocess), 128),
    Field(', "Model Architecture": {"Layers": [', "layers", lambda plan: [_inside(text) for text in plan.layers], 96),
    Field(', "Hyperparameters": {"optimizer": "', "text", lambda plan: _inside(plan.hyperparameters.optimizer), 32),
    Field(', "loss function": "', "text", lambda plan: _inside(plan.hyperparameters.loss), 48),
    Field(', "learning rate": ', "number", lambda plan: json.dumps(plan.hyperparameters.learning_rate), 24),
    Field(' "batch size": ', "count", lambda plan: json.dumps(plan.hyperparameters.batch_size), 8),
    Field(' "epochs": ', "count", lambda plan: json.dumps(plan.hyperparameters.epochs), 8),
    Field(' "evaluation metric": "', "text", lambda plan: _inside(plan.hyperparameters.metric), 64),
)
"""The longest values of the published plans fit; what is longer is cut in training and cannot be written."""

END = "}}}"
LIST_END, BETWEEN, STRING, NUMBER_END = "]", ",", '"', ","
CLOSES: dict[Kind, str] = {"text": STRING, "number": NUMBER_END, "count": NUMBER_END, "layers": LIST_END}

MOST_LAYERS = 64
"""The longest published plan has 44."""

REPEATED_BLOCK, MOST_REPEATS = 8, 6
"""The repetition rule: once a block of up to 8 layers has been written 6 times in a row, the list is closed. Repeating
layers until the length limit is the commonest defect of the paper's released predictions; of the 3,298 published plans
to learn from none repeats a block more than 5 times."""


def repeats_too_often(items: tuple[tuple[int, ...], ...]) -> bool:
    """Whether a list of layers, each as tokens, ends with a block that was repeated MOST_REPEATS times."""
    for size in range(1, REPEATED_BLOCK + 1):
        if len(items) < size * MOST_REPEATS:
            return False
        block = items[-size:]
        if all(
            items[-size * number : len(items) - size * (number - 1)] == block for number in range(2, MOST_REPEATS + 1)
        ):
            return True
    return False
