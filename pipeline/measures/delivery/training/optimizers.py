"""The optimizer, its numbers, and the schedule of its learning rate."""

from __future__ import annotations

import re

from pipeline.analysis.keras_names import is_optimizer
from pipeline.analysis.values import Call, Reference, Unknown
from pipeline.measures.delivery.code import Check, Code
from pipeline.measures.delivery.findings import (
    Finding,
    Found,
    amount,
    is_known,
    listed,
    met,
    missing,
    one_of,
    unknown,
)
from pipeline.request.constraints import Constraint

_OPTIMIZERS = re.compile(r"torch\.optim\.(?!lr_scheduler)|optax\.|torch_optimizer\.")

_OPTIMIZER_NAMES = frozenset(
    "adam adamw sgd rmsprop adagrad adadelta adamax nadam lamb lion ftrl adafactor radam lbfgs".split()
)

_DEFAULT_RATES = {"sgd": 0.01, "rmsprop": 0.001, "adadelta": 0.001}

_TORCH_DEFAULTS = {"rmsprop": 0.01, "adagrad": 0.01, "adadelta": 1.0, "adamax": 0.002, "nadam": 0.002}

_SCHEDULES = {
    "cosine": "CosineDecay|CosineDecayRestarts|CosineAnnealing\\w*|cosine_\\w+|get_cosine_\\w+",
    "step": "StepLR|MultiStepLR|PiecewiseConstantDecay|piecewise_constant_schedule",
    "exponential": "ExponentialDecay|ExponentialLR|exponential_decay",
    "reduce_on_plateau": "ReduceLROnPlateau|reduce_on_plateau",
    "warmup": "\\w*[wW]arm_?[uU]p\\w*",
    "one_cycle": "OneCycle\\w*|\\w*one_?cycle\\w*|cosine_onecycle_schedule",
    "polynomial": "PolynomialDecay|PolynomialLR|polynomial_schedule|linear_schedule|LinearLR",
}

_ANY_SCHEDULE = "|".join(_SCHEDULES.values()) + "|InverseTimeDecay|LambdaLR|LearningRateScheduler"


def optimizers(code: Code) -> list[Found]:
    """The optimizers in use, by name in lower case; the value's line is that of the call."""
    found: list[Found] = []
    foreign = _of_other_networks(code)
    for call in code.calls:
        if id(call) in foreign:
            continue
        if is_optimizer(call.path) or _OPTIMIZERS.match(call.path):
            name = call.name.lower()
            if name in _OPTIMIZER_NAMES or is_optimizer(call.path):
                found.append(Found(name, call.line))
        elif call.name == "compile":
            stated = call.argument(0, "optimizer")
            if isinstance(stated, str):
                found.append(Found(stated.lower(), call.line))
            elif isinstance(stated, Reference) and not call.path.startswith("re."):
                found.append(Found(stated.name.lower(), call.line))
            elif "optimizer" not in call.keywords and not call.args and "loss" in call.keywords:
                found.append(Found("rmsprop", call.line))  # Keras' own default
    return found


def _optimizer(constraint: Constraint, code: Code) -> Finding:
    return one_of(optimizers(code), constraint.value, missing("no optimizer found"))


def _optimizer_calls(code: Code) -> list[Call]:
    foreign = _of_other_networks(code)
    calls = [call for call in code.calls if is_optimizer(call.path) or _OPTIMIZERS.match(call.path)]
    return [call for call in calls if id(call) not in foreign]


def _of_other_networks(code: Code) -> frozenset[int]:
    """Ids of the calls of PyTorch's optimizers that train another network than the main one."""
    if code.torch is None or not code.torch.optimizers:
        return frozenset()
    own = {id(call) for call in code.torch.optimizers}
    return frozenset(id(call) for call in code.calls if call.path.startswith("torch.optim.") and id(call) not in own)


def _learning_rate(constraint: Constraint, code: Code) -> Finding:
    """Of the optimizers; of a schedule, the rates that it is given; their defaults where nothing is said."""
    found: list[Found] = []
    for call in _optimizer_calls(code):
        torch = call.path.startswith("torch")
        rate = call.argument(1 if torch else 0, "learning_rate", "lr")
        given = len(call.args) > (1 if torch else 0) or {"learning_rate", "lr"} & call.keywords.keys()
        if isinstance(rate, Call):
            numbers = [value for value in (*rate.args, *rate.keywords.values()) if isinstance(value, float)]
            found += [Found(value, call.line) for value in numbers] or [Found(Unknown.ANY, call.line)]
        elif given:
            found.append(Found(rate, call.line))
        elif not call.path.startswith("optax"):
            name = call.name.lower()
            default = _TORCH_DEFAULTS.get(name, 0.001) if torch else _DEFAULT_RATES.get(name, 0.001)
            found.append(Found(default, call.line))
    if not found:
        found = [Found(_DEFAULT_RATES.get(str(item.value), 0.001), item.line) for item in optimizers(code)]
    if not any(is_known(item.value) for item in found):
        found += code.values("(base_|initial_|init_)?(learning_rate|lr)")
    return one_of(found, constraint.value, missing("no optimizer found"))


def _of_optimizer(*names: str) -> Check:
    """A keyword of the optimizer; `true` stands for any value."""

    def find(constraint: Constraint, code: Code) -> Finding:
        calls = _optimizer_calls(code)
        found = [Found(call.keywords[name], call.line) for call in calls for name in names if name in call.keywords]
        found = [item for item in found if item.value not in (None, 0, 0.0)]
        if constraint.value == "true":
            return met(found[0].line) if found else missing("not set")
        return one_of(found, constraint.value, missing("not set", calls[0].line if calls else None))

    return find


def _weight_decay(constraint: Constraint, code: Code) -> Finding:
    finding = _of_optimizer("weight_decay")(constraint, code)
    decoupled = [item for item in optimizers(code) if item.value == "adamw"]
    if finding.outcome == "not_met" and constraint.value == "true" and decoupled:
        return met(decoupled[0].line, "AdamW's default")
    return finding


def _clipping(constraint: Constraint, code: Code) -> Finding:
    names = ("clipnorm", "clipvalue", "global_clipnorm", "gradient_clip_val")
    found = [Found(call.keywords[name], call.line) for call in code.calls for name in names if name in call.keywords]
    for call in code.calls_named("clip_grad_(norm|value)_|clip_by_(global_)?(norm|value)|clip"):
        if "numpy" not in call.path and not (call.owner is not None and call.path == "clip"):
            found.append(Found(call.argument(1, "max_norm", "clip_value", "clip_norm", "max_delta"), call.line))
            if call.args:
                found.append(Found(call.args[0], call.line))
    return amount(found, constraint.value, "no clipping")


def _schedule(constraint: Constraint, code: Code) -> Finding:
    pattern = _SCHEDULES.get(constraint.value, re.escape(constraint.value))
    calls = code.calls_named(pattern)
    if calls:
        return met(calls[0].line)
    words = {"reduce_on_plateau": "plateau"}.get(constraint.value, constraint.value)
    line = code.word(rf"{words}\w*(schedule|decay|lr|rate|steps|epochs)|(schedule|lr)_\w*{words}")
    if line is not None:
        return met(line)
    others = code.calls_named(_ANY_SCHEDULE)
    own = [call for call in others if call.name in ("LearningRateScheduler", "LambdaLR")]
    if own:
        return unknown(f"a function of the project sets the rate (line {own[0].line})")
    if others:
        return missing(listed([Found(call.name, call.line) for call in others]), others[0].line)
    return missing("a constant learning rate")


CHECKS: dict[str, Check] = {
    "optimizer": _optimizer,
    "learning_rate": _learning_rate,
    "momentum": _of_optimizer("momentum"),
    "weight_decay": _weight_decay,
    "gradient_clipping": _clipping,
    "schedule": _schedule,
}
