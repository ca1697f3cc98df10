"""Scripted models for tests: what a competent model answers, by what it is asked for."""

from __future__ import annotations

import json

from pipeline.llm.protocol import ChatReply, ChatRequest, Usage
from pipeline.plan.solution_plan import bounded_plan_schema

CODE = """import numpy as np
from tensorflow import keras
from tensorflow.keras import layers

x, y = np.random.rand(64, 32, 32, 3), np.random.randint(0, 7, 64)
model = keras.Sequential([
    layers.Input(shape=(32, 32, 3)),
    layers.Conv2D(16, 3, activation="relu"),
    layers.Flatten(),
    layers.Dense(7, activation="softmax"),
])
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=2)
"""

PLAN = {
    "Task Category": "Image Classification",
    "Dataset": {"Input": "(batch_size, 32, 32, 3)", "Output": "(batch_size, 7)"},
    "Preprocess": "Scale pixels to [0, 1].",
    "Model Architecture": {
        "Layers": ["Conv2D(16, 3, activation='relu')", "Flatten()", "Dense(7, activation='softmax')"],
        "Hyperparameters": {"optimizer": "Adam", "loss function": "sparse_categorical_crossentropy", "epochs": 2},
    },
}


def fenced(code: str) -> str:
    return f"```python\n{code}```"


def last_words(request: ChatRequest) -> str:
    """The end of the last message, which says what is to be done."""
    return request.messages[-1].content[-800:]


def role_of(request: ChatRequest) -> str:
    """Which of the method's calls a request is, by the words of its prompt."""
    if request.schema:
        return "plan"
    said = last_words(request)
    for words, role in (
        ("devise a plan", "plan"),
        ("Answer with the template alone", "template"),
        ("think step by step", "chain"),
        ("by filling the template", "draft 2"),
        ("Take style and structure over from the sample", "draft 1"),
        ("Leave one out only if", "compare useful"),
        ("The JSON object begins with two more keys", "compare"),
        ("Go through the draft", "isolated"),
        ("Think through these steps", "c-cot"),
        ("Carry out the plan", "ps"),
        ("was cut off", "continue"),
        ("cannot be used", "again"),
    ):
        if words in said:
            return role
    return "cedar" if "as the example does it for its own" in said else "direct"


def competent(request: ChatRequest) -> str:
    """Answers every call as it should be; the code says which call it answers."""
    role = role_of(request)
    if role == "plan":
        assert request.schema == json.dumps(bounded_plan_schema())
        return json.dumps(PLAN)
    if role == "chain":
        return "1. Load the data.\n2. Build the model.\n3. Train it."
    if role == "template":
        return fenced("classes = <<number_of_classes>>\nmodel = build(<<layers>>, classes)\n")
    return fenced(f"# {role}\n{CODE}")


def replied(text: str, finish_reason: str = "stop") -> ChatReply:
    return ChatReply(text=text, finish_reason=finish_reason, usage=Usage(prompt_tokens=7, completion_tokens=5))  # type: ignore[arg-type]
