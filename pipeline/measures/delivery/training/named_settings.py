"""Settings of one kind of model, looked up by the names that code gives them: margins, discounts, mel bands, patches."""

from __future__ import annotations

import re
from dataclasses import replace

from pipeline.measures.delivery.code import Check, Code
from pipeline.measures.delivery.findings import (
    Finding,
    Found,
    amount,
    equal,
    is_known,
    listed,
    met,
    missing,
    numbers_in,
    one_of,
    shown,
)
from pipeline.request.constraints import Constraint

_NAMES = {
    # Of spectrograms.
    "mel_bands": r"(n|num)_mels?(_bands|_bins)?|mels?|(num_)?(mel_)?bands|mel_(bins|filters|channels)|num_mel_bins",
    "mfccs": r"((n|num)_)?mfccs?|(num_)?coefficients|(num_)?mfcc_coefficients",
    "fft_size": r"n_?fft|fft_(length|size)|spectrum_length",
    "hop_length": r"hop(_length|_size)?|frame_step",
    # Of parts of the text that have a length of their own.
    "answer_length": r"(longest_|max_)?answer(_len(gth)?|_tokens)?",
    "question_length": r"(longest_|max_)?question(_len(gth)?|_tokens)?",
    "summary_length": r"(longest_|max_)?summary(_len(gth)?|_tokens)?|target_length",
    # Of networks.
    "patch_size": r"patch(_size|_length|_len)?",
    "feed_forward": r"feed_?forward(_units|_dim|_size)?|d?_?ff(_?dim|_units)?|ffn?(_?dim|_units)?|dim_feedforward|mlp_dim",
    # Of losses and optimizers.
    "beta_1": r"beta_?1|adam_beta_?1",
    "margin": r"\w*margin",
    "focal_gamma": r"(focal_)?gamma",
    "focal_alpha": r"(focal_)?alpha",
    "huber_delta": r"(huber_)?(delta|beta)",
    "kl_weight": r"kl_?(weight|factor|coefficient|loss_weight|scale)?|beta",
    "gradient_penalty": r"(gradient_)?penalty(_weight)?|gp_?(weight|lambda)?|lambda_?(gp)?",
    "critic_steps": r"(n_)?critic(_steps|_iterations|_iters|_updates)?|(d|discriminator)(_extra)?_steps",
    "teacher_weight": r"teacher_(weight|share)|alpha|distill\w*_weight",
    "distillation_temperature": r"(distill\w*_)?temperature|temp",
    "ema": r"(ema|averag\w*)_?(decay|momentum|rate)|ema",
    # Of diffusion and reinforcement learning.
    "diffusion_steps": r"((num|n|max|diffusion|noise|train)_)*(time_?)?steps|num_train_timesteps",
    "gamma": r"gamma|discount(_factor|_rate)?",
    "replay_memory": r"(replay_)?(memory|buffer)(_size|_capacity|_length)?|capacity|maxlen",
    "target_update": r"(update_)?target_(net\w*_)?(every|update\w*|sync\w*|steps)|target_update_freq\w*|sync_every",
    "episodes": r"((num|n|max|train|training)_)*episodes",
    # Of the training.
    "plateau_patience": r"(plateau|lr|rate|schedule\w*)_patience",
    "warmup_steps": r"(num_|n_)?warm_?up(_steps|_iterations|_iters)?",
    "warmup_epochs": r"(num_|n_)?warm_?up(_epochs)?",
    "warmup_share": r"warm_?up(_share|_ratio|_proportion|_fraction)?|pct_start",
    "gradient_accumulation": r"(gradient_|grad_)?accum\w*(_steps|_batches)?|gradient_accumulation_steps",
    "frozen_epochs": r"(frozen|freeze|head|initial|feature_extraction|warm_?up|top)_epochs|epochs_(frozen|head)",
    "life_cap": r"(max|longest|cap|early)_?(life|rul)|(life|rul)_(cap|limit)|clip_?rul",
    "window_step": r"(window_|sequence_)?(step|stride|hop)(_size)?",
    "trials": r"((n|num|max)_)?trials|max_evals",
}
"""By a constraint's name, the names of constants, keywords and parameters that hold it, in snake case."""

_LISTS = {
    "quantiles": r"(quantiles?|percentiles|taus?)(_levels)?",
    "loss_weights": r"loss_?weights?|weights",
    "dilations": r"dilations?|dilation_rates?",
}

_NOTHING = {
    "window_step": "no step between windows set",
    "gradient_accumulation": "the weights change with every batch",
    "warmup_steps": "no warm-up of that kind",
    "warmup_epochs": "no warm-up of that kind",
    "warmup_share": "no warm-up of that kind",
    "target_update": "no such rhythm set",
}
"""What stands in the code where a setting is missing, where "not set" would say too little."""


def _number(name: str) -> Check:
    def find(constraint: Constraint, code: Code) -> Finding:
        values = [item for item in code.values(_NAMES[name]) if not isinstance(item.value, bool)]
        return amount(values, constraint.value, _NOTHING.get(name, "not set"))

    return find


def _list(name: str) -> Check:
    """Several numbers in order, in one constant; or each in a constant of its own."""

    def find(constraint: Constraint, code: Code) -> Finding:
        wanted = numbers_in(constraint.value)
        values = code.values(_LISTS[name])
        for item in values:
            parts = item.value if isinstance(item.value, list | tuple) else ()
            if len(parts) == len(wanted) and all(map(equal, parts, map(repr, wanted))):
                return met(item.line)
        lists = [item for item in values if isinstance(item.value, list | tuple)]
        return missing(shown(lists[0].value), lists[0].line) if lists else missing("not set")

    return find


def _dilations(constraint: Constraint, code: Code) -> Finding:
    """A list in a constant, or what the layers have one after the other, each once."""
    finding = _list("dilations")(constraint, code)
    in_order: list[Found] = []
    for layer in code.layers:
        for keyword in ("dilation_rate", "dilation"):
            value = layer.call.keywords.get(keyword)
            if is_known(value) and all(value != item.value for item in in_order):
                in_order.append(Found(value, layer.line))
    if finding.outcome == "met" or not in_order:
        return finding
    wanted = numbers_in(constraint.value)
    if len(in_order) == len(wanted) and all(
        equal(item.value, repr(one)) for item, one in zip(in_order, wanted, strict=True)
    ):
        return met(in_order[0].line)
    return missing(listed(in_order), in_order[0].line)


def _beta_1(constraint: Constraint, code: Code) -> Finding:
    """Keras' `beta_1`, the first of PyTorch's `betas`; 0.9 where an Adam is given neither."""
    values = code.values(_NAMES["beta_1"])
    for item in code.values("betas"):
        if isinstance(item.value, list | tuple) and item.value:
            values.append(replace(item, value=item.value[0]))
    adams = code.calls_named("(n|r)?adam\\w*|N?Adam\\w*") if not values else []
    values += [Found(0.9, call.line) for call in adams]
    return one_of(values, constraint.value, missing("not set"))


def _plateau_patience(constraint: Constraint, code: Code) -> Finding:
    calls = code.calls_named("ReduceLROnPlateau")
    values = [Found(call.keywords.get("patience", 10), call.line) for call in calls]
    return one_of(values or code.values(_NAMES["plateau_patience"]), constraint.value, missing("no such schedule"))


def _noise_level(constraint: Constraint, code: Code) -> Finding:
    values = code.values(r"(\w+_)?noise(_level|_factor|_std|_stddev|_sigma|_strength)?|sigma|std_?dev")
    for call in code.calls_named("GaussianNoise"):
        values.append(Found(call.argument(0, "stddev"), call.line))
    return amount([item for item in values if is_known(item.value)], constraint.value, "no noise of a set strength")


def _epsilon(constraint: Constraint, code: Code) -> Finding:
    """The first and the last share of random moves, each in a constant."""
    values = code.values(r"\w*eps(ilon)?\w*")
    for wanted in constraint.value.split(","):
        finding = one_of(values, wanted, missing("not set"))
        if finding.outcome != "met":
            return finding
    return finding


def _frozen_epochs(constraint: Constraint, code: Code) -> Finding:
    """A constant of such a name, or the epochs of a training that another one follows."""
    values = code.values(_NAMES["frozen_epochs"])
    fits = code.fits_of_main_model
    if len(fits) > 1:
        values.append(Found(fits[0].keywords.get("epochs"), fits[0].line))
    return one_of(values, constraint.value, missing("no epochs with frozen layers only"))


def _nesterov(constraint: Constraint, code: Code) -> Finding:
    for call in code.calls:
        if call.keywords.get("nesterov") is True:
            return met(call.line)
    return missing("plain momentum" if code.calls_named("SGD") else "no SGD")


def _ema(constraint: Constraint, code: Code) -> Finding:
    averages = [call for call in code.calls if call.keywords.get("use_ema") is True]
    averages += code.calls_named("AveragedModel|SwapEMAWeights|ExponentialMovingAverage")
    if averages and constraint.value == "true":
        return met(averages[0].line)
    values = [item for item in code.values(_NAMES["ema"] + "|ema_momentum") if is_known(item.value)]
    return amount(values, constraint.value, "the weights are not averaged")


def _distillation(constraint: Constraint, code: Code) -> Finding:
    line = code.word(r"(^|_)teacher(_|$)|distill")
    return met(line) if line is not None else missing("no teacher")


_INITIALIZERS = {"he": r"he_?(normal|uniform)|kaiming", "glorot": r"glorot|xavier", "orthogonal": r"orthogonal"}


def _initializer(constraint: Constraint, code: Code) -> Finding:
    pattern = _INITIALIZERS.get(constraint.value, re.escape(constraint.value))
    for call in code.calls:
        named = (call.name, *(value for value in call.keywords.values() if isinstance(value, str)))
        if any(re.match(pattern, name.lower()) for name in named):
            return met(call.line)
    return missing("the library's own initialisation")


_SEARCHES = {
    "optuna": "optuna",
    "keras_tuner": "keras_tuner|kerastuner",
    "ray_tune": "ray",
    "bayesian": "optuna|skopt|hyperopt|bayes_opt",
}


def _search(constraint: Constraint, code: Code) -> Finding:
    package = _SEARCHES.get(constraint.value)
    line = code.imported(package or "optuna|keras_tuner|kerastuner|hyperopt|skopt")
    if line is not None:
        return met(line)
    if package is None:
        calls = code.calls_named("GridSearchCV|RandomizedSearchCV|ParameterGrid|ParameterSampler")
        if calls:
            return met(calls[0].line)
    return missing("each setting has one value")


CHECKS: dict[str, Check] = {
    **{name: _number(name) for name in _NAMES},
    **{name: _list(name) for name in _LISTS},
    "dilations": _dilations,
    "beta_1": _beta_1,
    "plateau_patience": _plateau_patience,
    "noise_level": _noise_level,
    "epsilon": _epsilon,
    "frozen_epochs": _frozen_epochs,
    "nesterov": _nesterov,
    "ema": _ema,
    "distillation": _distillation,
    "initializer": _initializer,
    "search": _search,
}
