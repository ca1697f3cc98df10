"""Batch size, epochs and learning rate of a Keras program's training: what it is given, given in a way that cannot be
read, or not given at all.

A number that merely stands somewhere in the program (a constant of that name, another data set's batches) is a guess,
and is made only where the training itself shows nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pipeline.analysis.calls import ProjectTrace
from pipeline.analysis.torch_code.loops import rounds, training_loops
from pipeline.analysis.training.batches import READERS, batches_of, is_data_set, looped_over
from pipeline.analysis.training.given import Unread, count_given, is_given, whole
from pipeline.analysis.training.graphs import estimator_of, is_graph
from pipeline.analysis.values import Call, Function, Unknown

_BATCH_SIZE_NAMES = ("batch_size", "batchsize", "batch", "bs")
_EPOCHS_NAMES = ("epochs", "num_epochs", "n_epochs", "max_epochs", "epoch", "training_epochs", "nb_epoch")
_LEARNING_RATE_NAMES = ("learning_rate", "lr", "init_lr", "initial_lr")
_RATES = ("learning_rate", "lr", "init_lr")
_FITS = ("fit", "fit_generator")


_OTHERS = frozenset({"catboost", "imblearn", "lightgbm", "sklearn", "statsmodels", "xgboost"})
_PREPARE = frozenset({"ImageDataGenerator", "Tokenizer"})


def fits_network(call: Call) -> bool:
    """Whether the call is a `fit` that may be a network's: not that of scikit-learn's models and scalers."""
    if call.name not in _FITS:
        return False
    owner = call.owner
    return not isinstance(owner, Call) or (owner.path.partition(".")[0] not in _OTHERS and owner.name not in _PREPARE)


@dataclass(frozen=True, slots=True)
class Stated:
    """A setting as the program has it."""

    value: int | float | None = None
    unread: Unread | None = None
    """Why it cannot be read, where it is given."""
    guessed: bool = False
    """Whether the value is one that stands in the program, not what the training is seen to be given."""


def batch_size(project: ProjectTrace) -> Stated:
    """Of what `fit` is given, else of the data set that it or a loop goes through, else guessed."""
    fits = [call for call in project.calls if fits_network(call)]
    unread: Unread | None = None
    for fit in fits:
        found = _batch_size_of(fit)
        if isinstance(found, int):
            return Stated(found)
        unread = unread or found
    if unread is not None:
        return Stated(unread=unread)
    for call in project.calls:
        if not fits and call.name in ("train", "TrainSpec") and (found := batches_of(call.argument(0, "input_fn"))):
            return Stated(found) if isinstance(found, int) else Stated(unread=found)
    loops = training_loops(project.loops, project.functions)
    if not fits and (looped := looped_over(loops)) is not None:
        return Stated(looped) if isinstance(looped, int) else Stated(unread=looped)
    if fits and all(_has_arrays(fit) for fit in fits):
        return Stated()
    guess = _guessed_batch_size(project)
    if guess is not None:
        return Stated(guess, guessed=True)
    if fits or loops:
        line = fits[0].line if fits else loops[0].node.lineno
        return Stated(unread=Unread("the data set that is trained on is not known, nor its batches", line))
    return Stated()


def _batch_size_of(fit: Call) -> int | Unread | None:
    if fit.name == "fit" and (stated := count_given(fit, 2, "batch_size")) is not None:
        return stated
    return batches_of(fit.argument(0, "x", "generator"))


def _has_arrays(fit: Call) -> bool:
    """Whether `fit` is given inputs and targets, which Keras cuts into batches of its own default."""
    return fit.name == "fit" and is_given(fit, 1, "y") and not is_data_set(fit.argument(0, "x"))


def _guessed_batch_size(project: ProjectTrace) -> int | None:
    """What the program's one size seems to be: a constant's, if a data set has it too, else the first data set's."""
    named = whole(_number_named(project, _BATCH_SIZE_NAMES))
    sizes = [size for size in map(whole, _batch_sizes(project.calls)) if size is not None]
    if named is not None and (not sizes or named in sizes):
        return named
    return sizes[0] if sizes else named


def _batch_sizes(calls: list[Call]) -> Iterator[object]:
    """Data pipelines first, then whatever else but evaluation is given a batch size."""
    for call in calls:
        if call.name == "batch":
            yield call.argument(0, "batch_size")
    for call in calls:
        if call.name in READERS:
            yield batches_of(call)
    for call in calls:
        if not call.name.startswith(("evaluate", "predict")):
            yield call.keywords.get("batch_size")


def epochs(project: ProjectTrace) -> Stated:
    """Of what `fit` is given, else the rounds of a loop around the gradients, else guessed."""
    fits = [call for call in project.calls if fits_network(call)]
    unread: Unread | None = None
    for fit in fits:
        # `fit_generator` of Keras 2 has no batch size among its arguments.
        found = count_given(fit, 3 if fit.name == "fit" else 2, "epochs", "nb_epoch")
        if isinstance(found, int):
            return Stated(found)
        unread = unread or found
    if unread is not None:
        return Stated(unread=unread)
    if fits:
        return Stated()
    looped = rounds(training_loops(project.loops, project.functions))
    if isinstance(looped, int):
        return Stated(looped)
    for call in project.calls:
        if call.name not in READERS and (count := whole(call.argument(-1, "epochs", "num_train_epochs"))) is not None:
            return Stated(count, guessed=True)
    if (named := whole(_number_named(project, _EPOCHS_NAMES))) is not None:
        return Stated(named, guessed=True)
    if looped is None and (estimator_of(project.calls) or is_graph(project.calls)):
        looped = Unread("the training is counted in steps, not in epochs")
    return Stated(unread=looped)


def learning_rate(optimizer: object, project: ProjectTrace) -> Stated:
    """The optimizer's rate; of a schedule, the rate it starts from."""
    if not isinstance(optimizer, Call):
        return Stated() if isinstance(optimizer, str) else _named_rate(project)
    if not is_given(optimizer, 0, *_RATES):
        return Stated()
    rate = optimizer.argument(0, *_RATES)
    if isinstance(rate, Call):
        rate = _first_rate(rate)
    if isinstance(rate, int | float) and not isinstance(rate, bool) and rate > 0:
        return Stated(float(rate))
    named = _named_rate(project)
    if named.value is not None and not isinstance(rate, Function):
        return named
    return Stated(unread=Unread("learning_rate is given, but only running would tell its value", optimizer.line))


def _first_rate(schedule: Call) -> object:
    if schedule.name in ("PiecewiseConstantDecay", "piecewise_constant"):
        values = schedule.argument(1 if schedule.name.startswith("P") else 2, "values")
        return values[0] if isinstance(values, list | tuple) and values else Unknown.ANY
    return schedule.argument(0, "initial_learning_rate", "initial_lr", "learning_rate")


def _named_rate(project: ProjectTrace) -> Stated:
    named = _number_named(project, _LEARNING_RATE_NAMES)
    return Stated() if named is None else Stated(float(named), guessed=True)


def _number_named(project: ProjectTrace, names: Iterable[str]) -> int | float | None:
    """The value of the first of the module's names that holds a number above 0; upper case does not matter."""
    by_name = {name.lower(): value for name, value in project.names.items()}
    for name in names:
        value = by_name.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            return value
    return None
