"""A solution plan read from code alone, with the confidence in each of its fields.

Confidence is 1.0 for what a call states outright in code that parses, 0.8 where it had to be mended or is too long, 0.4
for what Keras does when the code is silent, and 0 for what is not known. Of several models one is chosen
(`pipeline.analysis.models`), which takes a tenth off the confidence in its layers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from corpus_build.extract.task_category import categorise
from corpus_build.read.cell_code import joined_python, parse
from pipeline.analysis.calls import ProjectTrace
from pipeline.analysis.extract import CodeFacts, facts_of
from pipeline.analysis.models import main_model
from pipeline.analysis.preparation import calls_named, image_size, preparation_steps, sequence_length
from pipeline.analysis.trace import trace_project
from pipeline.measures.conformance import DEFAULT_BATCH_SIZE, DEFAULT_EPOCHS, DEFAULT_LEARNING_RATE, OTHER_LEARNING_RATE
from pipeline.plan.solution_plan import DatasetShape, Hyperparameters, ModelArchitecture, SolutionPlan

STATED, MENDED, DEFAULT, CHOSEN = 1.0, 0.8, 0.4, 0.9
MOST_LAYERS = 400
MOST_CODE = 2**20
"""Characters of code that are followed, some 25,000 lines: its syntax tree takes a hundred times the memory."""

_DEFAULTED_OPTIMIZERS = frozenset("Adam AdamW Adamax Adadelta Adagrad Nadam RMSprop Ftrl SGD".split())
_UNITS = re.compile(r"\((?:units=|filters=)?(\d+)|\b(?:units|filters)=(\d+)")
_DIVIDED = re.compile(r"/=?\s*255\b")
_NOT_LAST = ("Input", "InputLayer", "Dropout", "BatchNormalization", "Random", "Rescaling", "Activation", "Flatten")

Shape = tuple[int | None, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class StaticPlan:
    """The plan, and its confidence by the names of `records.Confidence`. `fits` says that training is called, `parses`
    that all cells are valid and were read; `other_models` are the layer classes of each further compiled model."""

    plan: SolutionPlan
    confidence: dict[str, float]
    fits: bool
    parses: bool
    other_models: tuple[str, ...] = ()


def read_plan_from_code(cells: Iterable[str], requirement: str = "", attributes: str = "") -> StaticPlan:
    """The plan of a notebook's code cells; the texts help to tell the task category. Raises nothing."""
    read, whole = _within(cells, MOST_CODE)
    source, parses = joined_python(read)
    tree = parse(source)
    found, others = main_model(trace_project(tree) if tree is not None else ProjectTrace())
    facts = facts_of(found)
    sure = STATED if parses and whole else MENDED
    category, share = categorise(facts, source, requirement, attributes)
    steps = list(preparation_steps(found))
    if _DIVIDED.search(source) and not any("scaled by 1/255" in step for step in steps):
        steps.append("pixel values are scaled by 1/255")
    shapes = _Shapes(facts, found, category)
    fits = bool(calls_named(found, ("fit", "fit_generator", "train_on_batch", "GradientTape", "apply_gradients")))
    hyper, confidence = _hyperparameters(facts, sure, fits=fits)
    layers = tuple(_stored(use.text) for use in facts.layers[:MOST_LAYERS])
    plan = SolutionPlan(
        task_category=category,
        dataset=DatasetShape(input=_shape_text("input", shapes.input), output=_shape_text("output", shapes.output)),
        preprocess=_prose(steps),
        architecture=ModelArchitecture(layers=layers, hyperparameters=hyper),
    )
    confidence |= {
        "task_category": share,
        "input": _shape_confidence(shapes.input, sure),
        "output": 0.9 * _shape_confidence(shapes.output, sure),
        "preprocess": 0.8 * sure if steps else 0.0,
        "layers": _layers_confidence(layers, sure, several=bool(others)),
    }
    return StaticPlan(
        plan=plan,
        confidence={key: round(value, 3) for key, value in confidence.items()},
        fits=fits,
        parses=parses and whole,
        other_models=tuple(", ".join(layer.name for layer in model.layers[:MOST_LAYERS]) for model in others),
    )


def _within(cells: Iterable[str], most: int) -> tuple[list[str], bool]:
    """The cells that fit into so many characters together, and whether all do. One that does not, such as a library
    pasted as base64, leaves room for those after it."""
    found, whole = [], True
    for cell in cells:
        if len(cell) <= most:
            found.append(cell)
            most -= len(cell)
        else:
            whole = False
    return found, whole


def _hyperparameters(facts: CodeFacts, sure: float, *, fits: bool) -> tuple[Hyperparameters, dict[str, float]]:
    """What compile and fit state, and Keras' defaults where a call leaves a setting out."""
    rate, batch, epochs = facts.learning_rate, facts.batch_size, facts.epochs
    confidence = {
        "optimizer": sure if facts.optimizer else 0.0,
        "loss": sure if facts.loss else 0.0,
        "learning_rate": sure if rate else 0.0,
        "batch_size": sure if batch else 0.0,
        "epochs": sure if epochs else 0.0,
        "metric": sure if facts.metrics else 0.0,
    }
    if rate is None and facts.optimizer in _DEFAULTED_OPTIMIZERS:
        rate, confidence["learning_rate"] = DEFAULT_LEARNING_RATE.get(facts.optimizer, OTHER_LEARNING_RATE), DEFAULT
    if batch is None and fits and facts.layers:
        batch, confidence["batch_size"] = DEFAULT_BATCH_SIZE, DEFAULT
    if epochs is None and fits and facts.layers:
        epochs, confidence["epochs"] = DEFAULT_EPOCHS, DEFAULT
    hyper = Hyperparameters(
        optimizer=facts.optimizer,
        loss=_stored(facts.loss),
        learning_rate=rate if rate and rate < 1e6 else None,
        batch_size=batch if batch and batch < 2**31 else None,
        epochs=epochs if epochs and epochs < 2**31 else None,
        metric=", ".join(dict.fromkeys(map(_stored, facts.metrics))),
    )
    return hyper, confidence


class _Shapes:
    """Input and output shapes without the batch axis; () where nothing is known."""

    def __init__(self, facts: CodeFacts, found: ProjectTrace, category: str) -> None:
        self.input: Shape = facts.input_shape or ()
        size, length = image_size(found), sequence_length(found)
        if size is not None and category.startswith(("Image", "Object")) and not any(self.input[:2]):
            self.input = (*size, self.input[2] if len(self.input) == 3 else 3)
        elif length is not None and category.startswith(("Text", "Question")) and not any(self.input):
            self.input = (length,)
        units = next((u for use in reversed(facts.layers) if (u := _units(use.name, use.text)) is not None), None)
        self.output: Shape = (units,) if units is not None else ()
        if category == "Image Generation":  # what comes last is not what is generated, but the judge of it
            self.output = ()
        if units is not None and category in ("Image Segmentation", "Image-to-Image") and len(self.input) == 3:
            self.output = (*self.input[:2], units)


def _units(name: str, text: str) -> int | None:
    """Units or filters of a layer that may be the last; 0 where they are not a known number."""
    if name.startswith(_NOT_LAST) or not name.startswith(("Dense", "Conv")):
        return None
    match = _UNITS.search(text)
    return int(match[1] or match[2]) if match else 0


def _shape_text(word: str, shape: Shape) -> str:
    if not any(shape):
        return ""
    sizes = ", ".join("None" if not size else str(size) for size in shape)
    return f"Shape of the {word} data is (batch_size, {sizes})."


def _layers_confidence(layers: tuple[str, ...], sure: float, *, several: bool) -> float:
    """Less for arguments that are not known, and where the model was chosen among several."""
    if not layers:
        return 0.0
    return sure * (0.8 if any("..." in text for text in layers) else 1.0) * (CHOSEN if several else 1.0)


def _shape_confidence(shape: Shape, sure: float) -> float:
    return sure * sum(bool(size) for size in shape) / len(shape) if shape else 0.0


def _prose(steps: list[str]) -> str:
    """The steps as sentences, at most twelve."""
    return " ".join(f"{step[0].upper()}{step[1:]}." for step in steps[:12])


def _stored(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
