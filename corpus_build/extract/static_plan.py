"""A solution plan read from code alone, with the confidence in each of its fields.

Confidence is 1.0 for what a call states outright in code that parses, 0.8 where it had to be mended
or is too long, 0.4 for what Keras does when the code is silent, and 0 for what is not known. Of
several models one is chosen (`pipeline.analysis.models`), which takes a tenth off the confidence in
its layers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from corpus_build.extract.task_category import categorise
from corpus_build.extract.torch_plan import read_torch_plan
from corpus_build.read.cell_code import joined_python, parse
from pipeline.analysis.calls import ProjectTrace
from pipeline.analysis.extract import CodeFacts, facts_of
from pipeline.analysis.models import Model, main_model
from pipeline.analysis.preparation import calls_named, image_size, preparation_steps, sequence_length
from pipeline.analysis.trace import trace_project
from pipeline.measures.conformance import DEFAULT_BATCH_SIZE, DEFAULT_EPOCHS, DEFAULT_LEARNING_RATE, OTHER_LEARNING_RATE
from pipeline.plan.solution_plan import DatasetShape, Hyperparameters, ModelArchitecture, SolutionPlan

STATED, MENDED, DEFAULT, CHOSEN = 1.0, 0.8, 0.4, 0.9
"""Confidence in what is stated, read from mended code, a default of Keras; and the factor for a chosen model."""

MOST_PLAN_LAYERS = 400

MOST_CODE = 2**20
"""Characters of code that are followed, some 25,000 lines: its syntax tree takes a hundred times the memory."""

_DEFAULTED_OPTIMIZERS = frozenset("Adam AdamW Adamax Adadelta Adagrad Nadam RMSprop Ftrl SGD".split())
_TRAINING_CALLS = ("fit", "fit_generator", "train_on_batch", "GradientTape", "apply_gradients", "minimize", "train")
_UNITS = re.compile(r"\((?:units=|filters=)?(\d+)|\b(?:units|filters)=(\d+)")
_NUMBER_OF_CLASSES = re.compile(r"\bnum_(?:classes|labels)=(\d+)")
_DIVIDED = re.compile(r"/=?\s*255\b")
# Layers behind which the one with the units may stand.
_NOT_LAST = ("Input", "InputLayer", "Dropout", "BatchNormalization", "Random", "Rescaling", "Activation", "Flatten")

Shape = tuple[int | None, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class StaticPlan:
    """What the code alone says."""

    plan: SolutionPlan
    confidence: dict[str, float]
    """By the names of `records.Confidence`."""
    fits: bool
    """Whether training is called."""
    parses: bool
    """Whether all cells are valid and were read."""
    other_models: tuple[str, ...] = ()
    """The layer classes of each further compiled model."""
    unread: tuple[str, ...] = ()
    """Settings that the code has and only running would tell, each with the reason: they are null in the plan."""


def read_plan_from_code(
    cells: Iterable[str], requirement: str = "", attributes: str = "", *, framework: str = "tensorflow"
) -> StaticPlan:
    """The plan of a notebook's code cells, as one of this framework; the texts help to tell the task category. Raises
    nothing."""
    followed_cells, all_followed = _within(cells, MOST_CODE)
    source, all_parse = joined_python(followed_cells)
    parses = all_parse and all_followed
    tree = parse(source)
    sure = STATED if parses else MENDED
    torch = read_torch_plan(tree) if framework == "pytorch" and tree is not None else None
    trace = ProjectTrace() if tree is None else trace_project(tree)
    main_trace, other_models = (trace, ()) if torch is not None else main_model(trace)
    facts = torch.facts if torch is not None else facts_of(main_trace)
    compared = torch.compared if torch is not None else facts
    category, share = categorise(compared, source, requirement, attributes)
    steps = _steps(main_trace, source)
    units = torch.units if torch is not None else _last_units(facts)
    input_shape = _input_shape(facts.input_shape or (), main_trace, category)
    output_shape = _output_shape(units, input_shape, category)
    fits = torch is not None or bool(calls_named(main_trace, _TRAINING_CALLS))
    defaults = torch.defaults if torch is not None else frozenset()
    hyper, confidence = _hyperparameters(facts, sure, fits=fits and torch is None, defaults=defaults)
    layers = tuple(_storable(use.text) for use in facts.layers[:MOST_PLAN_LAYERS])
    plan = SolutionPlan(
        task_category=category,
        dataset=DatasetShape(input=_shape_text("input", input_shape), output=_shape_text("output", output_shape)),
        preprocess=_prose(steps),
        architecture=ModelArchitecture(layers=layers, hyperparameters=hyper),
    )
    confidence |= {
        "task_category": share,
        "input": _shape_confidence(input_shape, sure),
        "output": 0.9 * _shape_confidence(output_shape, sure),
        "preprocess": 0.8 * sure if steps else 0.0,
        "layers": _layers_confidence(layers, sure, several=bool(other_models)),
    }
    return StaticPlan(
        plan=plan,
        confidence={key: round(value, 3) for key, value in confidence.items()},
        fits=fits,
        parses=parses,
        other_models=tuple(_layer_names(model) for model in other_models),
        unread=tuple(f"{name}: {reason}" for name, reason in sorted(facts.unread.items())),
    )


def _steps(main_trace: ProjectTrace, source: str) -> list[str]:
    """The preparation of the data; a division by 255 counts wherever it is written, traced or not."""
    steps = list(preparation_steps(main_trace))
    if _DIVIDED.search(source) and not any("scaled by 1/255" in step for step in steps):
        steps.append("pixel values are scaled by 1/255")
    return steps


def _layer_names(model: Model) -> str:
    return ", ".join(layer.name for layer in model.layers[:MOST_PLAN_LAYERS])


def _within(cells: Iterable[str], most: int) -> tuple[list[str], bool]:
    """The cells that fit into so many characters together, and whether all do.

    One that does not, such as a library pasted as base64, leaves room for those after it.
    """
    fitting, all_fit = [], True
    for cell in cells:
        if len(cell) <= most:
            fitting.append(cell)
            most -= len(cell)
        else:
            all_fit = False
    return fitting, all_fit


def _hyperparameters(
    facts: CodeFacts, sure: float, *, fits: bool, defaults: frozenset[str]
) -> tuple[Hyperparameters, dict[str, float]]:
    """What compile and fit state, and Keras' defaults where a call leaves a setting out; a setting that is given and
    cannot be read is none."""
    rate, batch, epochs = facts.learning_rate, facts.batch_size, facts.epochs
    stated = {
        "optimizer": facts.optimizer,
        "loss": facts.loss,
        "learning_rate": rate,
        "batch_size": batch,
        "epochs": epochs,
        "metric": facts.metrics,
    }
    confidence: dict[str, float] = {}
    for name, value in stated.items():
        confidence[name] = sure if value else 0.0
        if value and name in facts.guessed | defaults:
            confidence[name] = DEFAULT
    if rate is None and "learning_rate" not in facts.unread and facts.optimizer in _DEFAULTED_OPTIMIZERS:
        rate = DEFAULT_LEARNING_RATE.get(facts.optimizer, OTHER_LEARNING_RATE)
        confidence["learning_rate"] = DEFAULT
    if batch is None and "batch_size" not in facts.unread and fits and facts.layers:
        batch, confidence["batch_size"] = DEFAULT_BATCH_SIZE, DEFAULT
    if epochs is None and "epochs" not in facts.unread and fits and facts.layers:
        epochs, confidence["epochs"] = DEFAULT_EPOCHS, DEFAULT
    hyper = Hyperparameters(
        optimizer=facts.optimizer,
        loss=_storable(facts.loss),
        # What is larger is no setting but a misread number, and the last two must fit into a column
        # of integers.
        learning_rate=_below(1e6, rate),
        batch_size=_below(2**31, batch),
        epochs=_below(2**31, epochs),
        metric=", ".join(dict.fromkeys(map(_storable, facts.metrics))),
    )
    return hyper, confidence


_Number = TypeVar("_Number", int, float)


def _below(limit: float, number: _Number | None) -> _Number | None:
    """The number, if it is not 0 and below the limit."""
    return number if number and number < limit else None


def _input_shape(declared: Shape, main_trace: ProjectTrace, category: str) -> Shape:
    """The shape that a layer declares; where it leaves sizes open, the one that the data are brought to."""
    size, length = image_size(main_trace), sequence_length(main_trace)
    if size is not None and category.startswith(("Image", "Object")) and not any(declared[:2]):
        channels = declared[2] if len(declared) == 3 else 3  # images are read in colour unless code says otherwise
        return (*size, channels)
    if length is not None and category.startswith(("Text", "Question")) and not any(declared):
        return (length,)
    return declared


def _output_shape(units: int | None, input: Shape, category: str) -> Shape:
    # In a GAN, what comes last is not what is generated, but the judge of it.
    if units is None or category == "Image Generation":
        return ()
    if category in ("Image Segmentation", "Image-to-Image") and len(input) == 3:
        return (*input[:2], units)
    return (units,)


def _last_units(facts: CodeFacts) -> int | None:
    """Units or filters of the last layer that has any; None without one."""
    for use in reversed(facts.layers):
        units = _units(use.name, use.text)
        if units is not None:
            return units
    return None


def _units(name: str, text: str) -> int | None:
    """Units or filters of a layer that may be the last, or the classes of a ready-made network; 0 where they are not a
    known number."""
    if classes := _NUMBER_OF_CLASSES.search(text):
        return int(classes[1])
    if name.startswith(_NOT_LAST) or not name.startswith(("Dense", "Conv")):
        return None
    match = _UNITS.search(text)
    if match is None:
        return 0
    return int(match[1] or match[2])


def _shape_text(word: str, shape: Shape) -> str:
    if not any(shape):
        return ""
    sizes = [str(size or None) for size in shape]
    return f"Shape of the {word} data is (batch_size, {', '.join(sizes)})."


def _layers_confidence(layers: tuple[str, ...], sure: float, *, several: bool) -> float:
    """Less for arguments that are not known, and where the model was chosen among several."""
    if not layers:
        return 0.0
    whole_arguments = 0.8 if any("..." in text for text in layers) else 1.0
    chosen = CHOSEN if several else 1.0
    return sure * whole_arguments * chosen


def _shape_confidence(shape: Shape, sure: float) -> float:
    """By the share of its sizes that are known."""
    if not shape:
        return 0.0
    known = sum(bool(size) for size in shape)
    return sure * known / len(shape)


def _prose(steps: list[str]) -> str:
    """The steps as sentences, at most twelve."""
    return " ".join(f"{step[0].upper()}{step[1:]}." for step in steps[:12])


def _storable(text: str) -> str:
    """The text without halves of surrogate pairs, which UTF-8 cannot store."""
    return text.encode("utf-8", "replace").decode()
