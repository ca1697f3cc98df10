"""What somebody changed in the page's forms."""

from __future__ import annotations

from typing import Any

from pipeline.records import Requirement, Understood
from serving.api.forms import Form

PLAN_FIELDS = (
    ("task_category", "Task category"),
    ("input", "Input"),
    ("output", "Output"),
    ("preprocess", "Preprocessing"),
    ("layers", "Layers, one a line"),
    ("optimizer", "Optimizer"),
    ("loss", "Loss"),
    ("learning_rate", "Learning rate"),
    ("batch_size", "Batch size"),
    ("epochs", "Epochs"),
    ("metric", "Metric"),
)
"""A plan's fields by the names of `pipeline.plan.fields`, and what the form calls them."""

LONG_FIELDS = ("input", "output", "preprocess", "layers")


def places_left_out(row: Requirement | None, form: Form) -> list[int]:
    """The places of the things understood that are no longer ticked."""
    if not isinstance(row, Understood):
        return []
    kept = set(form.texts("keep"))
    return [place for place in range(len(row.constraints)) if str(place) not in kept]


def edited_plan(form: Form) -> dict[str, Any]:
    """The form's plan in the paper's form; reading it is lenient, so numbers may stay texts."""

    def text(name: str) -> str:
        return form.text(name).strip()

    return {
        "Task Category": text("task_category"),
        "Dataset": {"Input": text("input"), "Output": text("output")},
        "Preprocess": text("preprocess"),
        "Model Architecture": {
            "Layers": [line.strip() for line in text("layers").splitlines() if line.strip()],
            "Hyperparameters": {
                "optimizer": text("optimizer"),
                "loss function": text("loss"),
                "learning rate": text("learning_rate"),
                "batch size": text("batch_size"),
                "epochs": text("epochs"),
                "evaluation metric": text("metric"),
            },
        },
    }
