"""The model and the training settings that a Keras project's source states, read without running it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from pipeline.analysis.calls import ProjectTrace
from pipeline.analysis.keras_code.settings import batch_size, epochs, learning_rate
from pipeline.analysis.keras_names import (
    FORMER_OPTIMIZERS,
    OPTIMIZER_FUNCTIONS,
    is_loss,
    is_optimizer,
    loss_of_class,
)
from pipeline.analysis.trace import trace_project
from pipeline.analysis.training.given import Unread, whole
from pipeline.analysis.training.graphs import (
    LOSS_FUNCTIONS,
    estimator_loss,
    estimator_of,
    graph_input_shape,
    is_graph,
    written_loss,
)
from pipeline.analysis.values import Call, Function, LayerUse, Reference
from pipeline.plan.vocabulary import canonical_loss, canonical_metric, canonical_optimizer

__all__ = ["CodeFacts", "LayerUse", "extract"]

FRAMEWORKS = frozenset(
    {
        "catboost",
        "fastai",
        "jax",
        "keras",
        "lightgbm",
        "paddle",
        "sklearn",
        "tensorflow",
        "torch",
        "transformers",
        "xgboost",
    }
)
LOOKUPS = frozenset({"IntegerLookup", "StringLookup", "TextVectorization"})
"""Layer classes that prepare text ahead of the network: preprocessing, not architecture."""

A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeFacts:
    """What the source states; "", () and None stand for what it does not.

    Optimizer, loss and metrics are spelled as in `plan.vocabulary`, a function of the project by its own name. Of
    several `compile` and `fit` calls the first that states a setting counts.
    """

    layers: tuple[LayerUse, ...] = ()
    """In build order, every unrolled use of a helper counted, `Input` and ready-made backbones among them.

    A layer inside another (`Bidirectional(LSTM(8))`) is part of its text, a layer class of the project is one layer,
    and LOOKUPS are left out.
    """
    optimizer: str = ""
    loss: str = ""
    learning_rate: float | None = None
    batch_size: int | None = None
    epochs: int | None = None
    metrics: tuple[str, ...] = ()
    input_shape: tuple[int | None, ...] | None = None
    """The first one known in full, else the first. It has no batch axis, and None for an axis that is open or not
    known."""
    frameworks: tuple[str, ...] = ()
    """Those of FRAMEWORKS that are imported."""
    unread: Mapping[str, Unread] = field(default_factory=dict)
    """The settings, by their names here, that the program is given in a way that only running would tell."""
    guessed: frozenset[str] = frozenset()
    """The settings whose values stand in the program, and are not seen to be what the training is given."""


def extract(tree: ast.Module) -> CodeFacts:
    """The facts of one project. Raises nothing, whatever the code; what is not understood is left out."""
    return facts_of(trace_project(tree))


def facts_of(project: ProjectTrace) -> CodeFacts:
    """The facts of a project that has been traced."""
    # `re.compile` has a compile too.
    compiled = [call for call in project.calls if call.name == "compile" and not call.path.startswith("re.")]
    optimizer = _first(_optimizers(compiled, project.calls), _if_optimizer)
    own_layers = [layer for layer in project.layers if id(layer) not in project.parts]
    numbers = {
        "learning_rate": learning_rate(optimizer, project),
        "batch_size": batch_size(project),
        "epochs": epochs(project),
    }
    rate = numbers["learning_rate"].value
    return CodeFacts(
        layers=tuple(layer for layer in own_layers if layer.name not in LOOKUPS),
        optimizer=_optimizer_name(optimizer),
        loss=_first(_losses(compiled, project.calls), _loss_name) or _other_loss(project),
        learning_rate=None if rate is None else float(rate),
        batch_size=whole(numbers["batch_size"].value),
        epochs=whole(numbers["epochs"].value),
        metrics=_first(compiled, _metrics) or _graph_metrics(project),
        input_shape=_input_shape(project.calls) or _graph_input(project),
        frameworks=tuple(sorted(FRAMEWORKS & project.imports)),
        unread={name: stated.unread for name, stated in numbers.items() if stated.unread is not None},
        guessed=frozenset(name for name, stated in numbers.items() if stated.guessed),
    )


def _first(candidates: Iterable[A], read: Callable[[A], B | None]) -> B | None:
    """The first reading that gives something."""
    for candidate in candidates:
        result = read(candidate)
        if result:
            return result
    return None


def _optimizers(compiled: list[Call], calls: list[Call]) -> Iterator[object]:
    for call in compiled:
        yield call.argument(0, "optimizer")
        # A subclassed GAN is compiled with `d_optimizer=` and `g_optimizer=`.
        for keyword, value in call.keywords.items():
            if keyword.endswith("optimizer"):
                yield value
    estimator = estimator_of(calls)
    if estimator is not None:
        yield estimator.keywords.get("optimizer", "Adagrad")
    for call in calls:
        if is_optimizer(call.path):
            yield call


def _losses(compiled: list[Call], calls: list[Call]) -> Iterator[object]:
    for call in compiled:
        yield call.argument(1, "loss", "loss_fn", "loss_function")
    for call in calls:
        if is_loss(call.path):
            yield call


def _if_optimizer(value: object) -> object:
    """The value, where it names an optimizer that is known; else None."""
    if _optimizer_name(value):
        return value
    return None


def _loss_name(value: object) -> str:
    name = _name(value)
    return LOSS_FUNCTIONS.get(name) or canonical_loss(name) or name


def _optimizer_name(optimizer: object) -> str:
    name = _name(optimizer)
    if isinstance(optimizer, Call) and optimizer.path in OPTIMIZER_FUNCTIONS:
        # Without a decay of the weights it gives Keras' own Adam.
        return "AdamW" if optimizer.keywords.get("weight_decay_rate") else "Adam"
    return FORMER_OPTIMIZERS.get(name) or canonical_optimizer(name)


def _other_loss(project: ProjectTrace) -> str:
    """The loss that an estimator or a class of Transformers has of itself, or that a graph writes out."""
    estimator = estimator_of(project.calls)
    if estimator is not None:
        return estimator_loss(estimator)
    for layer in project.layers:
        if loss := loss_of_class(layer.name):
            return loss
    return written_loss(project.calls) if is_graph(project.calls) else ""


def _graph_metrics(project: ProjectTrace) -> tuple[str, ...]:
    """The accuracy that a graph computes, or that an estimator for classes always does."""
    if not is_graph(project.calls) and estimator_of(project.calls) is None:
        return ()
    estimator = estimator_of(project.calls)
    classifies = estimator is not None and "Classifier" in estimator.name
    return ("accuracy",) if classifies or "accuracy" in project.names else ()


def _graph_input(project: ProjectTrace) -> tuple[int | None, ...] | None:
    if not is_graph(project.calls) and estimator_of(project.calls) is None:
        return None
    return graph_input_shape(project.calls)


def _metrics(compiled: Call) -> tuple[str, ...]:
    value = compiled.argument(2, "metrics")
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list | tuple):
        value = [value]
    metrics: list[str] = []
    for item in value:
        name = _name(item)
        if name:
            metrics.append(canonical_metric(name) or name)
    return tuple(metrics)


def _input_shape(calls: list[Call]) -> tuple[int | None, ...] | None:
    """The first shape known in full, else the first."""
    first: tuple[int | None, ...] | None = None
    for call in calls:
        if call.layer is None:
            continue
        shape = _stated_input_shape(call)
        if shape is None:
            continue
        if None not in shape:
            return shape
        if first is None:
            first = shape
    return first


def _stated_input_shape(layer: Call) -> tuple[int | None, ...] | None:
    if layer.name in ("Input", "InputLayer"):
        shape = layer.argument(0, "shape", "input_shape")
    elif layer.name == "Embedding":  # its input_dim is the size of the vocabulary
        shape = layer.argument(-1, "input_length", "input_shape")
    else:
        shape = layer.argument(-1, "input_shape", "input_dim")
    batched = layer.argument(-1, "batch_shape", "batch_input_shape")
    if isinstance(batched, list | tuple):
        shape = batched[1:]
    if isinstance(shape, int) and shape:
        shape = (shape,)
    if not isinstance(shape, list | tuple):
        return None
    return tuple(whole(size) for size in shape)


def _name(value: object) -> str:
    """What a setting is called, however it is given: "adam", `Adam(...)`, `losses.mse`, a function of the project."""
    if isinstance(value, dict):  # of a model with several outputs, by the output's name
        value = list(value.values())
    if isinstance(value, list | tuple):
        value = next(iter(value), "")
    if isinstance(value, Call | Reference):
        return value.name
    if isinstance(value, Function) and not isinstance(value.node, ast.Lambda):
        return value.node.name
    if isinstance(value, str):
        return value
    return ""
