"""Networks for single rows of numbers, where windows of several channels were asked for."""

from __future__ import annotations

from pipeline.measures.delivery.code import Code
from pipeline.measures.delivery.findings import Finding, missing
from pipeline.measures.delivery.layers import RECURRENT, is_convolution

_SHAPING = ("Flatten", "Reshape", "TimeDistributed", "Permute", "Unflatten")


def takes_no_windows(code: Code) -> Finding | None:
    """Not met by dense layers alone; None where a layer takes steps in time, or windows are laid flat for others."""
    if not code.layers:
        return None
    for layer in code.all_layers:
        if layer.kind in RECURRENT or is_convolution(layer.kind) or layer.kind in _SHAPING:
            return None
        if "Attention" in layer.kind or "Transformer" in layer.kind or "Pool" in layer.kind:
            return None
    if code.word(r"(^|_)(flatten|reshape|view)(_|$)") is not None:
        return None
    return missing("single rows of numbers, no windows", code.layers[0].line)
