"""The model and the training settings that a Keras project's source states, read without running it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeGuard, TypeVar

from pipeline.analysis.calls import ProjectTrace
from pipeline.analysis.keras_names import is_loss, is_optimizer
from pipeline.analysis.trace import trace_project
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

DIRECTORY_READERS = frozenset(
    {
        "audio_dataset_from_directory",
        "flow_from_dataframe",
        "flow_from_directory",
        "image_dataset_from_directory",
        "text_dataset_from_directory",
    }
)
READERS_BATCH_SIZE = 32  # what each of them uses unless told otherwise

# Constants that hold a setting where no call shows it, as in hand-written training loops.
_BATCH_SIZE_NAMES = ("batch_size", "batchsize", "batch", "bs")
_EPOCHS_NAMES = ("epochs", "num_epochs", "n_epochs", "max_epochs", "epoch")
_LEARNING_RATE_NAMES = ("learning_rate", "lr", "init_lr", "initial_lr")

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


def extract(tree: ast.Module) -> CodeFacts:
    """The facts of one project. Raises nothing, whatever the code; what is not understood is left out."""
    return facts_of(trace_project(tree))


def facts_of(project: ProjectTrace) -> CodeFacts:
    """The facts of a project that has been traced."""
    # `re.compile` has a compile too.
    compiled = [call for call in project.calls if call.name == "compile" and not call.path.startswith("re.")]
    optimizer = _first(_optimizers(compiled, project.calls), _if_optimizer)
    own_layers = [layer for layer in project.layers if id(layer) not in project.parts]
    return CodeFacts(
        layers=tuple(layer for layer in own_layers if layer.name not in LOOKUPS),
        optimizer=canonical_optimizer(_name(optimizer)),
        loss=_first(_losses(compiled, project.calls), _loss_name) or "",
        learning_rate=_learning_rate(optimizer) or _number_named(project, _LEARNING_RATE_NAMES),
        batch_size=_batch_size(project),
        epochs=_first(_epochs(project.calls), _count) or _count(_number_named(project, _EPOCHS_NAMES)),
        metrics=_first(compiled, _metrics) or (),
        input_shape=_input_shape(project.calls),
        frameworks=tuple(sorted(FRAMEWORKS & project.imports)),
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
    if canonical_optimizer(_name(value)):
        return value
    return None


def _loss_name(value: object) -> str:
    return canonical_loss(_name(value)) or _name(value)


def _batch_size(project: ProjectTrace) -> int | None:
    """The first of the surest candidates.

    Of several pipelines' sizes the one that a constant is named after is that of the training: others validate or test.
    """
    named = _count(_number_named(project, _BATCH_SIZE_NAMES))
    fits = [call for call in project.calls if call.name == "fit"]
    for call in fits:
        fitted = _count(call.argument(2, "batch_size"))
        if fitted is not None:
            return fitted
    pipelines = [call for call in project.calls if call.name == "batch"]
    for call in pipelines:
        if call.argument(0, "batch_size") == named:
            return named
    return _first(_batch_sizes(project.calls), _count) or named


def _batch_sizes(calls: list[Call]) -> Iterator[object]:
    """Candidates, the surest first: data pipelines, then whatever else but evaluation is given a batch size."""
    for call in calls:
        if call.name == "batch":
            yield call.argument(0, "batch_size")
    for call in calls:
        if call.name in DIRECTORY_READERS:
            yield call.keywords.get("batch_size", READERS_BATCH_SIZE)
    for call in calls:
        if not call.name.startswith(("evaluate", "predict")):
            yield call.keywords.get("batch_size")


def _epochs(calls: list[Call]) -> Iterator[object]:
    """Candidates, the surest first: what a fit is given, then whatever else is given a number of epochs."""
    for call in calls:
        if call.name == "fit":
            yield call.argument(3, "epochs", "nb_epoch")
        elif call.name == "fit_generator":  # of Keras 2, without a batch size among its arguments
            yield call.argument(2, "epochs", "nb_epoch")
    for call in calls:
        yield call.argument(-1, "epochs", "num_epochs", "num_train_epochs")


def _learning_rate(optimizer: object) -> float | None:
    """The optimizer's rate; of a schedule, the rate it starts from."""
    if not isinstance(optimizer, Call):
        return None
    rate = optimizer.argument(0, "learning_rate", "lr")
    if isinstance(rate, Call):
        rate = rate.argument(0, "initial_learning_rate", "initial_lr", "learning_rate")
    if not _is_number(rate):
        return None
    return float(rate)


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
    return tuple(_count(size) for size in shape)


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


def _is_number(value: object) -> TypeGuard[int | float]:
    # `True` is an int to Python.
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def _count(value: object) -> int | None:
    """The value where it is a whole number above 0, else None."""
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    return None


def _number_named(project: ProjectTrace, names: tuple[str, ...]) -> int | float | None:
    """The value of the first of the module's names that holds a number above 0; upper case does not matter."""
    by_name = {name.lower(): value for name, value in project.names.items()}
    for name in names:
        value = by_name.get(name)
        if _is_number(value):
            return value
    return None
