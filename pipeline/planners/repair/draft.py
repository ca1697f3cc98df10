"""A plan under repair, and its layers as calls beside the words that the planner wrote."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.keras.layer_call import LayerCall
from pipeline.keras.layers import parse_layers
from pipeline.plan.change import PlanChange
from pipeline.plan.fields import FIELDS, plan_of
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.plan.vocabulary import canonical_category

_CALL = re.compile(r"[\w.]+\(.*\)$", re.S)


class PlanDraft:
    """The values of a plan's fields as they are now, and what was changed."""

    def __init__(self, plan: SolutionPlan) -> None:
        self._plan = plan
        self.values: dict[str, Any] = {field.name: field.of(plan) for field in FIELDS}
        self.changes: list[PlanChange] = []

    def set(self, field: str, value: Any, because: str) -> None:
        """Replaces a value; one that is the same already is no change."""
        before = self.values[field]
        if value == before:
            return
        self.values[field] = value
        self.changes.append(PlanChange(field=field, before=_shown(before), after=_shown(value), because=because))

    def set_layers(self, entries: Sequence[LayerEntry], before: Sequence[LayerEntry], because: str) -> None:
        """Replaces the layers; of the change only what differs is kept."""
        texts, old = tuple(entry.text for entry in entries), tuple(entry.text for entry in before)
        if texts == old:
            return
        same = 0
        while same < min(len(texts), len(old)) and texts[same] == old[same]:
            same += 1
        end = 0
        while end < min(len(texts), len(old)) - same and texts[-1 - end] == old[-1 - end]:
            end += 1
        self.values["layers"] = texts
        removed, added = old[same : len(old) - end], texts[same : len(texts) - end]
        change = PlanChange(field="layers", before=_shown(removed), after=_shown(added), because=because)
        self.changes.append(change)

    @property
    def category(self) -> str:
        """The canonical task category."""
        return canonical_category(self.values["task_category"])

    @property
    def entries(self) -> list[LayerEntry]:
        return layer_entries(self.values["layers"])

    def plan(self) -> SolutionPlan:
        """The plan as it is now: the very one that was given where nothing was changed."""
        if not self.changes:
            return self._plan
        return plan_of(self.values).model_copy(update={"framework": self._plan.framework})


@dataclass(frozen=True, slots=True)
class LayerEntry:
    """One entry of a plan's Layers."""

    text: str
    calls: tuple[LayerCall, ...]
    """The layers it names: none where it is not understood, several where it lists them."""

    @property
    def call(self) -> LayerCall | None:
        """The one layer that it names."""
        return self.calls[0] if len(self.calls) == 1 else None

    @property
    def is_exact(self) -> bool:
        """Whether it is written as a call, so that nothing is left open; else it is prose or a bare name."""
        return self.call is not None and _CALL.match(self.text.strip()) is not None

    def is_named(self, *names: str) -> bool:
        """Whether one of its layers, or a layer inside of a wrapper, has one of these names."""
        return any(call.name in names or inner_call(call).name in names for call in self.calls)


def layer_entries(layers: Sequence[str]) -> list[LayerEntry]:
    """A plan's layers with the calls that they stand for."""
    return [LayerEntry(text, parse_layers(text)) for text in layers]


def entry_of(call: LayerCall) -> LayerEntry:
    """A layer as plans write it: `Dense(10, activation='softmax')`, `ResNet50(include_top=False)`."""
    source = call.source("").replace("keras.applications.", "")
    return LayerEntry(source.replace('"', "'") if "'" not in source else source, (call,))


def inner_call(call: LayerCall) -> LayerCall:
    """The layer inside of Bidirectional or TimeDistributed, or the layer itself."""
    inner = call.arguments.get("layer")
    return inner if isinstance(inner, LayerCall) else call


def with_inner(call: LayerCall, inner: LayerCall) -> LayerCall:
    """The layer with another one inside, where it wraps one."""
    return inner if inner_call(call) is call else call.changed(layer=inner)


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return str(value)
