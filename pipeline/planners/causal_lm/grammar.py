"""The grammar of a plan's JSON: a fixed skeleton with eleven values in it.

`SolutionPlan.to_json()` always writes the same keys in the same order. So the text of a plan is a
skeleton, known beforehand, and values: strings, three numbers, and one list of strings, the layers.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

from pipeline.plan.fields import FIELD, PlanField
from pipeline.plan.solution_plan import SolutionPlan

Kind = Literal["text", "number", "count", "layers"]


@dataclass(frozen=True, slots=True)
class GrammarField:
    """One value of the plan, with the skeleton's text before it.

    A text ends with `"`, a number with `,`, the layers with `]`; the next field's `lead` starts
    after that.
    """

    field: PlanField
    lead: str
    """The skeleton's text up to the value."""
    kind: Kind
    max_tokens: int
    """Longest value, for the layers the longest entry. What is longer is cut in training and cannot
    be written."""

    def json_value(self, plan: SolutionPlan) -> str | list[str]:
        """The value as it stands in the JSON, quotes left out; for the layers a list of them."""
        value = self.field.of(plan)
        if self.kind == "layers":
            return [_json_text(layer) for layer in value]
        if self.kind == "text":
            return _json_text(value)
        return json.dumps(value)


def _json_text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]  # without the quotes


# The bounds in tokens were chosen so that the longest values of the published plans fit.
GRAMMAR: tuple[GrammarField, ...] = (
    GrammarField(FIELD["task_category"], '{"Task Category": "', "text", 32),
    GrammarField(FIELD["input"], ', "Dataset": {"Input": "', "text", 96),
    GrammarField(FIELD["output"], ', "Output": "', "text", 96),
    GrammarField(FIELD["preprocess"], '}, "Preprocess": "', "text", 128),
    GrammarField(FIELD["layers"], ', "Model Architecture": {"Layers": [', "layers", 96),
    GrammarField(FIELD["optimizer"], ', "Hyperparameters": {"optimizer": "', "text", 32),
    GrammarField(FIELD["loss"], ', "loss function": "', "text", 48),
    GrammarField(FIELD["learning_rate"], ', "learning rate": ', "number", 24),
    GrammarField(FIELD["batch_size"], ' "batch size": ', "count", 8),
    GrammarField(FIELD["epochs"], ' "epochs": ', "count", 8),
    GrammarField(FIELD["metric"], ' "evaluation metric": "', "text", 64),
)

END = "}}}"
LIST_END, BETWEEN, STRING, NUMBER_END = "]", ",", '"', ","
CLOSES: dict[Kind, str] = {"text": STRING, "number": NUMBER_END, "count": NUMBER_END, "layers": LIST_END}
"""The character that ends a value of each kind."""

MAX_LAYERS = 64
"""The longest published plan has 44."""

MAX_BLOCK, MAX_REPEATS = 8, 6
"""The repetition rule: once a block of up to 8 layers has been written 6 times in a row, the list
is closed. Repeating layers until the length limit is the commonest defect of the paper's released
predictions; of the 3,298 published plans to learn from none repeats a block more than 5 times."""


def repeats_too_often(layers: tuple[tuple[int, ...], ...]) -> bool:
    """Whether a list of layers, each as its tokens, ends with a block that was repeated MAX_REPEATS
    times."""
    for size in range(1, MAX_BLOCK + 1):
        if len(layers) < size * MAX_REPEATS:
            return False
        if layers[-size * MAX_REPEATS :] == layers[-size:] * MAX_REPEATS:
            return True
    return False
