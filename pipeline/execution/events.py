"""Reads the probe's events. They are foreign text, and a project may write what it likes: what is no event is passed
over, what is no number is None, lists and texts have bounds."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from pipeline.execution.observation import (
    Observation,
    ObservedFile,
    ObservedLayer,
    ObservedNetwork,
    ObservedTraining,
    TargetSummary,
)

_MOST_EVENTS = 50_000
_MOST_LAYERS = 400
_MOST_NETWORKS = 50
_MOST_FILES = 300
_LONGEST_TEXT = 200
_LONGEST_TRACEBACK = 30_000
_LONGEST_LINE = 2**20


def read_events(text: str) -> Observation:
    """What the events say; later ones about the same network or training replace what earlier ones said."""
    found = _Found()
    for line in text.splitlines()[:_MOST_EVENTS]:
        event = _event(line)
        if event is not None:
            found.add(event)
    return found.observation()


def _event(line: str) -> Mapping[str, Any] | None:
    if not line.startswith("{") or len(line) > _LONGEST_LINE:
        return None
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) else None


@dataclass(slots=True)
class _Found:
    """The events so far."""

    began: bool = False
    imported: bool = False
    ended: bool = False
    networks: dict[int, dict[str, Any]] = field(default_factory=dict)
    trainings: dict[int, dict[str, Any]] = field(default_factory=dict)
    epochs: dict[int, list[Mapping[str, float]]] = field(default_factory=dict)
    files: dict[str, bool] = field(default_factory=dict)
    downloads: dict[str, None] = field(default_factory=dict)
    traceback: str = ""
    exit_line: int | None = None
    exit_message: str = ""

    def add(self, event: Mapping[str, Any]) -> None:
        number = _count(event.get("id", event.get("training")))
        match event.get("event"):
            case "began":
                self.began = True
            case "imported":
                self.imported = True
            case "ended":
                self.ended = True
            case "network" if number is not None and len(self.networks) < _MOST_NETWORKS:
                self.networks.setdefault(number, {}).update(event)
            case "training" if number is not None and len(self.trainings) < _MOST_NETWORKS:
                self.trainings.setdefault(number, {}).update(event)
            case "epoch" if number is not None and len(self.epochs) < _MOST_NETWORKS:
                self.epochs.setdefault(number, []).append(_logs(event.get("logs")))
            case "file" if len(self.files) < _MOST_FILES:
                self.files[_text(event.get("path"))] = event.get("found") is True
            case "download" if len(self.downloads) < _MOST_FILES:
                self.downloads[_text(event.get("address"))] = None
            case "exception":
                self.traceback = _text(event.get("traceback"), _LONGEST_TRACEBACK)
            case "exit":
                self.exit_line = _count(event.get("line"))
                self.exit_message = _text(event.get("message"))

    def observation(self) -> Observation:
        networks = [_network(number, values) for number, values in sorted(self.networks.items())]
        trainings = [
            _training(values, tuple(self.epochs.get(number, ()))) for number, values in sorted(self.trainings.items())
        ]
        return Observation(
            began=self.began,
            imported=self.imported,
            ended=self.ended,
            networks=tuple(networks),
            trainings=tuple(trainings),
            files=tuple(ObservedFile(path=path, found=found) for path, found in self.files.items()),
            downloads=tuple(self.downloads),
            traceback=self.traceback,
            exit_line=self.exit_line,
            exit_message=self.exit_message,
        )


def _network(number: int, values: Mapping[str, Any]) -> ObservedNetwork:
    layers = values.get("layers")
    described = layers[:_MOST_LAYERS] if isinstance(layers, list) else []
    return ObservedNetwork(
        id=number,
        framework="torch" if values.get("framework") == "torch" else "keras",
        kind=_text(values.get("kind")),
        name=_text(values.get("name")),
        layers=tuple(_layer(layer) for layer in described if isinstance(layer, dict)),
        parameters=_count(values.get("parameters")) or 0,
        trainable=_count(values.get("trainable")) or 0,
        input_shape=_text(values.get("input_shape")),
        output_shape=_text(values.get("output_shape")),
        ready=values.get("ready") is True,
    )


def _layer(values: Mapping[str, Any]) -> ObservedLayer:
    stated = values.get("settings")
    settings: dict[str, object] = {}
    for name, value in list(stated.items())[:40] if isinstance(stated, dict) else []:
        if isinstance(value, list):
            value = tuple(one for one in value[:4] if isinstance(one, int | float))
        if isinstance(value, bool | int | float | str | tuple):
            settings[name] = value[:_LONGEST_TEXT] if isinstance(value, str) else value
    return ObservedLayer(
        kind=_text(values.get("kind")),
        name=_text(values.get("name")),
        parameters=_count(values.get("parameters")) or 0,
        settings=settings,
    )


def _training(values: Mapping[str, Any], epoch_logs: tuple[Mapping[str, float], ...]) -> ObservedTraining:
    by = values.get("by")
    last_logs = _logs(values.get("last_logs"))
    if last_logs and not epoch_logs:
        epoch_logs = (last_logs,)
    return ObservedTraining(
        network=_count(values.get("network")),
        by=by if by in ("fit", "lightning") else "loop",
        optimizer=_text(values.get("optimizer")),
        learning_rate=_rounded(values.get("learning_rate")),
        schedule=_text(values.get("schedule")),
        loss=_text(values.get("loss")),
        batch_size=_count(values.get("batch_size")),
        epochs_asked=_count(values.get("epochs_asked")),
        epochs_ended=max(_count(values.get("epochs_ended")) or 0, len(epoch_logs) if not last_logs else 0),
        steps=_count(values.get("steps")) or 0,
        epoch_logs=epoch_logs,
        last_loss=_number(values.get("last_loss")),
        targets=_targets(values.get("targets")),
        validation_targets=_targets(values.get("validation_targets")),
        weighted=values.get("weighted") is True,
    )


def _targets(values: object) -> TargetSummary | None:
    if not isinstance(values, dict) or _count(values.get("count")) is None:
        return None
    known: dict[str, Any] = {}
    for one in fields(TargetSummary):
        known[one.name] = _number(values.get(one.name))
    classes = _count(values.get("classes"))
    return TargetSummary(**{**known, "count": _count(values.get("count")) or 0, "classes": classes})


def _logs(values: object) -> Mapping[str, float]:
    logs: dict[str, float] = {}
    for name, value in list(values.items())[:40] if isinstance(values, dict) else []:
        # Not a number stays: a loss that is none is what a training came to.
        if isinstance(value, int | float) and not isinstance(value, bool):
            logs[str(name)[:_LONGEST_TEXT]] = float(value)
    return logs


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _rounded(value: object) -> float | None:
    """Without what single precision adds: 0.009999999776482582 is 0.01."""
    number = _number(value)
    return float(f"{number:.6g}") if number is not None else None


def _count(value: object) -> int | None:
    number = _number(value)
    return int(number) if number is not None and 0 <= number < 2**53 else None


def _text(value: object, longest: int = _LONGEST_TEXT) -> str:
    return value[:longest] if isinstance(value, str) else ""
