"""Keras' `fit`, seen by the list of its callbacks: Keras tells it of each step and epoch in any case."""

from __future__ import annotations

import sys
import weakref
from typing import Any, Dict, Optional

from . import targets
from .describing import keras_network
from .watching import Watch
from .writing import number, quietly

# Steps on the way from the targets to the batches that leave each label what it is, or turn it into another form.
_KEEPS_LABELS = ("Prefetch", "Batch", "Shuffle", "Cache", "Repeat", "Options", "Take", "Skip", "Map")


class FitHooks:
    """Called after the methods of a `CallbackList`, which is made for one `fit`."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._taken: Dict[int, int] = {}
        """By id of an optimizer, how often the runs of `fit` that have ended applied it."""
        self._running: Dict[int, int] = {}
        """By id of the optimizer that `fit` is at work with, how often it had been applied before."""
        self._runs: Any = weakref.WeakKeyDictionary()
        self._count = 0

    def begins(self, callbacks: Any, *_: Any, **__: Any) -> None:
        model = callbacks.model
        values = _arguments_of_fit()
        self._count += 1
        key = f"fit-{self._count}"
        optimizer = getattr(model, "optimizer", None)
        self._runs[callbacks] = {"key": key, "steps": 0, "before": 0}
        self._running[id(optimizer)] = _applied(optimizer)
        self._watch.training(
            key,
            network=self._watch.network(model, keras_network, ready=True),
            by="fit",
            loss=loss_name(model),
            epochs_asked=(callbacks.params or {}).get("epochs"),
            batch_size=_batch_size(values),
            targets=_targets(values),
            validation_targets=_summary(values.get("val_y")),
            weighted=values.get("class_weight") is not None or values.get("sample_weight") is not None,
            **(optimizer_values(optimizer) if optimizer is not None else {}),
        )

    def step_ends(self, callbacks: Any, batch: int, *_: Any, **__: Any) -> None:
        run = self._runs[callbacks]
        steps = run["before"] + int(batch) + 1
        run["steps"] = steps
        if steps == 1:  # a model may be built by its first step
            self._watch.network(callbacks.model, keras_network, ready=True)
        if steps == 1 or self._watch.is_due(run["key"]):
            self._watch.training(run["key"], steps=steps)

    def epoch_ends(self, callbacks: Any, epoch: int, logs: Optional[Dict[str, Any]] = None, **__: Any) -> None:
        run = self._runs[callbacks]
        run["before"] = run["steps"]
        self._watch.training(run["key"], steps=run["steps"])
        read = {str(name): number(value) for name, value in (logs or {}).items()}
        self._watch.epoch(run["key"], {name: value for name, value in read.items() if value is not None})

    def ends(self, callbacks: Any, *_: Any, **__: Any) -> None:
        optimizer = getattr(callbacks.model, "optimizer", None)
        before = self._running.pop(id(optimizer), None)
        if before is not None:
            self._taken[id(optimizer)] = self._taken.get(id(optimizer), 0) + _applied(optimizer) - before

    def steps_outside(self, optimizer: Any, applied: int) -> int:
        """Of the times that it was applied, those outside of `fit`; while `fit` is at work, those before it."""
        return self._running.get(id(optimizer), applied) - self._taken.get(id(optimizer), 0)


def _applied(optimizer: Any) -> int:
    return int(number(getattr(optimizer, "iterations", 0)) or 0)


def optimizer_values(optimizer: Any) -> Dict[str, Any]:
    """Its class, the rate it begins with, and the schedule it was given."""
    rate = getattr(optimizer, "_learning_rate", None)
    schedule = ""
    if rate is not None and hasattr(rate, "get_config") and callable(rate):
        schedule = type(rate).__name__
        first = number((rate.get_config() or {}).get("initial_learning_rate"))
    else:
        first = number(getattr(optimizer, "learning_rate", None))
    return {"optimizer": type(optimizer).__name__, "learning_rate": first, "schedule": schedule}


def loss_name(model: Any) -> str:
    """The loss as it was given to `compile`, of several outputs all of them."""
    loss = getattr(model, "loss", None)
    if isinstance(loss, dict):
        loss = list(loss.values())
    losses = loss if isinstance(loss, (list, tuple)) else [loss]
    names = []
    for one in losses:
        if isinstance(one, str):
            names.append(one)
        elif one is not None:
            names.append(getattr(one, "__name__", None) or type(one).__name__)
    return ", ".join(names)


def _arguments_of_fit() -> Dict[str, Any]:
    """What `fit` was given, read off its frame: it is the caller of the caller of the hook. Nothing is wrapped, so
    nothing stands between the project and `fit`."""
    frame: Any = sys._getframe(1)
    for _ in range(8):
        if frame is None:
            return {}
        if frame.f_code.co_name in ("fit", "fit_generator") and "keras" in frame.f_code.co_filename:
            return dict(frame.f_locals)
        frame = frame.f_back
    return {}


def _batch_size(values: Dict[str, Any]) -> Optional[int]:
    given = values.get("batch_size")
    data = values.get("x", values.get("generator"))
    if given is None:
        given = getattr(data, "batch_size", None)
    if given is None and (isinstance(data, (list, tuple, dict)) or hasattr(data, "shape")):
        given = 32  # Keras' own
    while given is None and data is not None:
        given = getattr(data, "_batch_size", None)
        data = getattr(data, "_input_dataset", None)
    size = number(given)
    return int(size) if size is not None else None


@quietly
def _summary(values: Any) -> Optional[Dict[str, Any]]:
    return targets.summary(values)


@quietly
def _targets(values: Dict[str, Any]) -> Optional[Dict[str, Any]]:
    """Of the targets that `fit` was given, or that lie behind its generator or data set; nothing is iterated."""
    y = values.get("y")
    if y is not None:
        return targets.summary(y)
    data = values.get("x", values.get("generator"))
    for name in ("classes", "labels", "y"):
        behind = targets.as_array(getattr(data, name, None))
        if behind is not None and behind.ndim:
            return targets.summary(behind, values=False)
    return _behind_data_set(data)


def _behind_data_set(data: Any) -> Optional[Dict[str, Any]]:
    """Of the tensors that a tf.data set was made of, where they go through nothing that could choose among them. A
    `map` may put a label into another form, so that values are left out."""
    changed = False
    while data is not None and not hasattr(data, "_tensors"):
        name = type(data).__name__
        parts = getattr(data, "_datasets", None)
        if name.lstrip("_").startswith("Zip") and parts is not None:
            data = parts[-1] if isinstance(parts, (list, tuple)) else None
            continue
        if not any(kept in name for kept in _KEEPS_LABELS) or "FlatMap" in name:
            return None
        changed = changed or "Map" in name
        data = getattr(data, "_input_dataset", None)
    if data is None or not data._tensors:
        return None
    return targets.summary(data._tensors[-1], values=not changed)
