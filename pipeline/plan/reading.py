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
    found = _fold(_load(source) if isinstance(source, str) else source)
    found = _section(found, "codeplan", "solutionplan", "plan") or found
    architecture = _section(found, "modelarchitecture", "model", "architecture")
    dataset = _section(found, "dataset", "data")
    if not {"taskcategory", "dataset", "modelarchitecture", "preprocess"} & found.keys():
        raise UnreadablePlanError("no plan: none of Task Category, Dataset, Preprocess, Model Architecture is there")
    hyper = _section(architecture, "hyperparameters", "hypermeters") or _section(
        found, "hyperparameters", "hypermeters"
    )
    return SolutionPlan(
        task_category=_text(found.get("taskcategory")),
        dataset=DatasetShape(input=_text(dataset.get("input")), output=_text(dataset.get("output"))),
        preprocess=_text(found.get("preprocess", found.get("preprocessing"))),
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
        found = json.loads(text)
    except (ValueError, RecursionError):
        start = text.find("{")
        found = _repaired(text[start:]) if start >= 0 else None
    if isinstance(found, list) and found and isinstance(found[0], Mapping):
        found = found[0]
    if not isinstance(found, Mapping):
        raise UnreadablePlanError("no plan: the text holds no JSON object")
    return found


def _repaired(text: str) -> object:
    try:
        return json_repair.loads(text, skip_json_loads=True)
    except ValueError as error:  # nested beyond reason
        raise UnreadablePlanError(f"no plan: {error}") from error


def _fold(found: Mapping[str, object]) -> dict[str, object]:
    """Keys lower-cased, without blanks, underscores and hyphens; the first of equal keys wins."""
    folded: dict[str, object] = {}
    for key, value in found.items():
        folded.setdefault(re.sub(r"[\s_-]", "", str(key).lower()), value)
    return folded


def _section(found: Mapping[str, object], *names: str) -> dict[str, object]:
    """The first of the named parts that is an object (of a list, its first object), keys folded; {} without one."""
    for name in names:
        part = found.get(name)
        if isinstance(part, list) and part:
            part = part[0]
        if isinstance(part, Mapping):
            return _fold(part)
    return {}


def _layers(architecture: Mapping[str, object]) -> tuple[str, ...]:
    """The layers in order; where a plan names several networks instead (`Generator`, ...), theirs one after another."""
    layers = architecture.get("layers")
    if layers is None:
        nested = [value for key, value in architecture.items() if key not in ("hyperparameters", "hypermeters")]
        return tuple(line for value in nested for line in _layer_lines(value))
    return tuple(_layer_lines(layers))


def _layer_lines(value: object) -> list[str]:
    if isinstance(value, Mapping):
        inner = _fold(value).get("layers")
        return _layer_lines(inner) if inner is not None else [_text(value)]
    if isinstance(value, list | tuple):
        return [line for item in value for line in _layer_lines(item)]
    text = _text(value)
    return [text] if text else []


def _hyperparameters(found: Mapping[str, object]) -> Hyperparameters:
    def name(*keys: str) -> str:
        text = next((_text(found[key]) for key in keys if key in found), "")
        return "" if is_unspecified(text) else text

    def count(*keys: str) -> int | None:
        number = next((read_number(found[key]) for key in keys if key in found), None)
        return int(number) if number is not None and 1 <= number < 2**31 else None

    return Hyperparameters(
        optimizer=name("optimizer"),
        loss=name("lossfunction", "loss"),
        learning_rate=read_number(found.get("learningrate", found.get("lr"))),
        batch_size=count("batchsize"),
        epochs=count("epochs", "epoch"),
        metric=name("evaluationmetric", "evaluationmetrics", "metrics", "metric"),
    )
