"""The output layer of a plan: found, read and replaced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.keras.layer_call import LayerCall, Symbol
from pipeline.planners.repair.draft import LayerEntry, entry_of, inner_call, with_inner

_BEHIND = frozenset({"Dropout", "BatchNormalization", "SpatialDropout2D", "GaussianNoise", "Activation", "Softmax"})
"""What sometimes stands behind an output layer."""
_FINAL = frozenset({"softmax", "sigmoid"})
_SMALL = 10
"""A last layer of at most so many units is taken for the output layer unless it ends in a ReLU; so is a Dense layer of
any size without an activation."""
_CONVOLUTIONS = ("Conv2D", "Conv2DTranspose")


@dataclass(frozen=True, slots=True)
class Head:
    """The output layer, and how much of it is stated."""

    index: int
    """Of its entry in the layers."""
    call: LayerCall
    units: int | None
    """None where the plan gives no number."""
    activation: str
    """"" where none is stated."""

    @property
    def is_convolution(self) -> bool:
        return inner_call(self.call).name in _CONVOLUTIONS


def head_of(entries: Sequence[LayerEntry]) -> Head | None:
    """The output layer; None where the layers end with something else, or with words that are not understood."""
    activation = ""
    for index in range(len(entries) - 1, -1, -1):
        call = entries[index].call
        if call is None:
            return None
        inner = inner_call(call)
        if call.name in _BEHIND:
            activation = activation or _behind(call)
            continue
        stated = inner.arguments.get("activation")
        activation = activation or (stated if isinstance(stated, str) else "")
        size = "units" if inner.name == "Dense" else "filters"
        units = inner.arguments.get(size)
        number = units if isinstance(units, int) and not _is_guessed(inner, size) else None
        is_small = number is None or number <= _SMALL or (inner.name == "Dense" and activation in ("", "linear"))
        if inner.name in ("Dense", *_CONVOLUTIONS) and (activation in _FINAL or (is_small and activation != "relu")):
            return Head(index, call, number, activation)
        return None
    return None


def with_head(
    entries: Sequence[LayerEntry], head: Head | None, units: int | Symbol, activation: str
) -> list[LayerEntry]:
    """The layers with an output layer of so many units in the place of `head`, or at the end where there is none."""
    arguments = (("activation", activation),) if activation else ()
    if head is None:
        return [*entries, entry_of(LayerCall("Dense", (units,), arguments))]
    inner = inner_call(head.call)
    if head.is_convolution:
        changed = inner.changed(filters=units).without("activation")
        if activation:
            changed = changed.changed(activation=activation)
    else:
        changed = LayerCall("Dense", (units,), arguments)
    # A final activation behind it would be a second one.
    behind = [entry for entry in entries[head.index + 1 :] if not entry.is_named("Activation", "Softmax")]
    return [*entries[: head.index], entry_of(with_inner(head.call, changed)), *behind]


def _behind(call: LayerCall) -> str:
    if call.name == "Softmax":
        return "softmax"
    activation = call.arguments.get("activation")
    return activation if call.name == "Activation" and isinstance(activation, str) else ""


def _is_guessed(call: LayerCall, argument: str) -> bool:
    """Whether the reader of layers took a default for an argument that the plan does not give."""
    return any(f"{argument} is not given" in repair for repair in call.repairs)
