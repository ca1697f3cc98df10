"""What a PyTorch program states: network, loss, optimizer, schedule, data and training loop, Lightning's included."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.analysis.calls import ProjectTrace
from pipeline.analysis.torch_code.goals import library_loss, loss_of_network, metrics, own_loss, written_loss
from pipeline.analysis.torch_code.layers import as_layers, is_part, modules_of, modules_within, with_new_heads
from pipeline.analysis.torch_code.loops import (
    ends_early,
    epoch_loops,
    functions_in,
    functions_that_train,
    rounds,
    rounds_of,
    training_loops,
)
from pipeline.analysis.torch_code.trainers import transformers_trainer
from pipeline.analysis.trace import trace_everything
from pipeline.analysis.training.given import Unread, count_given, is_given, whole
from pipeline.analysis.values import Call, Instance, LayerUse, Loop, is_network
from pipeline.plan.vocabulary import canonical_optimizer
from pipeline.syntax import walk
from pipeline.torch.facts import is_optimizer, is_schedule, ready_made

DEFAULT_RATES = {"RMSprop": 0.01, "Adagrad": 0.01, "Adadelta": 1.0, "Adamax": 0.002, "NAdam": 0.002, "Adafactor": 0.01}
"""Learning rates of torch.optim where the code is silent; all others have OTHER_RATE."""
OTHER_RATE = 0.001

_SCHEDULES = {
    "StepLR": "step",
    "MultiStepLR": "step",
    "CosineAnnealingLR": "cosine",
    "CosineAnnealingWarmRestarts": "cosine",
    "ExponentialLR": "exponential",
    "ReduceLROnPlateau": "reduce_on_plateau",
    "OneCycleLR": "one_cycle",
    "PolynomialLR": "polynomial",
    "LinearLR": "polynomial",
}

_EPOCH_NAMES = re.compile(r"((n|num|nb|max|total|train|training)_?)*epochs?", re.I)
_BATCH_NAMES = re.compile(r"(train_?)?(batch_?size|bs)", re.I)
_RATE_NAMES = re.compile(r"(base_|init(ial)?_)?(learning_?rate|lr)", re.I)
_PATIENCE_NAMES = re.compile(r"(early_?stop(ping)?_?)?patience", re.I)

_TWO_NETWORKS = re.compile(r"gener|discr|critic|encod|decod|actor|student", re.I)
"""Networks that are trained together, as their names say."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TorchCode:
    """What the source states; "", () and None stand for what it does not say, or not in a way that can be read."""

    layers: tuple[LayerUse, ...] = ()
    """Of the network that is trained, in the order of `forward`; functions such as `F.relu` as the modules of the same
    effect. Of several networks that are trained together, one after the other."""
    modules: tuple[Call, ...] = ()
    """The same, as the calls that construct them."""
    optimizers: tuple[Call, ...] = ()
    """Those of the networks that count."""
    optimizer: str = ""
    """In the spelling of `plan.vocabulary`, the class where that does not know it."""
    learning_rate: float | None = None
    loss: str = ""
    """In the spelling of `plan.vocabulary`; a class or function that is not known there by its own name."""
    schedule: str = ""
    """As the constraint `schedule` has it: `step`, `cosine`, `one_cycle`, ..."""
    batch_size: int | None = None
    epochs: int | None = None
    epochs_line: int | None = None
    """Of the loop, or of the call that is given them."""
    metrics: tuple[str, ...] = ()
    mixed_precision: bool = False
    gradient_clipping: float | None = None
    early_stopping: int | None = None
    """The line of what ends the training early."""
    patience: int | None = None
    checkpoint: bool = False
    lightning: bool = False
    unread: Mapping[str, Unread] = field(default_factory=dict)
    """The settings, by their names here, that are given in a way that only running would tell."""
    defaults: frozenset[str] = frozenset()
    """The settings in which the code is silent and a library's default stands."""


def is_torch(trace: ProjectTrace) -> bool:
    """Whether a program is one of PyTorch: it builds one of its modules, or a network class of its own."""
    if trace.modules:
        return True
    return any(is_network(call.owner) for call in trace.calls)


def read_torch(tree: ast.Module) -> TorchCode | None:
    """What a program of PyTorch states; None for any other. Raises nothing, whatever the code."""
    called, aside = trace_everything(tree)
    if not is_torch(called) and not is_torch(aside):
        return None
    calls = [*called.calls, *aside.calls]
    names = called.names
    networks = _trained_networks(calls, names)
    optimizers = _optimizers(calls, networks)
    optimizer = optimizers[0] if optimizers else None
    loops = epoch_loops([*called.loops, *aside.loops], functions_that_train(functions_in(tree)))
    loops = _of_the_last(loops, optimizer)
    stopping = _early_stopping(calls, loops)
    modules: list[Call] = []
    for network in networks:
        modules += modules_of(tree, network)
    if not modules:
        modules = [call for call in calls if is_part(call)]
    modules = with_new_heads(modules, [*called.settings, *aside.settings])
    trainer = transformers_trainer(calls)
    all_loops = [*called.loops, *aside.loops]
    rate = _rate(optimizer, names) if trainer is None or optimizer is not None else trainer.learning_rate
    batch = _batch_size(calls) if trainer is None else trainer.batch_size
    if batch is None:
        batch = whole(_named(names, _BATCH_NAMES))
    epochs, epochs_line = _epochs(calls, loops, names)
    if trainer is not None:
        epochs, epochs_line = trainer.epochs, trainer.line
    elif epochs is None:
        epochs = whole(_named(names, _EPOCH_NAMES)) or rounds(training_loops(all_loops, functions_in(tree)))
    numbers = {"learning_rate": rate, "batch_size": batch, "epochs": epochs}
    defaults = trainer.defaults if trainer is not None else _defaults(optimizer)
    library = own_loss(tree) or library_loss(calls) or written_loss(tree)
    return TorchCode(
        layers=as_layers(modules, called),
        modules=tuple(modules),
        optimizers=tuple(optimizers),
        optimizer=_optimizer_name(optimizer) or (trainer.optimizer if trainer is not None else ""),
        learning_rate=None if isinstance(rate, Unread) else rate,
        loss=library or next(filter(None, (loss_of_network(ready_made(module.path)) for module in modules)), ""),
        schedule=next((_SCHEDULES.get(call.name, "") for call in calls if is_schedule(call.path)), ""),
        batch_size=whole(batch),
        epochs=whole(epochs),
        epochs_line=epochs_line,
        metrics=tuple(dict.fromkeys(metrics(tree, calls))),
        mixed_precision=any(call.name in ("autocast", "GradScaler") for call in calls),
        gradient_clipping=_clipping(calls),
        early_stopping=stopping,
        patience=_patience(calls, names) if stopping is not None else None,
        checkpoint=any(call.path == "torch.save" or call.name == "ModelCheckpoint" for call in calls),
        lightning=any(call.name == "Trainer" and "lightning" in call.path for call in calls),
        unread={name: value for name, value in numbers.items() if isinstance(value, Unread)},
        defaults=defaults,
    )


def _defaults(optimizer: Call | None) -> frozenset[str]:
    """That the rate is one, where the optimizer is given none."""
    if optimizer is None or is_given(optimizer, 1, "lr"):
        return frozenset()
    return frozenset({"learning_rate"})


def _trained_networks(calls: Sequence[Call], names: dict[str, object]) -> list[object]:
    """The networks whose parameters an optimizer has; of several that are no parts of one, the last. Without an
    optimizer, the last network that was called or built."""
    networks: list[object] = []
    for call in calls:
        if is_optimizer(call.path):
            networks += _owners_of_parameters([*call.args, *call.keywords.values()])
    if not networks:
        networks = [
            call.owner for call in calls if call.name in ("parameters", "state_dict") and is_network(call.owner)
        ]
    if not networks:
        networks = [call.owner for call in calls if is_network(call.owner) and len(modules_within(call.owner)) > 1]
        networks = networks[-1:]
    # In the order in which the program builds them: a GAN's generator stands before its discriminator.
    built = [id(value) for value in names.values()]
    different = list({id(network): network for network in networks}.values())
    different.sort(key=lambda network: built.index(id(network)) if id(network) in built else len(built))
    if len(different) > 1 and not any(_TWO_NETWORKS.search(_name(network, names)) for network in different):
        return different[-1:]
    return different


def _owners_of_parameters(values: Iterable[object]) -> Iterator[object]:
    """The networks of all `network.parameters()` within the values: in lists of groups, in `filter` and `chain`."""
    for value in values:
        if isinstance(value, Call) and value.name in ("parameters", "named_parameters") and is_network(value.owner):
            yield value.owner
        elif isinstance(value, Call):
            yield from _owners_of_parameters([*value.args, *value.keywords.values()])
        elif isinstance(value, list | tuple):
            yield from _owners_of_parameters(value)
        elif isinstance(value, dict):
            yield from _owners_of_parameters(value.values())


def _name(network: object, names: dict[str, object]) -> str:
    """Of its class, or of the module's variable that holds it."""
    if isinstance(network, Instance):
        return network.cls.name
    return next((name for name, value in names.items() if value is network), "")


def _optimizers(calls: Sequence[Call], networks: Sequence[object]) -> list[Call]:
    """The optimizers of these networks, or else all; a network that is trained in two steps has two."""
    all_optimizers = [call for call in calls if is_optimizer(call.path)]
    theirs: list[Call] = []
    for call in all_optimizers:
        owners = _owners_of_parameters([*call.args, *call.keywords.values()])
        if any(owner is network for owner in owners for network in networks):
            theirs.append(call)
    return theirs or all_optimizers


def _of_the_last(loops: list[Loop], optimizer: Call | None) -> list[Loop]:
    """Without the loops at the top of the module that come before the optimizer: they trained another network."""
    if optimizer is None or optimizer.line is None:
        return loops
    after: list[Loop] = []
    for loop in loops:
        if loop.node.col_offset > 0 or loop.node.lineno > optimizer.line:
            after.append(loop)
    return after or loops


def _optimizer_name(optimizer: Call | None) -> str:
    if optimizer is None:
        return ""
    return canonical_optimizer(optimizer.name) or optimizer.name


def _rate(optimizer: Call | None, names: dict[str, object]) -> float | Unread | None:
    if optimizer is None:
        return None
    rate = optimizer.argument(1, "lr")
    if isinstance(rate, int | float) and rate > 0:
        return float(rate)
    if is_given(optimizer, 1, "lr"):
        named = _named(names, _RATE_NAMES)
        unread = Unread("lr is given, but only running would tell its value", optimizer.line)
        return float(named) if named else unread
    return DEFAULT_RATES.get(optimizer.name, OTHER_RATE)


def _batch_size(calls: Sequence[Call]) -> int | Unread | None:
    """Of the loader that shuffles, as that of the training does; else of the first."""
    loaders = [call for call in calls if call.name == "DataLoader"]
    shuffled = [call for call in loaders if call.keywords.get("shuffle") is True or "sampler" in call.keywords]
    unread: int | Unread | None = None
    for call in [*shuffled, *loaders]:
        size = count_given(call, 1, "batch_size")
        if isinstance(size, int):
            return size
        unread = unread or size
    return unread


def _epochs(
    calls: Sequence[Call], loops: Sequence[Loop], names: dict[str, object]
) -> tuple[int | Unread | None, int | None]:
    """How many, of the longest loop, and the line that says so. Of `range(EPOCHS + FINE_TUNING_EPOCHS)` the former."""
    for call in calls:
        if call.name in ("Trainer", "fit") and (epochs := whole(call.argument(-1, "max_epochs", "epochs"))):
            return epochs, call.line
    if not loops:
        return None, None
    longest = max(loops, key=lambda loop: rounds_of(loop) or 0)
    for node in walk(longest.node.iter):
        if isinstance(node, ast.Name) and _EPOCH_NAMES.fullmatch(node.id) and (stated := whole(names.get(node.id))):
            return stated, longest.node.lineno
    return rounds_of(longest), longest.node.lineno


def _clipping(calls: Sequence[Call]) -> float | None:
    for call in calls:
        bound: object = None
        if call.name in ("clip_grad_norm_", "clip_grad_value_"):
            bound = call.argument(1, "max_norm", "clip_value")
        elif call.name == "Trainer":
            bound = call.keywords.get("gradient_clip_val")
        if isinstance(bound, int | float):
            return float(bound)
    return None


def _early_stopping(calls: Sequence[Call], loops: Sequence[Loop]) -> int | None:
    """The line of a class or callback of that name, or of the `break` out of the loop over epochs."""
    for call in calls:
        if re.fullmatch(r"\w*Early_?Stop\w*", call.name, re.I) and call.line is not None:
            return call.line
    for loop in loops:
        if (line := ends_early(loop.node)) is not None:
            return line
    return None


def _patience(calls: Sequence[Call], names: dict[str, object]) -> int | None:
    for call in calls:
        if re.fullmatch(r"\w*Early_?Stop\w*", call.name, re.I):
            stated = whole(call.argument(-1, "patience"))
            if stated is not None:
                return stated
    return whole(_named(names, _PATIENCE_NAMES))


def _named(names: dict[str, object], pattern: re.Pattern[str]) -> int | float | None:
    """The first number above 0 that a name of the module holds."""
    for name, value in names.items():
        if pattern.fullmatch(name) and isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            return value
    return None
