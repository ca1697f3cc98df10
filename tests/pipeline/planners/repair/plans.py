"""Plans to repair, and what the repair makes of them for a request in plain words."""

from __future__ import annotations

from typing import Any

from pipeline.plan.change import PlanChange
from pipeline.plan.fields import plan_of
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.planners.repair.repair import repair_plan
from pipeline.request.reading.reader import read_constraints

PHOTOS: dict[str, Any] = {
    "task_category": "Image Classification",
    "input": "Input data shape is (BATCH_SIZE, 128, 128, 3).",
    "output": "Output shape is (BATCH_SIZE, 5) for class probabilities.",
    "preprocess": "Images are resized to 128x128 and divided by 255.",
    "layers": (
        "Conv2D(32, (3, 3), activation='relu', input_shape=(128, 128, 3))",
        "MaxPooling2D((2, 2))",
        "Flatten()",
        "Dense(64, activation='relu')",
        "Dropout(0.5)",
        "Dense(5, activation='softmax')",
    ),
    "optimizer": "Adam",
    "loss": "categorical_crossentropy",
    "learning_rate": 0.001,
    "batch_size": 32,
    "epochs": 20,
    "metric": "accuracy",
}

TEXTS: dict[str, Any] = PHOTOS | {
    "task_category": "Text Classification",
    "input": "Shape of the input data is (batch_size, 150).",
    "output": "Shape of the output data is (batch_size, 1).",
    "preprocess": "Keep the 12000 most frequent words and pad each text to 150 tokens.",
    "layers": ("Embedding(12000, 64)", "LSTM(32)", "Dense(1, activation='sigmoid')"),
    "loss": "binary_crossentropy",
}

TABLE: dict[str, Any] = PHOTOS | {
    "task_category": "Tabular Classification",
    "input": "Shape of the input data is (batch_size, 12).",
    "output": "Shape of the output data is (batch_size, 3).",
    "preprocess": "Standardize the features.",
    "layers": ("Dense(64, activation='relu', input_shape=(12,))", "Dense(3, activation='softmax')"),
}


def plan(values: dict[str, Any], **changed: Any) -> SolutionPlan:
    return plan_of(values | changed)


def repaired(request: str, values: dict[str, Any] = PHOTOS, **changed: Any) -> SolutionPlan:
    return with_changes(request, values, **changed)[0]


def with_changes(
    request: str, values: dict[str, Any] = PHOTOS, **changed: Any
) -> tuple[SolutionPlan, tuple[PlanChange, ...]]:
    return repair_plan(plan(values, **changed), read_constraints(request))
