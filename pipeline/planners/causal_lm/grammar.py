"""The grammar of a plan's JSON: a fixed skeleton with eleven values in it.

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
    """One value of the plan, with the skeleton's text before it.

    A text ends with `"`, a number with `,`, the layers with `]`; the next field's `lead` starts after that.
    """

    lead: str
    """The skeleton's text up to the value."""
    kind: Kind
    json_value: Callable[[SolutionPlan], str | list[str]]
    """The value as it stands in the JSON, quotes left out; for the layers a list of them."""
    max_tokens: int
    """Longest value, for the layers the longest entry. What is longer is cut in training and cannot be written."""


def _json_text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _json_layers(plan: SolutionPlan) -> list[str]:
    return [_json_text(layer) for layer in plan.layers]


# The bounds in tokens were chosen so that the longest values of the published plans fit.
FIELDS: tuple[Field, ...] = (
    Field('{"Task Category": "', "text", lambda plan: _json_text(plan.task_category), 32),
    Field(', "Dataset": {"Input": "', "text", lambda plan: _json_text(plan.dataset.input), 96),
    Field(', "Output": "', "text", lambda plan: _json_text(plan.dataset.output), 96),
    Field('}, "Preprocess": "', "text", lambda plan: _json_text(plan.preprocess), 128),
    Field(', "Model Architecture": {"Layers": [', "layers", _json_layers, 96),
    Field(', "Hyperparameters": {"optimizer": "', "text", lambda plan: _json_text(plan.hyperparameters.optimizer), 32),
    Field(', "loss function": "', "text", lambda plan: _json_text(plan.hyperparameters.loss), 48),
    Field(', "learning rate": ', "number", lambda plan: json.dumps(plan.hyperparameters.learning_rate), 24),
    Field(' "batch size": ', "count", lambda plan: json.dumps(plan.hyperparameters.batch_size), 8),
    Field(' "epochs": ', "count", lambda plan: json.dumps(plan.hyperparameters.epochs), 8),
    Field(' "evaluation metric": "', "text", lambda plan: _json_text(plan.hyperparameters.metric), 64),
)

END = "}}}"
LIST_END, BETWEEN, STRING, NUMBER_END = "]", ",", '"', ","
CLOSES: dict[Kind, str] = {"text": STRING, "number": NUMBER_END, "count": NUMBER_END, "layers": LIST_END}
"""The character that ends a value of each kind."""

MAX_LAYERS = 64
"""The longest published plan has 44."""

MAX_BLOCK, MAX_REPEATS = 8, 6
"""The repetition rule: once a block of up to 8 layers has been written 6 times in a row, the list is closed. Repeating
layers until the length limit is the commonest defect of the paper's released predictions; of the 3,298 published plans
to learn from none repeats a block more than 5 times."""


def repeats_too_often(layers: tuple[tuple[int, ...], ...]) -> bool:
    """Whether a list of layers, each as its tokens, ends with a block that was repeated MAX_REPEATS times."""
    for size in range(1, MAX_BLOCK + 1):
        if len(layers) < size * MAX_REPEATS:
            return False
        if layers[-size * MAX_REPEATS :] == layers[-size:] * MAX_REPEATS:
            return True
    return False
