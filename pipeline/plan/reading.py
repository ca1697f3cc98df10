"""Plans as they are found: two schemas mixed, lists for strings, strings for numbers, missing keys, cut-off JSON."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping

import json_repair

from pipeline.plan.solution_plan import DatasetShape, Hyperparameters, ModelArchitecture, SolutionPlan
from pipeline.plan.vocabulary import is_unspecified

_NUMBER = re.compile(r"^\W*(\d+(?:\.\d*)?(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?)(?![\w*\[])", re.I)


class UnreadablePlanError(ValueError):
    """The text holds no plan at all."""


def read_plan(source: str | Mapping[str, object]) -> SolutionPlan:
    """The plan that a JSON text or an object holds, as far as it can be understood.

    Keys are matched without regard to case, spaces and underscores; `Hypermeters` is read as `Hyperparameters`; JSON
    that is cut off or closed wrongly is repaired. An object that wraps the plan (`Code Plan`) is opened.
    Raises UnreadablePlanError where no object, or none of a plan's keys, is found.
    """
    plan = _fold(_load(source) if isinstance(source, str) else source)
    plan = _section(plan, "codeplan", "solutionplan", "plan") or plan
    architecture = _section(plan, "modelarchitecture", "model", "architecture")
    dataset = _section(plan, "dataset", "data")
    if not {"taskcategory", "dataset", "modelarchitecture", "preprocess"} & plan.keys():
        raise UnreadablePlanError("no plan: none of Task Category, Dataset, Preprocess, Model Architecture is there")
    # `Hypermeters` is a slip of the published schema, which many predictions repeat.
    hyper = _section(architecture, "hyperparameters", "hypermeters")
    hyper = hyper or _section(plan, "hyperparameters", "hypermeters")
    return SolutionPlan(
        task_category=_text(plan.get("taskcategory")),
        dataset=DatasetShape(input=_text(dataset.get("input")), output=_text(dataset.get("output"))),
        preprocess=_text(plan.get("preprocess", plan.get("preprocessing"))),
        architecture=ModelArchitecture(layers=_layers(architecture), hyperparameters=_hyperparameters(hyper)),
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
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        start = text.find("{")
        value = _repaired(text[start:]) if start >= 0 else None
    if isinstance(value, list) and value and isinstance(value[0], Mapping):
        value = value[0]
    if not isinstance(value, Mapping):
        raise UnreadablePlanError("no plan: the text holds no JSON object")
    return value


def _repaired(text: str) -> object:
    try:
        return json_repair.loads(text, skip_json_loads=True)
    except ValueError as error:  # nested beyond reason
        raise UnreadablePlanError(f"no plan: {error}") from error


def _fold(section: Mapping[str, object]) -> dict[str, object]:
    """Keys lower-cased, without blanks, underscores and hyphens; the first of equal keys wins."""
    folded: dict[str, object] = {}
    for key, value in section.items():
        folded.setdefault(re.sub(r"[\s_-]", "", str(key).lower()), value)
    return folded


def _section(parent: Mapping[str, object], *names: str) -> dict[str, object]:
    """The first of the named parts that is an object (of a list, its first object), keys folded; {} without one."""
    for name in names:
        part = parent.get(name)
        if isinstance(part, list) and part:
            part = part[0]
        if isinstance(part, Mapping):
            return _fold(part)
    return {}


def _layers(architecture: Mapping[str, object]) -> tuple[str, ...]:
    """The layers in order; where a plan names several networks instead (`Generator`, ...), theirs one after another."""
    layers = architecture.get("layers")
    if layers is None:
        layers = [value for key, value in architecture.items() if key not in ("hyperparameters", "hypermeters")]
    return tuple(_layer_lines(layers))


def _layer_lines(value: object) -> list[str]:
    if isinstance(value, Mapping):
        inner = _fold(value).get("layers")
        return _layer_lines(inner) if inner is not None else [_text(value)]
    if isinstance(value, list | tuple):
        lines = []
        for item in value:
            lines += _layer_lines(item)
        return lines
    text = _text(value)
    return [text] if text else []


def _hyperparameters(section: Mapping[str, object]) -> Hyperparameters:
    def name(*keys: str) -> str:
        text = next((_text(section[key]) for key in keys if key in section), "")
        return "" if is_unspecified(text) else text

    def count(*keys: str) -> int | None:
        number = next((read_number(section[key]) for key in keys if key in section), None)
        return int(number) if number is not None and 1 <= number < 2**31 else None

    return Hyperparameters(
        optimizer=name("optimizer"),
        loss=name("lossfunction", "loss"),
        learning_rate=read_number(section.get("learningrate", section.get("lr"))),
        batch_size=count("batchsize"),
        epochs=count("epochs", "epoch"),
        metric=name("evaluationmetric", "evaluationmetrics", "metrics", "metric"),
    )
