"""Which recurrent layers of a stack have to return every step, and which only the last."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.keras.fitting.layer import RECURRENT
from pipeline.keras.layer_call import LayerCall, Value

KEEP_AXES = frozenset(
    {"Dropout", "GaussianDropout", "AlphaDropout", "SpatialDropout1D", "GaussianNoise", "Masking", "Activation"}
    | {"ReLU", "LeakyReLU", "PReLU", "ELU", "BatchNormalization", "LayerNormalization", "GroupNormalization"}
)
"""Layers that work on each number by itself, or on whatever axes there are."""

_NEED_STEPS = ("TimeDistributed", "ConvLSTM", "GlobalMaxPool", "GlobalAv")
_NEED_SEQUENCE = frozenset({"Conv1D", "SeparableConv1D", "MaxPooling1D", "MaxPool1D", "AveragePooling1D", "AvgPool1D"})


def crosses_steps(call: LayerCall) -> bool:
    """Whether a layer needs, or brings together, what the axes before the last one hold."""
    return (
        call.name in RECURRENT
        or call.name in ("Flatten", "Reshape", "Permute")
        or "Pool" in call.name
        or call.name.startswith(("Conv", "SeparableConv", "DepthwiseConv", "TimeDistributed"))
    )


def with_needed_sequences(
    call: LayerCall, rest: Sequence[LayerCall], *, per_step: bool
) -> tuple[LayerCall, str | None]:
    """The recurrent layer with the `return_sequences` that the layers after it need, and the repair if that is new.

    `per_step` says that the model's output has a time axis.
    """
    inner: Value = call
    if call.name == "Bidirectional":
        inner = call.arguments.get("layer")
    if not isinstance(inner, LayerCall):
        return call, None
    now = inner.arguments.get("return_sequences") is True
    following = next((layer for layer in rest if layer.name not in KEEP_AXES), None)
    if following is None:
        needed = per_step
    elif following.name == "RepeatVector":
        needed = False
    elif following.name == "Dense":
        needed = per_step or (now and any(map(crosses_steps, rest)))
    else:
        needed = now or following.name in RECURRENT | _NEED_SEQUENCE or following.name.startswith(_NEED_STEPS)
    if needed == now:
        return call, None
    if needed:
        changed = inner.changed(return_sequences=True)
    else:
        changed = inner.without("return_sequences")
    before = following.name if following else "the output layer"
    repair = f"{inner.name}: return_sequences={needed} before {before}"
    if call.name == "Bidirectional":
        changed = call.changed(layer=changed)
    return changed, repair
