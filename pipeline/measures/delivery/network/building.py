"""How many layers the network has, and how wide they are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from pipeline.analysis.values import Unknown
from pipeline.measures.delivery.code import Check, Code
from pipeline.measures.delivery.findings import (
    AT_RUN_TIME,
    Finding,
    Found,
    as_number,
    equal,
    is_known,
    listed,
    met,
    missing,
    numbers_in,
    one_of,
    shown,
    unknown,
)
from pipeline.measures.delivery.layers import (
    RECURRENT,
    Layer,
    is_convolution,
)
from pipeline.measures.delivery.network.families import family, written_attention
from pipeline.measures.delivery.network.known import (
    networks,
)
from pipeline.request.constraints import Constraint


def _hidden(code: Code) -> list[Layer]:
    """The layers before those that give the outputs."""
    heads = set(map(id, code.heads))
    return [layer for layer in code.layers if id(layer) not in heads]


def _widths(layers: Iterable[Layer], name: str = "") -> list[Found]:
    return [Found(layer.value(name) if name else layer.size, layer.line) for layer in layers]


def _of_kind(layers: Iterable[Layer], kinds: Iterable[str]) -> list[Layer]:
    wanted = frozenset(kinds)
    return [layer for layer in layers if layer.kind in wanted]


def _convolutions(layers: Iterable[Layer]) -> list[Layer]:
    return [layer for layer in layers if is_convolution(layer.kind)]


def _sequence(found: Sequence[Found], wanted: str, nothing: Finding) -> Finding:
    """A single number: any of the values. Several: all of them in this order, others may lie between."""
    numbers = numbers_in(wanted)
    if len(numbers) < 2:
        return one_of(found, wanted, nothing)
    if not found:
        return nothing
    index = 0
    for item in found:
        if index < len(numbers) and equal(item.value, str(numbers[index])):
            index += 1
    if index == len(numbers):
        return met(found[0].line)
    if any(not is_known(item.value) for item in found):
        return unknown(AT_RUN_TIME)
    return missing(listed(found), found[0].line)


def _in_order(found: Sequence[Found], wanted: str, nothing: Finding) -> Finding:
    """The values are these, and no others."""
    if not found:
        return nothing
    if any(not is_known(item.value) for item in found):
        return unknown(AT_RUN_TIME)
    values = [item.value for item in found]
    if values == numbers_in(wanted):
        return met(found[0].line)
    return missing(", ".join(map(shown, values)), found[0].line)


def _count(layers: Sequence[Layer], wanted: str, what: str) -> Finding:
    line = layers[0].line if layers else None
    if as_number(wanted) == len(layers):
        return met(line)
    return missing(f"{len(layers)} {what}", line)


def _hidden_layers(constraint: Constraint, code: Code) -> Finding:
    """Widths of the dense layers before the last one; a single number counts the layers, dense or recurrent, or is the
    width of the only one."""
    dense = _of_kind(_hidden(code), ["Dense"])
    if "," in constraint.value:
        return _in_order(_widths(dense), constraint.value, missing("no hidden dense layers"))
    layers = dense or _of_kind(_hidden(code), RECURRENT)
    if len(layers) == 1 and equal(layers[0].size, constraint.value):
        return met(layers[0].line)
    return _count(layers, constraint.value, "hidden layers")


def _conv_layers(constraint: Constraint, code: Code) -> Finding:
    layers = _convolutions(_hidden(code))
    if "," in constraint.value:
        return _in_order(_widths(layers), constraint.value, missing("no convolutions"))
    if not layers and networks(code):
        return unknown("the convolutions are a known network's")
    return _count(layers, constraint.value, "convolutions")


def _conv_blocks(constraint: Constraint, code: Code) -> Finding:
    """A block is a convolution or several up to a pooling layer or a larger stride."""
    blocks = 0
    open_block = False
    layers = _convolutions(code.layers)
    for layer in _hidden(code):
        if is_convolution(layer.kind):
            open_block = True
        elif "Pooling" in layer.kind and open_block:
            blocks += 1
            open_block = False
    blocks += open_block
    wanted = as_number(constraint.value)
    if layers and wanted in (blocks, len(_convolutions(_hidden(code)))):
        return met(layers[0].line)
    return missing(f"{blocks} blocks of convolutions", layers[0].line if layers else None)


def _recurrent_layers(constraint: Constraint, code: Code) -> Finding:
    layers = _of_kind(code.layers, RECURRENT)
    stacked = [layer.value("layers") for layer in layers if layer.library == "torch"]
    for value, layer in zip(stacked, layers, strict=False):
        if equal(value, constraint.value):
            return met(layer.line)
    return _count(layers, constraint.value, "recurrent layers")


def _dense_layers(constraint: Constraint, code: Code) -> Finding:
    """With the last one or without it: both are common ways to count."""
    layers = _of_kind(code.layers, ["Dense"])
    hidden = _of_kind(_hidden(code), ["Dense"])
    wanted = as_number(constraint.value)
    if layers and wanted in (len(layers), len(hidden)):
        return met(layers[0].line)
    return missing(f"{len(layers)} dense layers", layers[0].line if layers else None)


def _encoder_layers(constraint: Constraint, code: Code) -> Finding:
    named = code.values(
        r"(n_|num_)?(encoder_)?(layers|blocks|depth)|(transformer|encoder)_(layers|blocks)|num_transformer_\w+"
    )
    attention = _of_kind(code.all_layers, ["MultiHeadAttention", "TransformerEncoderLayer"])
    written = written_attention(code)
    if not attention and written is None:
        return missing("no encoder layers")
    counted = Found(len(attention) or 1, attention[0].line if attention else written)
    return one_of([*named, counted], constraint.value, missing("no encoder layers"))


def _heads(constraint: Constraint, code: Code) -> Finding:
    attention = _of_kind(code.all_layers, ["MultiHeadAttention", "TransformerEncoderLayer"])
    found = [*_widths(attention, "num_heads"), *code.values(r"(n|num)_heads|heads")]
    found = [item for item in found if is_known(item.value)] or found
    return one_of(found, constraint.value, missing("no attention heads"))


def _kernel_size(constraint: Constraint, code: Code) -> Finding:
    """Of all convolutions but those that only mix channels (1x1) or give the output."""
    found: list[Found] = []
    for layer in _convolutions(_hidden(code)):
        size = layer.value("kernel_size")
        if isinstance(size, tuple | list) and size and len(set(map(repr, size))) == 1:
            size = size[0]
        if size != 1:
            found.append(Found(size, layer.line))
    if found and all(equal(item.value, constraint.value) for item in found):
        return met(found[0].line)
    if "," in constraint.value:  # side by side: a convolution for each of a constant's sizes
        for item in code.values("(kernel|filter)_?sizes?"):
            if isinstance(item.value, list | tuple) and list(item.value) == numbers_in(constraint.value):
                return met(item.line)
    different = [item for item in found if not equal(item.value, constraint.value)]
    if different and any(item.value is Unknown.ANY for item in different):
        return unknown(AT_RUN_TIME)
    if different:
        return missing(f"kernel sizes {listed(found)}", different[0].line)
    return missing("no convolutions")


def _filters(constraint: Constraint, code: Code) -> Finding:
    layers = _convolutions(_hidden(code)) or _convolutions(code.all_layers)
    return _sequence(_widths(layers), constraint.value, missing("no convolutions"))


def _embedding(constraint: Constraint, code: Code) -> Finding:
    found = _widths(_of_kind(code.all_layers, ["Embedding"]), "output_dim")
    named = code.values(
        r"(embed(ding)?|model|hidden|token|projection)_(dim|size|dims?|units|width)|d_model|dim|embed_dim"
    )
    return one_of([*found, *named], constraint.value, missing("no embedding"))


def _units(constraint: Constraint, code: Code) -> Finding:
    """Of the recurrent or dense layers before the last one; the subject says of which."""
    hidden = _hidden(code)
    recurrent = _of_kind(hidden, RECURRENT)
    dense = _of_kind(hidden, ["Dense"])
    subject = constraint.subject.lower()
    if re.search(r"lstm|gru|rnn|recurrent", subject):
        layers = recurrent
    elif re.search(r"dense|hidden|fully|linear", subject):
        layers = dense
    else:
        layers = [*recurrent, *dense]
    return _sequence(_widths(layers), constraint.value, missing("no hidden layer with units"))


def _stride(constraint: Constraint, code: Code) -> Finding:
    found: list[Found] = []
    for layer in _convolutions(code.layers):
        stride = layer.value("strides")
        if isinstance(stride, tuple | list) and stride:
            stride = stride[0]
        found.append(Found(1 if stride is None else stride, layer.line))
    return one_of(found, constraint.value, missing("no convolutions"))


def _depth(constraint: Constraint, code: Code) -> Finding:
    """Layers with weights, a constant of that name, or the number in a known network's name."""
    for network in networks(code):
        if re.search(rf"(?<!\d){re.escape(constraint.value)}(?!\d)", str(network.value)):
            return met(network.line)
    layers = [layer for layer in code.layers if is_convolution(layer.kind) or layer.kind in {"Dense", *RECURRENT}]
    counted = [Found(len(layers), layers[0].line)] if layers else []
    return one_of([*counted, *code.values(r"depth|(n|num)_(layers|blocks)")], constraint.value, missing("no layers"))


CHECKS: dict[str, Check] = {
    "family": family,
    "hidden_layers": _hidden_layers,
    "conv_layers": _conv_layers,
    "conv_blocks": _conv_blocks,
    "recurrent_layers": _recurrent_layers,
    "encoder_layers": _encoder_layers,
    "dense_layers": _dense_layers,
    "heads": _heads,
    "kernel_size": _kernel_size,
    "filters": _filters,
    "embedding": _embedding,
    "units": _units,
    "stride": _stride,
    "depth": _depth,
}
