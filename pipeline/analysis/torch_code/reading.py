"""What a PyTorch program states: network, loss, optimizer, schedule, data and training loop, Lightning's included."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pipeline.analysis.calls import ProjectTrace
from pipeline.analysis.torch_code.layers import built_uses, layers_of, modules_within
from pipeline.analysis.torch_code.loops import ends_early, epoch_loops, functions_that_train, rounds_of
from pipeline.analysis.trace import trace_everything
from pipeline.analysis.values import Call, Instance, LayerUse, Loop, Unknown, is_network
from pipeline.plan.vocabulary import canonical_metric, canonical_optimizer
from pipeline.torch.facts import is_loss, is_module, is_optimizer, is_schedule

DEFAULT_RATES = {"RMSprop": 0.01, "Adagrad": 0.01, "Adadelta": 1.0, "Adamax": 0.002, "NAdam": 0.002, "Adafactor": 0.01}
"""Learning rates of torch.optim where the code is silent; all others have OTHER_RATE."""
OTHER_RATE = 0.001

_LOSSES = {
    "binary_crossentropy": "BCELoss|BCEWithLogitsLoss|binary_cross_entropy\\w*|MultiLabelSoftMarginLoss",
    "categorical_crossentropy": "CrossEntropyLoss|NLLLoss|nll_loss|cross_entropy",
    "mean_squared_error": "MSELoss|mse_loss",
    "mean_absolute_error": "L1Loss|l1_loss",
    "huber": "SmoothL1Loss|smooth_l1_loss|HuberLoss|huber_loss",
    "kl_divergence": "KLDivLoss|kl_div",
    "ctc": "CTCLoss|ctc_loss",
    "poisson": "PoissonNLLLoss|poisson_nll_loss",
    "hinge": "HingeEmbeddingLoss|hinge_embedding_loss|MultiMarginLoss|multi_margin_loss",
    "cosine_similarity": "CosineEmbeddingLoss|cosine_embedding_loss",
    "triplet": "TripletMargin\\w*Loss|triplet_margin_\\w*",
}
_LOSS_PATTERNS = tuple((re.compile(pattern), name) for name, pattern in _LOSSES.items())

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
    optimizer: str = ""
    """In the spelling of `plan.vocabulary`, the class where that does not know it."""
    learning_rate: float | None = None
    loss: str = ""
    """In the spelling of `plan.vocabulary`; a class or function that is not known there by its own name."""
    schedule: str = ""
    """As the constraint `schedule` has it: `step`, `cosine`, `one_cycle`, ..."""
    batch_size: int | None = None
    epochs: int | None = None
    metrics: tuple[str, ...] = ()
    mixed_precision: bool = False
    gradient_clipping: float | None = None
    early_stopping: int | None = None
    """The line of what ends the training early."""
    patience: int | None = None
    checkpoint: bool = False
    lightning: bool = False


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
    optimizer = _main_optimizer(calls)
    loops = epoch_loops([*called.loops, *aside.loops], functions_that_train(tree))
    stopping = _early_stopping(calls, loops)
    return TorchCode(
        layers=tuple(_layers(tree, calls, called)),
        optimizer=_optimizer_name(optimizer),
        learning_rate=_rate(optimizer, names),
        loss=_loss(calls),
        schedule=next((_SCHEDULES.get(call.name, "") for call in calls if is_schedule(call.path)), ""),
        batch_size=_batch_size(calls) or _whole(_named(names, _BATCH_NAMES)),
        epochs=_epochs(calls, loops) or _whole(_named(names, _EPOCH_NAMES)),
        metrics=tuple(dict.fromkeys(_metrics(tree))),
        mixed_precision=any(call.name in ("autocast", "GradScaler") for call in calls),
        gradient_clipping=_clipping(calls),
        early_stopping=stopping,
        patience=_patience(calls, names) if stopping is not None else None,
        checkpoint=any(call.path == "torch.save" or call.name == "ModelCheckpoint" for call in calls),
        lightning=any(call.name == "Trainer" and "lightning" in call.path for call in calls),
    )


def _layers(tree: ast.Module, calls: Sequence[Call], constructed: ProjectTrace) -> Iterator[LayerUse]:
    networks = _trained_networks(calls)
    if not networks:
        modules = [call for call in calls if is_module(call.path)]
        yield from built_uses(modules, constructed)
    for network in networks:
        yield from layers_of(tree, network, constructed)


def _trained_networks(calls: Sequence[Call]) -> list[object]:
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
    different = list({id(network): network for network in networks}.values())
    if len(different) > 1 and not any(_TWO_NETWORKS.search(_name(network)) for network in different):
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


def _name(network: object) -> str:
    return network.cls.name if isinstance(network, Instance) else ""


def _main_optimizer(calls: Sequence[Call]) -> Call | None:
    """The last optimizer, as of the network that is trained last; of networks trained together, the first."""
    optimizers = [call for call in calls if is_optimizer(call.path)]
    if len(_trained_networks(calls)) > 1:
        return optimizers[0]
    return optimizers[-1] if optimizers else None


def _optimizer_name(optimizer: Call | None) -> str:
    if optimizer is None:
        return ""
    return canonical_optimizer(optimizer.name) or optimizer.name


def _rate(optimizer: Call | None, names: dict[str, object]) -> float | None:
    if optimizer is None:
        return None
    rate = optimizer.argument(1, "lr")
    if isinstance(rate, int | float) and rate > 0:
        return float(rate)
    if "lr" in optimizer.keywords or len(optimizer.args) > 1:
        named = _named(names, _RATE_NAMES)
        return float(named) if named else None
    return DEFAULT_RATES.get(optimizer.name, OTHER_RATE)


def loss_name(name: str) -> str:
    """A loss of PyTorch in the spelling of `plan.vocabulary`; its own name where that has none."""
    for pattern, known in _LOSS_PATTERNS:
        if pattern.fullmatch(name):
            return known
    return name


def _loss(calls: Sequence[Call]) -> str:
    """The first loss that is computed, or else constructed."""
    for call in calls:
        if call.name == "__call__" and isinstance(call.owner, Call) and is_loss(call.owner.path):
            return loss_name(call.owner.name)
    for call in calls:
        if is_loss(call.path):
            return loss_name(call.name)
    return ""


def _batch_size(calls: Sequence[Call]) -> int | None:
    """Of the loader that shuffles, as that of the training does; else of the first."""
    loaders = [call for call in calls if call.name == "DataLoader"]
    shuffled = [call for call in loaders if call.keywords.get("shuffle") is True or "sampler" in call.keywords]
    for call in [*shuffled, *loaders]:
        if (size := _whole(call.argument(1, "batch_size"))) is not None:
            return size
    return None


def _epochs(calls: Sequence[Call], loops: Sequence[Loop]) -> int | None:
    for call in calls:
        if call.name in ("Trainer", "fit") and (epochs := _whole(call.argument(-1, "max_epochs", "epochs"))):
            return epochs
    return max((rounds_of(loop) or 0 for loop in loops), default=0) or None


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
            stated = _whole(call.argument(-1, "patience"))
            if stated is not None:
                return stated
    return _whole(_named(names, _PATIENCE_NAMES))


def _metrics(tree: ast.Module) -> Iterator[str]:
    """Those imported from scikit-learn and torchmetrics, then what the program calls by a metric's name."""
    nodes = list(ast.walk(tree))
    words: list[str] = []
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(("sklearn.metrics", "torchmetrics")):
            words += [alias.name for alias in node.names]
    for node in nodes:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and "loss" not in node.id:
            words.append(node.id)
    for word in words:
        if name := canonical_metric(word):
            yield name


def _named(names: dict[str, object], pattern: re.Pattern[str]) -> int | float | None:
    """The first number above 0 that a name of the module holds."""
    for name, value in names.items():
        if pattern.fullmatch(name) and isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            return value
    return None


def _whole(value: object) -> int | None:
    if value is Unknown.ANY or not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        return None
    return value
