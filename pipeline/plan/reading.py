"""Lenient reading of plans as models and data sets write them.

Two schemas are mixed; lists stand for strings, and strings for numbers; keys are missing, JSON is cut off.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence

import json_repair

from pipeline.plan.frameworks import canonical_framework
from pipeline.plan.solution_plan import DatasetShape, Hyperparameters, ModelArchitecture, SolutionPlan
from pipeline.plan.vocabulary import is_unspecified

_NUMBER = re.compile(r"^\W*(\d+(?:\.\d*)?(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?)(?![\w*\[])", re.I)

# `Hypermeters` is a slip of the published schema, which many predictions repeat.
_HYPERPARAMETER_KEYS = ("hyperparameters", "hypermeters")


LONGEST_REPAIRED = 20_000
"""Characters up to which broken JSON is repaired; the longest published plan has 3,800."""

DEEPEST_REPAIRED = 50
"""Open brackets up to which broken JSON is repaired: the work is length times depth. A plan opens four."""

_BRACKET = re.compile(r"[\[\]{}]")


class UnreadablePlanError(ValueError):
    """The text holds no plan at all."""


def read_plan(source: str | Mapping[str, object]) -> SolutionPlan:
    """The plan that a JSON text or an object holds, as far as it can be understood.

    Keys are matched without regard to case, spaces and underscores; `Hypermeters` is read as
    `Hyperparameters`; JSON that is cut off or closed wrongly is repaired. An object that wraps the
    plan (`Code Plan`) is opened. Raises UnreadablePlanError where no object, or none of a plan's
    keys, is found.
    """
    if isinstance(source, str):
        source = _load(source)
    body = _fold(source)
    body = _section(body, "codeplan", "solutionplan", "plan") or body
    architecture = _section(body, "modelarchitecture", "model", "architecture")
    dataset = _section(body, "dataset", "data")
    if not {"taskcategory", "dataset", "modelarchitecture", "preprocess"} & body.keys():
        raise UnreadablePlanError("no plan: none of Task Category, Dataset, Preprocess, Model Architecture is there")
    hyper = _section(architecture, *_HYPERPARAMETER_KEYS) or _section(body, *_HYPERPARAMETER_KEYS)
    return SolutionPlan(
        task_category=_text(body.get("taskcategory")),
        dataset=DatasetShape(input=_text(dataset.get("input")), output=_text(dataset.get("output"))),
        preprocess=_text(body.get("preprocess", body.get("preprocessing"))),
        architecture=ModelArchitecture(layers=_layers(architecture), hyperparameters=_hyperparameters(hyper)),
        framework=canonical_framework(_text(body.get("framework"))),
    )


def read_text(value: object) -> str:
    """Any JSON value as a line of text: lists joined by commas, objects as "key: value" pairs, null as ""."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {read_text(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(read_text(item) for item in value)
    return str(value)


def read_number(value: object) -> float | None:
    """The positive number that a value starts with ("1e-4 with warm-up" -> 0.0001), or None."""
    if isinstance(value, list | tuple) and value:
        value = value[0]
    if isinstance(value, str):
        match = _NUMBER.match(value)
        value = float(match.group(1)) if match else None
    # To Python a bool is an int, but `true` is no number of epochs.
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) and number > 0 else None


def _text(value: object) -> str:
    """A plan's text; half of a surrogate pair, where JSON was cut off, becomes a question mark."""
    return read_text(value).encode("utf-8", "replace").decode()


def _load(text: str) -> Mapping[str, object]:
    value: object = None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        start = text.find("{")
        if start >= 0:
            value = _repaired(text[start:])
    if isinstance(value, list) and value:
        value = value[0]
    if not isinstance(value, Mapping):
        raise UnreadablePlanError("no plan: the text holds no JSON object")
    return value


def _repaired(text: str) -> object:
    if len(text) > LONGEST_REPAIRED:
        raise UnreadablePlanError(f"no plan: not JSON, and longer than {LONGEST_REPAIRED:,} characters")
    if _depth(text) > DEEPEST_REPAIRED:
        raise UnreadablePlanError("no plan: not JSON, and nested too deeply")
    try:
        return json_repair.loads(text, skip_json_loads=True)
    except ValueError as error:  # nested beyond reason
        raise UnreadablePlanError(f"no plan: {error}") from error


def _depth(text: str) -> int:
    """How many brackets are open at most, those in strings counted too."""
    depth = deepest = 0
    for bracket in _BRACKET.findall(text):
        depth = depth + 1 if bracket in "[{" else max(0, depth - 1)
        deepest = max(deepest, depth)
    return deepest


def _fold(values: Mapping[str, object]) -> dict[str, object]:
    """Keys lower-cased, without blanks, underscores and hyphens; the first of equal keys wins."""
    folded: dict[str, object] = {}
    for key, value in values.items():
        folded.setdefault(re.sub(r"[\s_-]", "", str(key).lower()), value)
    return folded


def _section(values: Mapping[str, object], *names: str) -> dict[str, object]:
    """The first of the named parts that is an object (of a list, its first object), keys folded; {} without one."""
    for name in names:
        part = values.get(name)
        if isinstance(part, list) and part:
            part = part[0]
        if isinstance(part, Mapping):
            return _fold(part)
    return {}


def _layers(architecture: Mapping[str, object]) -> tuple[str, ...]:
    """The layers in order; where a plan names several networks instead (`Generator`, ...), theirs one after another."""
    layers = architecture.get("layers")
    if layers is not None:
        return tuple(_layer_lines(layers))
    lines: list[str] = []
    for key, value in architecture.items():
        if key not in _HYPERPARAMETER_KEYS:
            lines += _layer_lines(value)
    return tuple(lines)


def _layer_lines(value: object) -> list[str]:
    if isinstance(value, Mapping):
        inner = _fold(value).get("layers")
        if inner is not None:
            return _layer_lines(inner)
        return [_text(value)]
    if isinstance(value, list | tuple):
        lines: list[str] = []
        for item in value:
            lines += _layer_lines(item)
        return lines
    text = _text(value)
    return [text] if text else []


def _hyperparameters(values: Mapping[str, object]) -> Hyperparameters:
    def name(*keys: str) -> str:
        text = _text(_first_present(values, keys))
        return "" if is_unspecified(text) else text

    def count(*keys: str) -> int | None:
        number = read_number(_first_present(values, keys))
        # Tables keep counts in 32 bits.
        if number is None or not 1 <= number < 2**31:
            return None
        return int(number)

    return Hyperparameters(
        optimizer=name("optimizer"),
        loss=name("lossfunction", "loss"),
        learning_rate=read_number(values.get("learningrate", values.get("lr"))),
        batch_size=count("batchsize"),
        epochs=count("epochs", "epoch"),
        metric=name("evaluationmetric", "evaluationmetrics", "metrics", "metric"),
    )


def _first_present(values: Mapping[str, object], keys: Sequence[str]) -> object:
    """The value of the first of the keys that is there; None without one."""
    for key in keys:
        if key in values:
            return values[key]
    return None
