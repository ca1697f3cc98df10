"""Numbers of layers that a request states: widths, filters, embeddings, kernels, dropout, activations."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pipeline.keras.layer_call import LayerCall
from pipeline.planners.repair.asked import Asked
from pipeline.planners.repair.draft import LayerEntry, PlanDraft, entry_of, inner_call, with_inner
from pipeline.planners.repair.heads import head_of

_RECURRENT = ("LSTM", "GRU", "SimpleRNN")
_CONVOLUTIONS = ("Conv1D", "Conv2D", "Conv3D", "SeparableConv1D", "SeparableConv2D")
_HIDDEN = ("relu", "tanh", "elu", "selu", "gelu", "swish", "leaky_relu")
_MOST_LAYERS = 32
"""More hidden layers than this are no number of layers."""

Edit = Callable[[LayerCall], LayerCall]


def keep_widths(draft: PlanDraft, asked: Asked) -> None:
    """Each stated number, written into the layers it is about. A plan without such a layer is left as it is."""
    _set_each(draft, _RECURRENT, "units", _recurrent_units(asked), "units")
    _set_each(draft, _CONVOLUTIONS, "filters", asked.numbers("filters"), "filters")
    _set_each(draft, _CONVOLUTIONS, "kernel_size", asked.numbers("kernel_size")[:1], "kernel_size")
    _set_each(draft, ("Embedding",), "output_dim", asked.numbers("embedding")[:1], "embedding")
    _set_each(draft, ("MultiHeadAttention",), "num_heads", asked.numbers("heads")[:1], "heads")
    _keep_hidden_layers(draft, asked)
    _keep_activation(draft, asked)
    _keep_dropout(draft, asked)


def _recurrent_units(asked: Asked) -> list[int]:
    """Widths of recurrent layers: `units` are theirs unless hidden layers are counted, which then are as wide."""
    if asked.numbers("hidden_layers") or asked.numbers("dense_layers"):
        return []
    return asked.numbers("units")


def _set_each(draft: PlanDraft, layers: Sequence[str], argument: str, numbers: Sequence[int], name: str) -> None:
    """The numbers in order, the last one for all further layers."""
    if not numbers:
        return
    before = draft.entries
    head = head_of(before)
    entries, used = list(before), 0
    for index, entry in enumerate(before):
        call = entry.call
        is_head = head is not None and index == head.index
        if call is None or is_head or inner_call(call).name not in layers:
            continue
        number = numbers[min(used, len(numbers) - 1)]
        used += 1
        inner = inner_call(call)
        if not _is_size(inner.arguments.get(argument), number):
            entries[index] = entry_of(with_inner(call, inner.changed(**{argument: number})))
    draft.set_layers(entries, before, f"asked: {name} {','.join(map(str, numbers))}")


def _is_size(value: object, number: int) -> bool:
    """Whether an argument says the number: a kernel of (3, 3) is one of 3."""
    return value == number or (isinstance(value, tuple) and bool(value) and all(size == number for size in value))


def _keep_hidden_layers(draft: PlanDraft, asked: Asked) -> None:
    """The dense layers before the output, as many and as wide as stated."""
    name = "hidden_layers" if asked.numbers("hidden_layers") else "dense_layers"
    widths = asked.numbers(name)
    if not widths:
        return
    before = draft.entries
    head = head_of(before)
    end = head.index if head is not None else len(before)
    dense = [index for index in range(end) if _is_hidden_dense(before[index])]
    is_count = len(widths) == 1 and widths[0] <= _MOST_LAYERS
    if is_count:
        if _is_deep(before):
            return  # "3 hidden layers" of a network that finds patterns are not its dense ones
        widths = _repeated(asked.numbers("units") or _widths(before, dense) or [64], widths[0])
    if _widths(before, dense) == widths:
        return
    activation = asked.first("activation") or "relu"
    new = [entry_of(LayerCall("Dense", (width,), (("activation", activation),))) for width in widths]
    first = dense[0] if dense else end
    rest = [entry for index, entry in enumerate(before) if index not in dense]
    place = sum(index not in dense for index in range(first))
    draft.set_layers([*rest[:place], *new, *rest[place:]], before, f"asked: {name} {asked.first(name)}")


def _repeated(widths: Sequence[int], count: int) -> list[int]:
    return [widths[min(index, len(widths) - 1)] for index in range(count)]


def _widths(entries: Sequence[LayerEntry], dense: Sequence[int]) -> list[int]:
    widths = []
    for index in dense:
        units = entries[index].calls[0].arguments.get("units")
        if isinstance(units, int):
            widths.append(units)
    return widths


def _is_hidden_dense(entry: LayerEntry) -> bool:
    return entry.call is not None and entry.call.name == "Dense"


def _is_deep(entries: Sequence[LayerEntry]) -> bool:
    return any(entry.is_named(*_RECURRENT, *_CONVOLUTIONS) for entry in entries)


def _keep_activation(draft: PlanDraft, asked: Asked) -> None:
    wanted = asked.first("activation")
    if wanted not in _HIDDEN:
        return

    def changed(call: LayerCall) -> LayerCall:
        inner = inner_call(call)
        now = inner.arguments.get("activation")
        is_hidden = inner.name in (*_CONVOLUTIONS, "Dense") and now in _HIDDEN and now != wanted
        return with_inner(call, inner.changed(activation=wanted)) if is_hidden else call

    _edit_body(draft, changed, f"asked: activation {wanted}")


def _edit_body(draft: PlanDraft, edit: Edit, because: str) -> None:
    """Each layer before the output layer, edited."""
    before = draft.entries
    head = head_of(before)
    entries = []
    for index, entry in enumerate(before):
        call = entry.call
        is_body = head is None or index < head.index
        after = edit(call) if call is not None and is_body else call
        entries.append(entry if after is None or after == call else entry_of(after))
    draft.set_layers(entries, before, because)


def _keep_dropout(draft: PlanDraft, asked: Asked) -> None:
    """The stated rate in all dropout layers, one before the output where there is none, or none at all."""
    before = draft.entries
    drops = [index for index, entry in enumerate(before) if entry.is_named("Dropout", "SpatialDropout1D")]
    if asked.forbids("dropout"):
        entries = [entry for index, entry in enumerate(before) if index not in drops]
        draft.set_layers(entries, before, "asked: no dropout")
        return
    stated = asked.first("dropout")
    if not stated or not before:
        return
    rate = None if stated == "true" else float(stated)
    if not drops:
        head = head_of(before)
        place = head.index if head is not None else len(before)
        layer = entry_of(LayerCall("Dropout", (0.3 if rate is None else rate,)))
        draft.set_layers([*before[:place], layer, *before[place:]], before, f"asked: dropout {stated}")
        return
    if rate is None:
        return
    entries = list(before)
    for index in drops:
        call = entries[index].call
        if call is not None and call.arguments.get("rate") != rate:
            entries[index] = entry_of(call.changed(rate=rate))
    draft.set_layers(entries, before, f"asked: dropout {stated}")
