"""Scored records as a job gives them: ten task categories, drafts that differ, and failures of six kinds."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.plan.solution_plan import SolutionPlan
from pipeline.records import ExcludedSample, Failure, RetrievedSample, Scored, Scores, SectionChoice, SourceFile

TASKS = (
    ("Image Classification", "tell five kinds of mushroom apart in phone photos", "(batch_size, 128, 128, 3)", 5),
    ("Image Segmentation", "mark the river in aerial photos, pixel by pixel", "(batch_size, 256, 256, 3)", 1),
    ("Text Classification", "sort letters to the town hall by the office that answers them", "(batch_size, 200)", 7),
    ("Tabular Regression", "estimate what a flat costs to heat from its energy certificate", "(batch_size, 18)", 1),
    ("Tabular Classification", "see from a gearbox's sensors whether it will fail this week", "(batch_size, 24)", 2),
    ("Time Series Forecasting", "forecast a bakery's bread sales for the coming week", "(batch_size, 56, 4)", 7),
    ("Audio Classification", "recognise owls by their calls in night recordings", "(batch_size, 128, 64, 1)", 9),
    ("Recommendation System", "suggest audiobooks from what a listener finished before", "(batch_size, 2)", 1),
    ("Anomaly Detection", "find welds that look unlike all the good ones", "(batch_size, 64, 64, 1)", 1),
    (
        "Image Super-Resolution",
        "enlarge old microscope pictures without blurring the cells",
        "(batch_size, 48, 48, 1)",
        1,
    ),
)

FAILURES = (
    ("planner", "no_similar_plan", "no known plan is similar enough: the best reaches 2.1, the limit is 4.0"),
    ("retrieval", "empty_pool", "the firewall kept all 12 candidates out; use a larger pool or a lower similarity"),
    ("template", "timeout", "the model gave no answer within 120 s (3 attempts)"),
    ("drafts", "context_exceeded", "the prompt has 9,214 tokens, the model reads 8,192"),
    ("compare", "no_code", "the answer holds no code block: 'I would need to know more about the data set'"),
    ("score", "bug", "ZeroDivisionError: division by zero (in conformance, line 88 of score/conformance.py)"),
)

SECTIONS = ("Imports", "Data", "Preprocessing", "Model", "Compile", "Train", "Evaluate")


def plan(task: int, units: int = 64) -> SolutionPlan:
    category, _, shape, classes = TASKS[task]
    layers = [
        f"Conv2D({units // 2}, (3, 3), activation='relu')" if shape.count(",") > 2 else f"Dense({units}, 'relu')",
        "MaxPooling2D((2, 2))" if shape.count(",") > 2 else "Dropout(0.3)",
        f"Dense({units}, activation='relu')",
        f"Dense({classes}, activation='{'softmax' if classes > 2 else 'linear'}')",
    ]
    return SolutionPlan.model_validate(
        {
            "Task Category": category,
            "Dataset": {"Input": f"Shape of the input data is {shape}", "Output": f"Shape is (batch_size, {classes})"},
            "Preprocess": "Scale to [0, 1]; split into 70 % training, 15 % validation and 15 % test rows.",
            "Model Architecture": {
                "Layers": layers,
                "Hyperparameters": {
                    "optimizer": "Adam",
                    "loss function": "categorical_crossentropy" if classes > 2 else "mean_squared_error",
                    "learning rate": 0.001,
                    "batch size": 32,
                    "epochs": 20 + task,
                },
            },
        }
    )


def project(task: int, *, units: int = 64, epochs: int = 20, data: str = "DATA_DIR", checks: bool = True) -> str:
    """A Keras project in the percent format; the arguments are what two drafts disagree on."""
    category, wish, shape, classes = TASKS[task]
    rows = "\n".join(
        f"    layers.Dense({units // 2**depth}, activation='relu'),  # block {depth}" for depth in range(6)
    )
    evaluation = "\n".join(f"print('class {number}', scores[{number % 2}])" for number in range(classes))
    return f'''# %% [markdown]
# # {category}
# We want to {wish}.

# %% Imports
import os

import numpy as np
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
{data} = os.environ.get("{data}", "data")
EPOCHS = {epochs}


def load_data(folder={data}, limit=None):
    """Inputs {shape} and targets of {classes} columns.

    Files are read in the order of their names.
    """
    names = sorted(name for name in os.listdir(folder) if name.endswith(".npy"))[:limit]
    return np.stack([np.load(os.path.join(folder, name)) for name in names]), np.zeros((len(names), {classes}))


inputs, targets = load_data()

# %% Preprocessing
inputs = inputs.astype("float32") / 255.0
x_train, x_test, y_train, y_test = train_test_split(inputs, targets, test_size=0.15, random_state=42)

# %% Model
model = keras.Sequential([
    keras.Input(shape=inputs.shape[1:]),
{rows}
    layers.Dense({classes}),
])

# %% Compile
model.compile(optimizer=keras.optimizers.Adam(learning_rate=1e-3), loss="mse", metrics=["accuracy"])

# %% Train
history = model.fit(x_train, y_train, validation_split=0.15, epochs=EPOCHS, batch_size=32)

# %% Evaluate
scores = model.evaluate(x_test, y_test, verbose=0)
{evaluation if checks else "print(scores)"}
'''


def record(row: int, **changed: object) -> Scored:
    """The row's record; every ninth row fails, in a stage that depends on the row."""
    task = row % len(TASKS)
    category, wish, _, classes = TASKS[task]
    units = 32 * (1 + row % 4)
    failure = Failure(**dict(zip(("stage", "kind", "message"), FAILURES[row // 9 % 6], strict=True)))
    reached = row // 9 % 6 if row % 9 == 4 else 6  # stages passed: planner, retrieval, template, drafts, compare, score
    keeps = round(1 - (row * 37 % 50) / 100, 2) if row % 3 else 1.0
    deviations = () if keeps == 1 else (f"layer 3: Dense({units}) planned, Dense({units // 2}) found", "epochs differ")
    like = 0.35 + (row * 29 % 50) / 100
    ratio = 0.4 + (row * 17 % 23) / 10
    has_reference = row % 4 != 3
    values: dict[str, object] = {
        "id": f"demo-{row:05}",
        "row": row,
        "requirement": f"I want to {wish}. It should train in {row % 7 + 2} hours on one GPU and reach a good score.",
        "attributes": f"{1000 + 37 * row} examples, {classes} target columns, some values missing.",
        "reference": project(task, units=units, epochs=15, data="ROOT") if has_reference else None,
    }
    if reached > 0:
        values |= {"plan": plan(task, units), "plan_sources": (f"plan-{row % 13}", f"plan-{row % 7}")}
    if reached > 1:
        values["samples"] = tuple(
            RetrievedSample(
                id=f"sample-{(row * 7 + rank) % 12}",
                rank=rank,
                score=round(31.5 / rank - row % 5, 2),
                task_category=category,
                requirement=f"A similar task: {wish}",
            )
            for rank in (1, 2)
        )
        if row % 5 == 0:
            out = ExcludedSample(id=f"sample-{row % 4 + 20}", reason="same code as the reference", similarity=0.97)
            values["excluded"] = (out,)
    if reached > 2:
        values["template"] = project(task, data="{{ data }}").replace("# block", "# {{ layer }}")
    if reached > 3:
        values |= {
            "code_draft": project(task, units=units // 2, checks=False),
            "template_draft": project(task, units=units),
        }
    if reached > 4:
        drafts = ("code draft", "template draft", "both")
        chosen = [drafts[(row + place * place) % 3] for place in range(len(SECTIONS))]
        values["choices"] = tuple(
            SectionChoice(section=name, chosen=draft, code_draft=0.6, template_draft=0.75, reason="keeps more layers")
            for name, draft in zip(SECTIONS, chosen, strict=True)
        )
        readme = SourceFile(path="README.md", text=f"# {category}\n\nRun `python main.py`.\n")
        values["files"] = (SourceFile(path="main.py", text=project(task, units=units)), readme)
    if reached > 5:
        values["scores"] = _scores(row, keeps, deviations, like, ratio, has_reference)
    else:
        values["failure"] = failure
    return Scored(**(values | changed))  # type: ignore[arg-type]


def _scores(row: int, keeps: float, deviations: tuple[str, ...], like: float, ratio: float, known: bool) -> Scores:
    if row % 11 == 6:
        return Scores(parses=False, lines=61, deviations=("the code does not parse: line 12, unclosed bracket",))
    return Scores(
        parses=True,
        undefined_names=("img_size",) if row % 8 == 1 else (),
        invalid_calls=("layers.Conv3d: no such layer",) if row % 16 == 2 else (),
        conformance=keeps,
        deviations=deviations,
        lines=66,
        codebleu=like if known else None,
        ngram_match=like * 0.7 if known else None,
        weighted_ngram_match=like * 0.75 if known else None,
        syntax_match=min(1.0, like * 1.3) if known else None,
        dataflow_match=min(1.0, like * 1.25) if known else None,
        length_ratio=ratio if known else None,
    )


def records(count: int) -> Iterator[Scored]:
    return (record(row) for row in range(count))
